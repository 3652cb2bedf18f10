//! The kinds of this half against moto, over HTTP.

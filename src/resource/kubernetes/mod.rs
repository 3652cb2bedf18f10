//! The vocabulary of Kubernetes objects: their types, their kinds, and their manifests as attributes.

mod api_type;
mod fields;
mod kinds;
mod manifest;
mod summary;

pub use api_type::{API_TYPES, ApiType};
pub use fields::{FieldPath, FieldStep, attributes as fields, is_atom, item_key, leaves};
pub use kinds::*;
pub use manifest::{
    DEFAULT_NAMESPACE, MANAGED_BY, PLACE_TAG, manifest_object, manifest_of, manifest_place, marked, with_manifest,
};
pub(super) use summary::summary;

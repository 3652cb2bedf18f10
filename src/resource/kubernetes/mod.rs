//! The vocabulary of Kubernetes objects: their types, their kinds, and their manifests as attributes.

mod api_type;
mod fields;
mod kinds;
mod manifest;
mod removed_api;
mod summary;

pub use api_type::{API_TYPES, ApiType};
pub use fields::{FieldPath, FieldStep, attributes as fields, is_atom, item_key, leaves};
pub use kinds::*;
pub use manifest::{
    DEFAULT_NAMESPACE, MANAGED_BY, PLACE_TAG, manifest_object, manifest_of, manifest_place, marked, with_manifest,
};
pub use removed_api::{REMOVED_APIS, RemovedApi};
pub(super) use summary::summary;

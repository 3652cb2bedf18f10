//! Watches: streams of the changes of objects.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kube::api::WatchParams;
use kube::core::{Request, WatchEvent};
use serde::de::DeserializeOwned;

use super::client::{ANSWER, ApiConnection, broken, silent};
use super::failure::classify;
use super::object_ref::{JsonObject, ObjectRef};
use super::typed::{ReadType, api};
use crate::engine::Failure;

/// Duration of one watch before it is started again, in seconds.
const WATCH: u32 = 240;

/// The events of a watch, until it ends by itself.
pub(super) type WatchEvents<K = JsonObject> = BoxStream<'static, Result<WatchedChange<K>, Failure>>;

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum WatchedChange<K = JsonObject> {
    /// An object as it is now.
    There(K),
    /// An object that was deleted, in its last state.
    Gone(K),
}

impl ApiConnection {
    /// Watches an object for some minutes: returns its current state and each change.
    pub(super) async fn watch(&self, place: &ObjectRef) -> Result<WatchEvents, Failure> {
        let params = WatchParams { field_selector: Some(format!("metadata.name={}", place.name)), ..watching() };
        self.events(&place.collection(), &params, &format!("watch {place}")).await
    }

    /// Watches all objects of a type in a namespace with these labels: returns their current states and each change.
    pub(super) async fn watch_all<K: ReadType + Clone + Send + 'static>(
        &self,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<WatchEvents<K>, Failure> {
        let api = api::<K>();
        let params = WatchParams { label_selector: Some(labels.to_owned()), ..watching() };
        self.events(&api.path(namespace), &params, &format!("watch {api}")).await
    }

    async fn events<K: DeserializeOwned + Clone + Send + 'static>(
        &self,
        path: &str,
        params: &WatchParams,
        action: &str,
    ) -> Result<WatchEvents<K>, Failure> {
        // Without a version the watch begins with what is there now.
        let request = Request::new(path).watch(params, "").map_err(|error| broken(action, &error))?;
        let begun = tokio::time::timeout(ANSWER, self.client.request_events::<K>(request)).await;
        let events = begun.map_err(|_| silent(action))?.map_err(|error| classify(action, &error).failure)?;
        let action = action.to_owned();
        Ok(events.filter_map(move |event| std::future::ready(change(&action, event))).boxed())
    }
}

fn watching() -> WatchParams {
    WatchParams { bookmarks: false, timeout: Some(WATCH), ..WatchParams::default() }
}

/// Returns the content of an event; `None` if it is not about an object.
fn change<K>(action: &str, event: kube::Result<WatchEvent<K>>) -> Option<Result<WatchedChange<K>, Failure>> {
    match event {
        Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Ok(WatchedChange::There(object))),
        Ok(WatchEvent::Deleted(object)) => Some(Ok(WatchedChange::Gone(object))),
        Ok(WatchEvent::Bookmark(_)) => None,
        Ok(WatchEvent::Error(status)) => Some(Err(classify(action, &kube::Error::Api(status)).failure)),
        Err(error) => Some(Err(classify(action, &error).failure)),
    }
}

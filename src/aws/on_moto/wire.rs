//! The wire between the SDK and the server, which counts the calls.

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

type Log = Arc<Mutex<Vec<String>>>;

/// The wire. Clones share its log.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    inner: SharedHttpClient,
    log: Log,
}

#[derive(Debug)]
struct Tap {
    inner: SharedHttpConnector,
    log: Log,
}

impl Default for Wire {
    fn default() -> Self {
        Self { inner: Builder::new().build_http(), log: Log::default() }
    }
}

impl Wire {
    /// As an HTTP client for the SDK.
    pub(super) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The calls so far, and a fresh start: an action, or a method and a path.
    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Tap { inner, log: Arc::clone(&self.log) })
    }
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.log.lock().unwrap().push(action(&request));
        self.inner.call(request)
    }
}

fn action(request: &HttpRequest) -> String {
    let form = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
    let named = form.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    let path = request.uri().splitn(4, '/').nth(3).unwrap_or_default();
    named.unwrap_or_else(|| format!("{} /{path}", request.method()))
}

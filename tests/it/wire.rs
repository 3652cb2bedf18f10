//! The wire between the SDK and a server: leads every call to moto, counts calls and hops, and breaks on purpose.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use tokio::sync::Notify;

/// How long nothing new must be sent before a hop is complete. A busy machine sends some calls of a hop late.
const QUIET: Duration = Duration::from_millis(1200);

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes through.
    Pass,
    /// The service says that there were too many.
    Throttle,
    /// The service fails and has done nothing.
    Fail,
    /// It takes effect, and the answer is lost.
    LoseAnswer,
    /// It never arrives, and nothing comes back, ever.
    HangBefore,
    /// It takes effect, and nothing comes back, ever.
    HangAfter,
}

type Decide = dyn Fn(usize, &str) -> Fate + Send + Sync;

/// The wire. Clones share it.
#[derive(Clone)]
pub(crate) struct Wire {
    inner: SharedHttpClient,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where every call goes, whatever service it is for.
    endpoint: String,
    log: Mutex<Vec<String>>,
    decide: Mutex<Arc<Decide>>,
    /// Whether calls of one hop are held until no more come.
    gated: bool,
    arrivals: AtomicUsize,
    hops: AtomicUsize,
    open: Notify,
    hung: Notify,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    /// A wire that lets everything through, to this endpoint.
    pub(crate) fn to(endpoint: &str) -> Self {
        Self::with(endpoint, false)
    }

    /// A wire that holds the calls of one hop until no more come, so that hops can be counted.
    pub(crate) fn counting_hops(endpoint: &str) -> Self {
        let wire = Self::with(endpoint, true);
        tokio::spawn(release(Arc::clone(&wire.shared)));
        wire
    }

    fn with(endpoint: &str, gated: bool) -> Self {
        let shared = Shared {
            endpoint: endpoint.to_owned(),
            log: Mutex::default(),
            decide: Mutex::new(Arc::new(|_, _| Fate::Pass)),
            gated,
            arrivals: AtomicUsize::new(0),
            hops: AtomicUsize::new(0),
            open: Notify::new(),
            hung: Notify::new(),
        };
        Self { inner: Builder::new().build_http(), shared: Arc::new(shared) }
    }

    /// Decides the fate of every call from now on, by its number (from 1) and action.
    pub(crate) fn decide(&self, decide: impl Fn(usize, &str) -> Fate + Send + Sync + 'static) {
        *self.shared.decide.lock().expect("no test panicked") = Arc::new(decide);
    }

    /// The actions called so far, in order, and a fresh start.
    pub(crate) fn take_log(&self) -> Vec<String> {
        self.shared.hops.store(0, Ordering::SeqCst);
        std::mem::take(&mut *self.shared.log.lock().expect("no test panicked"))
    }

    /// How many hops there were: calls that had to wait for an answer to an earlier one.
    pub(crate) fn hops(&self) -> usize {
        self.shared.hops.load(Ordering::SeqCst)
    }

    /// Ends when a call hangs.
    pub(crate) async fn hung(&self) {
        self.shared.hung.notified().await;
    }

    /// As an HTTP client for the SDK.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

/// Opens the gate whenever calls wait and none has come for a while.
async fn release(shared: Arc<Shared>) {
    let mut released = 0;
    loop {
        let before = shared.arrivals.load(Ordering::SeqCst);
        tokio::time::sleep(QUIET).await;
        let now = shared.arrivals.load(Ordering::SeqCst);
        if now == before && now > released {
            released = now;
            shared.hops.fetch_add(1, Ordering::SeqCst);
            shared.open.notify_waiters();
        }
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Tap { inner, shared: Arc::clone(&self.shared) })
    }
}

struct Tap {
    inner: SharedHttpConnector,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl HttpConnector for Tap {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (inner, shared) = (self.inner.clone(), Arc::clone(&self.shared));
        HttpConnectorFuture::new(async move {
            let action = action(&request);
            divert(&mut request, &shared.endpoint);
            let number = {
                let mut log = shared.log.lock().expect("no test panicked");
                log.push(action.clone());
                log.len()
            };
            let decide = Arc::clone(&shared.decide.lock().expect("no test panicked"));
            if shared.gated {
                let opened = shared.open.notified();
                tokio::pin!(opened);
                opened.as_mut().enable();
                shared.arrivals.fetch_add(1, Ordering::SeqCst);
                opened.await;
            }
            match decide(number, &action) {
                Fate::Pass => inner.call(request).await,
                Fate::Throttle => Ok(error(503, "Throttling")),
                Fate::Fail => Ok(error(503, "ServiceUnavailable")),
                Fate::LoseAnswer => {
                    let _ = inner.call(request).await;
                    Err(ConnectorError::io("the answer was lost".into()))
                }
                Fate::HangBefore => hang(&shared).await,
                Fate::HangAfter => {
                    let _ = inner.call(request).await;
                    hang(&shared).await
                }
            }
        })
    }
}

/// Says so, and never ends.
async fn hang(shared: &Shared) -> Result<HttpResponse, ConnectorError> {
    shared.hung.notify_one();
    std::future::pending().await
}

/// An error in the shape that every XML protocol of AWS reads.
fn error(status: u16, code: &str) -> HttpResponse {
    let inner = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>made by the test</Message></Error>");
    let body = format!("<Response><Errors>{inner}</Errors><RequestID>test</RequestID></Response>");
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

/// Leads a request to the endpoint. It still says which host it was meant for: moto tells services apart by it.
fn divert(request: &mut HttpRequest, endpoint: &str) {
    let uri = request.uri().to_owned();
    let host = uri.split('/').nth(2).unwrap_or_default().to_owned();
    request.headers_mut().insert("host", host);
    request.set_uri(format!("{endpoint}{}", path(&uri))).expect("an address is an address");
}

/// The service and action of a request: `ec2:CreateVpc`, `ssm:GetParameters`, `PUT s3 /bucket/key`.
fn action(request: &HttpRequest) -> String {
    let service = request
        .headers()
        .get("authorization")
        .and_then(|header| header.split('/').nth(3))
        .unwrap_or("unsigned")
        .to_owned();
    if let Some(target) = request.headers().get("x-amz-target") {
        return format!("{service}:{}", target.rsplit('.').next().unwrap_or(target));
    }
    let body = request.body().bytes().unwrap_or_default();
    let form = String::from_utf8_lossy(body);
    match form.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        Some(action) => format!("{service}:{action}"),
        None => format!("{service}:{} {}", request.method(), path(request.uri())),
    }
}

/// The path and query of a URI.
fn path(uri: &str) -> String {
    uri.splitn(4, '/').nth(3).map_or_else(|| "/".to_owned(), |path| format!("/{path}"))
}

//! The wire between the SDK and a server: routes every call to moto, counts calls and hops, and injects faults.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Notify;

/// Time without a new call after which a hop is complete. A busy machine sends some calls of a hop late.
const QUIET: Duration = Duration::from_millis(1200);

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireFate {
    /// The call succeeds.
    Pass,
    /// The service throttles the call.
    Throttle,
    /// The service fails without effect.
    Fail,
    /// The call takes effect, and the answer is lost.
    LoseAnswer,
    /// The call never arrives, and no answer ever comes.
    HangBefore,
    /// The call takes effect, and no answer ever comes.
    HangAfter,
    /// The call never arrives, and AWS answers this: what moto never does.
    Answer(CannedAnswer),
}

/// An observed answer of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CannedAnswer {
    pub(crate) status: u16,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: &'static str,
}

type FateRule = dyn Fn(usize, &str) -> WireFate + Send + Sync;

/// The wire. Clones share it.
#[derive(Clone)]
pub(crate) struct TestWire {
    inner: SharedHttpClient,
    shared: Arc<WireState>,
}

struct WireState {
    /// The endpoint of every call, whatever its service.
    endpoint: String,
    log: Mutex<Vec<String>>,
    /// Time before each answer.
    delay: Duration,
    /// The begin and the end of each answered call.
    times: Mutex<Vec<(Instant, Instant)>>,
    decide: Mutex<Arc<FateRule>>,
    /// `true` if calls of one hop are held until no more come.
    gated: bool,
    arrivals: AtomicUsize,
    /// Number of released calls that are answered.
    answered: AtomicUsize,
    hops: AtomicUsize,
    open: Notify,
    hung: Notify,
}

impl std::fmt::Debug for TestWire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl TestWire {
    /// Returns a wire to this endpoint without faults.
    pub(crate) fn to(endpoint: &str) -> Self {
        Self::with(endpoint, false, Duration::ZERO)
    }

    /// Returns a wire on which each answer takes this long.
    pub(crate) fn delayed(endpoint: &str, delay: Duration) -> Self {
        Self::with(endpoint, false, delay)
    }

    /// Returns a wire that holds the calls of one hop until no more come, so that hops can be counted.
    pub(crate) fn counting_hops(endpoint: &str) -> Self {
        let wire = Self::with(endpoint, true, Duration::ZERO);
        tokio::spawn(release(Arc::clone(&wire.shared)));
        wire
    }

    fn with(endpoint: &str, gated: bool, delay: Duration) -> Self {
        let shared = WireState {
            endpoint: endpoint.to_owned(),
            log: Mutex::default(),
            delay,
            times: Mutex::default(),
            decide: Mutex::new(Arc::new(|_, _| WireFate::Pass)),
            gated,
            arrivals: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            hops: AtomicUsize::new(0),
            open: Notify::new(),
            hung: Notify::new(),
        };
        Self { inner: Builder::new().build_http(), shared: Arc::new(shared) }
    }

    /// Sets a function that decides the outcome of every call from now on, by its number (from 1) and action.
    pub(crate) fn decide(&self, decide: impl Fn(usize, &str) -> WireFate + Send + Sync + 'static) {
        *self.shared.decide.lock().expect("no test panicked") = Arc::new(decide);
    }

    /// Returns the actions called so far, in order, and clears the list.
    pub(crate) fn take_log(&self) -> Vec<String> {
        self.shared.hops.store(0, Ordering::SeqCst);
        std::mem::take(&mut *self.shared.log.lock().expect("no test panicked"))
    }

    /// Returns the number of hops: calls that had to wait for an answer to an earlier one.
    pub(crate) fn hops(&self) -> usize {
        self.shared.hops.load(Ordering::SeqCst)
    }

    /// Returns the length of the longest chain of calls since the last time, each of which began after the answer to the one
    /// before it. Two calls that do not need each other are in one chain if they were not made together.
    pub(crate) fn take_chain(&self) -> usize {
        let mut times = std::mem::take(&mut *self.shared.times.lock().expect("no test panicked"));
        times.sort();
        let mut answered: Vec<(Instant, usize)> = Vec::new();
        for (begin, end) in times {
            let before = answered.iter().filter(|(end, _)| *end <= begin).map(|(_, length)| *length).max();
            answered.push((end, before.unwrap_or(0) + 1));
        }
        answered.into_iter().map(|(_, length)| length).max().unwrap_or(0)
    }

    /// Waits until a call hangs.
    pub(crate) async fn hung(&self) {
        self.shared.hung.notified().await;
    }

    /// Returns the wire as an HTTP client for the SDK.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

/// Releases held calls whenever none has arrived for a while and all released ones are answered: a slow answer is followed
/// by calls of the same hop.
async fn release(shared: Arc<WireState>) {
    let mut released = 0;
    loop {
        let before = shared.arrivals.load(Ordering::SeqCst);
        let answered = shared.answered.load(Ordering::SeqCst);
        tokio::time::sleep(QUIET).await;
        let now = shared.arrivals.load(Ordering::SeqCst);
        if now == before && now > released && answered >= released {
            released = now;
            shared.hops.fetch_add(1, Ordering::SeqCst);
            shared.open.notify_waiters();
        }
    }
}

impl HttpClient for TestWire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(WireTap { inner, shared: Arc::clone(&self.shared) })
    }
}

struct WireTap {
    inner: SharedHttpConnector,
    shared: Arc<WireState>,
}

impl std::fmt::Debug for WireTap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl HttpConnector for WireTap {
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
            let begin = Instant::now();
            if !shared.delay.is_zero() {
                tokio::time::sleep(shared.delay).await;
            }
            let decide = Arc::clone(&shared.decide.lock().expect("no test panicked"));
            let _counted = AnswerCount(&shared);
            if shared.gated {
                // The SDK gives up a request whose body is not read for five seconds, and a held one may wait longer.
                let body = std::mem::replace(request.body_mut(), SdkBody::taken());
                let body = ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?;
                *request.body_mut() = SdkBody::from(body.into_bytes());
                let opened = shared.open.notified();
                tokio::pin!(opened);
                opened.as_mut().enable();
                shared.arrivals.fetch_add(1, Ordering::SeqCst);
                opened.await;
            }
            match decide(number, &action) {
                WireFate::Pass => {
                    let answer = inner.call(request).await;
                    shared.times.lock().expect("no test panicked").push((begin, Instant::now()));
                    answer
                }
                WireFate::Throttle => Ok(error(503, "Throttling")),
                WireFate::Fail => Ok(error(503, "ServiceUnavailable")),
                WireFate::LoseAnswer => {
                    let _ = inner.call(request).await;
                    Err(ConnectorError::io("the answer was lost".into()))
                }
                WireFate::Answer(answer) => Ok(answer.response()),
                WireFate::HangBefore => hang(&shared).await,
                WireFate::HangAfter => {
                    let _ = inner.call(request).await;
                    hang(&shared).await
                }
            }
        })
    }
}

impl CannedAnswer {
    fn response(self) -> HttpResponse {
        let status = StatusCode::try_from(self.status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        for (name, value) in self.headers {
            response.headers_mut().insert(*name, *value);
        }
        response
    }
}

/// Counts a call as answered when it ends, also one that its caller drops.
struct AnswerCount<'a>(&'a WireState);

impl Drop for AnswerCount<'_> {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Signals that a call hangs, and never returns.
async fn hang(shared: &WireState) -> Result<HttpResponse, ConnectorError> {
    shared.hung.notify_one();
    std::future::pending().await
}

/// Returns an error in a format that every XML protocol of AWS reads.
fn error(status: u16, code: &str) -> HttpResponse {
    let inner = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>made by the test</Message></Error>");
    let body = format!("<Response><Errors>{inner}</Errors><RequestID>test</RequestID></Response>");
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

/// Sends a request to the endpoint. It keeps the original host: moto distinguishes services by it.
fn divert(request: &mut HttpRequest, endpoint: &str) {
    let uri = request.uri().to_owned();
    let host = uri.split('/').nth(2).unwrap_or_default().to_owned();
    request.headers_mut().insert("host", host);
    request.set_uri(format!("{endpoint}{}", path(&uri))).expect("an address is an address");
}

/// Returns the service and action of a request: `ec2:CreateVpc`, `ssm:GetParameters`, `PUT s3 /bucket/key`.
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

/// Returns the path and query of a URI.
fn path(uri: &str) -> String {
    uri.splitn(4, '/').nth(3).map_or_else(|| "/".to_owned(), |path| format!("/{path}"))
}

//! Records the actions that are called, and answers some of them itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// An HTTP client that records each request: the action, or the method and path where a protocol has none.
#[derive(Debug, Clone)]
pub(in crate::aws) struct RequestRecorder {
    inner: Option<SharedHttpClient>,
    notes: Arc<Mutex<RecordedCalls>>,
}

#[derive(Debug)]
struct RecordingConnector {
    inner: Option<SharedHttpConnector>,
    notes: Arc<Mutex<RecordedCalls>>,
}

#[derive(Debug, Default)]
struct RecordedCalls {
    actions: Vec<String>,
    /// The bodies of the requests of JSON protocols.
    bodies: Vec<String>,
    /// Actions that are refused, each once, with the code of the answer.
    refusals: Vec<(&'static str, &'static str)>,
    /// The answers to actions, and to paths with these endings; the last answer is repeated.
    answers: HashMap<&'static str, VecDeque<String>>,
    /// The answer to every call, before all others.
    reply: Option<CannedReply>,
}

/// An answer in full.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct CannedReply {
    pub(in crate::aws) status: u16,
    pub(in crate::aws) headers: Vec<(&'static str, String)>,
    pub(in crate::aws) body: String,
}

impl CannedReply {
    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status.try_into().unwrap(), SdkBody::from(self.body.clone()));
        for (name, value) in &self.headers {
            response.headers_mut().insert(*name, value.clone());
        }
        response
    }
}

impl RequestRecorder {
    pub(in crate::aws) fn over(inner: SharedHttpClient) -> Self {
        Self { inner: Some(inner), notes: Arc::default() }
    }

    /// Returns a recorder that sends nothing to a server: only the test answers.
    pub(in crate::aws) fn alone() -> Self {
        Self { inner: None, notes: Arc::default() }
    }

    pub(in crate::aws) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Returns the actions since the last call, in alphabetical order: some are called at once.
    pub(in crate::aws) fn take(&self) -> Vec<String> {
        let mut actions = std::mem::take(&mut self.notes.lock().unwrap().actions);
        actions.sort();
        actions
    }

    /// Returns the bodies of the requests of JSON protocols since the last call.
    pub(in crate::aws) fn take_bodies(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap().bodies)
    }

    /// Answers an action, or every path with this ending, with these bodies, one after the other.
    pub(in crate::aws) fn answer(&self, action: &'static str, bodies: impl IntoIterator<Item = String>) {
        self.notes.lock().unwrap().answers.entry(action).or_default().extend(bodies);
    }

    /// Answers every call from now on with this reply; `None` restores the earlier answers.
    pub(in crate::aws) fn reply(&self, reply: Option<CannedReply>) {
        self.notes.lock().unwrap().reply = reply;
    }

    /// Answers the next call of an action with a code that moto does not know.
    pub(in crate::aws) fn refuse(&self, action: &'static str, code: &'static str) {
        self.notes.lock().unwrap().refusals.push((action, code));
    }
}

impl HttpClient for RequestRecorder {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.as_ref().map(|inner| inner.http_connector(settings, components));
        SharedHttpConnector::new(RecordingConnector { inner, notes: Arc::clone(&self.notes) })
    }
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(reply) = &self.notes.lock().unwrap().reply {
            return HttpConnectorFuture::ready(Ok(reply.response()));
        }
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        // JSON protocols name the action in a header: `AmazonSSM.SendCommand`.
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        if let Some(action) = target.or_else(|| body.split('&').find_map(|pair| pair.strip_prefix("Action="))) {
            let mut notes = self.notes.lock().unwrap();
            notes.actions.push(action.to_owned());
            if target.is_some() {
                notes.bodies.push(body.clone().into_owned());
            }
            if let Some(place) = notes.refusals.iter().position(|(refused, _)| *refused == action) {
                let code = notes.refusals.remove(place).1;
                return HttpConnectorFuture::ready(Ok(refusal(code, target.is_some())));
            }
            if let Some(answers) = notes.answers.get_mut(action) {
                return HttpConnectorFuture::ready(Ok(next(answers)));
            }
        } else {
            let path = path(request.uri());
            let mut notes = self.notes.lock().unwrap();
            notes.actions.push(format!("{} {path}", request.method()));
            let name = path.split('?').next().unwrap_or_default();
            if let Some((_, answers)) = notes.answers.iter_mut().find(|(end, _)| name.ends_with(*end)) {
                return HttpConnectorFuture::ready(Ok(next(answers)));
            }
        }
        self.inner.as_ref().unwrap().call(request)
    }
}

/// Returns the next of some answers; the last one is repeated.
fn next(answers: &mut VecDeque<String>) -> HttpResponse {
    let body = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
    HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body.unwrap_or_default()))
}

/// Returns the part of a URI after the host.
fn path(uri: &str) -> String {
    format!("/{}", uri.splitn(4, '/').nth(3).unwrap_or_default())
}

/// Returns an answer in the form of a JSON protocol, or of both EC2 and the services of the query protocol.
fn refusal(code: &str, is_json: bool) -> HttpResponse {
    if is_json {
        let body = format!(r#"{{"__type":"{code}","message":"refused by the test"}}"#);
        return HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body));
    }
    let error = format!("<Error><Code>{code}</Code><Message>refused by the test</Message></Error>");
    let body = format!("<ErrorResponse>{error}<Errors>{error}</Errors><RequestId>r</RequestId></ErrorResponse>");
    HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body))
}

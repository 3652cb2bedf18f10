"""What passes between the cluster and AWS: every call is written down, and a test can make some of them fail."""

import dataclasses
import io
import json
import re
import threading
import urllib.parse
from xml.etree import ElementTree

ERRORS = {
    "query": "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>hosts</RequestID></Response>",
    "rest": '<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>',
    "s3": '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>',
}
S3_ACTIONS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


@dataclasses.dataclass(frozen=True)
class Call:
    """One call: who made it, as what IAM knows it, and what for."""

    source: str
    key: str
    service: str
    action: str
    parameters: dict = dataclasses.field(hash=False)
    resource: str = ""

    def __str__(self):
        return f"{self.service}:{self.action} {self.resource}".strip()


class Wire:
    """A WSGI application around moto. `calls` is the journal; `fail` and `after` step in."""

    def __init__(self, application):
        self.application = application
        self.calls = []
        self.failures = []
        self.away = set()  # addresses that AWS does not answer
        self.listeners = []
        self.lock = threading.Lock()

    def fail(self, action, status, code, times=1, source=None):
        """The next calls of an action fail, those of one address if it is given."""
        with self.lock:
            self.failures.append({"action": action, "status": status, "code": code, "times": times, "source": source})

    def after(self, action, listener):
        """Passes every successful call of an action to a function."""
        self.listeners.append((action, listener))

    def of(self, source, action=None):
        """The calls of one machine, in order."""
        return [call for call in list(self.calls) if call.source == source and action in (None, call.action)]

    def __call__(self, environ, start_response):
        call = read(environ)
        self.calls.append(call)
        failure = self.failure(call)
        if failure:
            return answer_failure(call, failure, start_response)
        status = []

        def start(line, headers, *rest):
            status.append(line)
            return start_response(line, headers, *rest)

        body = list(self.application(environ, start))
        if status[0].startswith("2"):
            for action, listener in self.listeners:
                if action == call.action:
                    listener(call)
        return body

    def failure(self, call):
        if call.source in self.away:
            return {"status": "503 Service Unavailable", "code": "ServiceUnavailable"}
        with self.lock:
            for failure in self.failures:
                if failure["times"] and failure["action"] == call.action and failure["source"] in (None, call.source):
                    failure["times"] -= 1
                    return failure
        return None


def read(environ):
    """The call that a request means."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    signature = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    key, service = signature.groups() if signature else ("", "s3")
    source, method, path = environ["REMOTE_ADDR"], environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if service == "s3":
        return read_s3(source, key, method, path, environ.get("QUERY_STRING", ""))
    if service == "route53":
        zone = re.search(r"/hostedzone/([^/]+)/rrset", path)
        action = {"POST": "ChangeResourceRecordSets", "GET": "ListResourceRecordSets"}[method] if zone else f"{method} {path}"
        parameters = {"changes": changes(body)} if method == "POST" and zone else {}
        return Call(source, key, service, action, parameters, f"arn:aws:route53:::hostedzone/{zone[1]}" if zone else "")
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Call(source, key, service, target.rpartition(".")[2], json.loads(body or b"{}"))
    parameters = dict(urllib.parse.parse_qsl(body.decode()))
    return Call(source, key, service, parameters.get("Action", f"{method} {path}"), parameters)


def changes(body):
    """The changes of a request for records: each with its action, and its type and name as IAM compares them."""
    return [
        {
            "action": change.findtext("{*}Action"),
            "type": change.findtext("{*}ResourceRecordSet/{*}Type"),
            "name": change.findtext("{*}ResourceRecordSet/{*}Name").rstrip(".").lower(),
        }
        for change in ElementTree.fromstring(body).findall(".//{*}Change")
    ]


def read_s3(source, key, method, path, query):
    bucket, _, name = path.lstrip("/").partition("/")
    parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if name:
        version = "Version" if "versionId" in parameters else ""
        return Call(source, key, "s3", S3_ACTIONS.get(method, method) + version, parameters, f"arn:aws:s3:::{bucket}/{name}")
    action = "ListBucketVersions" if "versions" in parameters else "ListBucket"
    return Call(source, key, "s3", action if method in ("GET", "HEAD") else method, parameters, f"arn:aws:s3:::{bucket}")


def answer_failure(call, failure, start_response):
    kind = {"s3": "s3", "route53": "rest"}.get(call.service, "query")
    body = ERRORS[kind].format(code=failure["code"], message="a test asked for it").encode()
    start_response(failure["status"], [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
    return [body]

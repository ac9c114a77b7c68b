"""What the tests of webhooks share: a receiver on loopback that checks every request by itself, and a
tenant with an officer whose events enter the log as the services write them."""

import base64
import functools
import hashlib
import hmac
import http.server
import itertools
import json
import threading
import time
import urllib.parse
import uuid

import nacl.exceptions
import nacl.signing
import psycopg2.extras
from samverka_client import Problem, Rpc, Web, uuid7, wait_for

PASSWORD = "en lång lösenfras för webhooks"
NUMBERS = itertools.count(1)
TYPE = "org.samverka.need.published.v1"
PINGS = ("org.samverka.webhook.verify.v1", "org.samverka.webhook.test.v1")


class BadSignature(Exception):
    pass


def symmetric_ok(secret, message, signature):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(made, signature)


def asymmetric_ok(public, message, signature):
    key = nacl.signing.VerifyKey(base64.b64decode(public.removeprefix("whpk_")))
    try:
        key.verify(message, base64.b64decode(signature))
        return True
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False


def verify(headers, body, secret=None, public=None, now=None):
    """Standard Webhooks 1.0.0 as a stranger reads it: raises BadSignature."""
    identity, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    if "." in identity or abs((now or time.time()) - int(stamp)) > 300:
        raise BadSignature("id or time")
    message = f"{identity}.{stamp}.".encode() + body
    for part in headers["webhook-signature"].split(" "):
        version, _, signature = part.partition(",")
        if version == "v1" and secret and symmetric_ok(secret, message, signature):
            return
        if version == "v1a" and public and asymmetric_ok(public, message, signature):
            return
    raise BadSignature("no signature fits")


class Request:
    def __init__(self, handler, body):
        self.path = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = body
        self.at = time.monotonic()
        self.status = None

    @property
    def id(self):
        return self.headers["webhook-id"]

    @functools.cached_property
    def events(self):
        """The events as JSON, whatever the mode."""
        kind = self.headers.get("content-type", "").split(";")[0]
        if kind == "application/cloudevents-batch+json":
            return json.loads(self.body)
        if kind == "application/cloudevents+json":
            return [json.loads(self.body)]
        event = {name[3:]: urllib.parse.unquote(value)
                 for name, value in self.headers.items() if name.startswith("ce-")}
        if self.body:
            event["data"] = json.loads(self.body)
            event["datacontenttype"] = kind
        return [event]


class Receiver:
    """Answers 204, or what `answer(request)` says: a status, (status, headers), or None to cut the
    connection."""

    def __init__(self):
        self.requests = []
        self.accepted = {}  # path: events without pings, in the order of their requests
        self.lock = threading.Lock()
        self.answer = lambda request: 204
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.take(self, Request(self, body))

            def do_GET(self):
                outer.take(self, Request(self, b""))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a connection that the test cut

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, handler, request):
        with self.lock:
            self.requests.append(request)
        answer = self.answer(request)
        if answer is None:
            handler.close_connection = True
            handler.connection.close()
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        request.status = status
        if status < 300:
            with self.lock:
                self.accepted.setdefault(request.path, []).extend(
                    event for event in request.events if event["type"] not in PINGS)
        handler.send_response(status)
        content = headers.pop("body", b"")
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if content:
            handler.wfile.write(content)

    def at(self, path):
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def events_at(self, path):
        """The events that were accepted, in the order of their requests; without pings."""
        with self.lock:
            return list(self.accepted.get(path, []))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Place:
    """A cluster, a receiver, and officers of two tenants."""

    def __init__(self, cluster, contract):
        self.cluster = cluster
        self.contract = contract
        self.receiver = Receiver()
        self.operator = Rpc(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
        self.tenants = [self._tenant(), self._tenant()]
        self.tenant = self.tenants[0]
        self.officer, self.address = self.person(self.tenants[0])
        self.other, _ = self.person(self.tenants[1])

    def close(self):
        self.operator.close()
        self.receiver.stop()

    def call(self, method, fields, **options):
        def attempt():
            try:
                return self.operator.call(method, fields, deadline_ms=5000, **options)
            except Exception as error:  # noqa: BLE001
                if getattr(error, "code", "") not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    raise
                return None
        return wait_for(attempt, 30, method)

    def _tenant(self):
        slug = f"hooks-{uuid.uuid4().hex[:12]}"
        return self.call("registry.v1.Tenants/CreateTenant",
                         {"slug": slug, "name": f"Skolan {slug}",
                          "locale": "sv"})["tenant"]["tenantId"]

    def person(self, tenant, role="PARTNERSHIP_OFFICER", language="sv"):
        email = f"hooks.{next(NUMBERS)}.{uuid.uuid4().hex[:8]}@samverka.example"
        self.call("registry.v1.Accounts/CreateAccount",
                  {"email": email, "displayName": "Åsa Öström", "password": PASSWORD,
                   "language": language, "roles": [role]}, tenant=tenant)
        web = Web(self.cluster.url)
        web.sign_in(email, PASSWORD, tenant)
        return web, email

    # webhooks

    def path(self):
        return f"/hook/{next(NUMBERS)}"

    def create(self, path, web=None, **fields):
        """A webhook to the receiver's path: (webhook, secret)."""
        made = (web or self.officer).post("/v1/webhooks",
                                          {"url": self.receiver.url + path, **fields})
        return made["webhook"], made["secret"]

    def active(self, path=None, web=None, **fields):
        """One that is verified: (path, webhook, secret)."""
        path = path or self.path()
        webhook, secret = self.create(path, web, **fields)
        webhook = self.await_state(webhook, "WEBHOOK_ACTIVE", web)
        return path, webhook, secret

    def get(self, webhook, web=None):
        return (web or self.officer).get(f"/v1/webhooks/{webhook['webhookId']}")["webhook"]

    def await_state(self, webhook, state, web=None, deadline_s=30):
        def there():
            now = self.get(webhook, web)
            return now if now["state"] == state else None
        return wait_for(there, deadline_s, f"the webhook to be {state}")

    def update(self, webhook, web=None, **fields):
        version = self.get(webhook, web)["version"]
        return (web or self.officer).patch(f"/v1/webhooks/{webhook['webhookId']}", fields,
                                           version)["webhook"]

    def delete(self, webhook, web=None):
        version = self.get(webhook, web)["version"]
        (web or self.officer).request("DELETE", f"/v1/webhooks/{webhook['webhookId']}",
                                      etag=version)

    def deliveries(self, webhook, query="", web=None):
        return (web or self.officer).get(
            f"/v1/webhooks/{webhook['webhookId']}/deliveries?pageSize=200{query}")["deliveries"]

    def clear(self):
        """No webhook is left, and nothing of this test comes to the next."""
        self.receiver.answer = lambda request: 204
        for web in (self.officer, self.other):
            for webhook in web.get("/v1/webhooks").get("webhooks", []):
                try:
                    self.delete(webhook, web)
                except Problem as problem:
                    if problem.status != 412:
                        raise
                    self.delete(webhook, web)
        with self.receiver.lock:
            self.receiver.requests.clear()
            self.receiver.accepted.clear()

    # events

    def emit(self, count=1, tenant=None, key=None, audience=None, type_=TYPE, **attributes):
        """Facts as a service writes them; gives their ids in the order of the log."""
        tenant = tenant or self.tenant
        rows, ids = [], []
        for number in range(count):
            event = self._event(tenant, key(number) if callable(key) else key, audience, type_)
            event.proto_data.Pack(self._data(number))
            for name, value in attributes.items():
                event.attributes[name].ce_string = value
            ids.append(event.id)
            rows.append((tenant, audience == "internal", event.SerializeToString()))
        connection = self.cluster.postgres.connect("samverka", "postgres")
        try:
            with connection.cursor() as cursor:
                psycopg2.extras.execute_values(
                    cursor, "INSERT INTO events.outbox (tenant_id, internal, event) VALUES %s",
                    rows, page_size=500)
        finally:
            connection.close()
        return ids

    def execute(self, sql, *values):
        connection = self.cluster.postgres.connect("samverka", "postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _data(self, number):
        data = self.contract.message("registry.v1.NeedPublished")()
        data.need_id = f"0193a000-0000-7000-8000-{number:012x}"
        return data

    def _event(self, tenant, key, audience, type_):
        event = self.contract.message("io.cloudevents.v1.CloudEvent")()
        event.id = uuid7()
        event.source = f"/samverka/tenants/{tenant}"
        event.spec_version = "1.0"
        event.type = type_
        subject = str(uuid.uuid4())
        for name, value in (("subject", subject), ("partitionkey", key or subject),
                            ("tenantid", tenant), ("audience", audience or tenant),
                            ("datacontenttype", "application/protobuf")):
            event.attributes[name].ce_string = value
        event.attributes["time"].ce_timestamp.GetCurrentTime()
        return event

    def await_events(self, path, ids, deadline_s=60):
        """All of them have been accepted at the path; gives them in the order they came."""
        wanted = set(ids)

        def there():
            return wanted <= {event["id"] for event in self.receiver.events_at(path)}
        wait_for(there, deadline_s, f"{len(ids)} events at {path}")
        return [event for event in self.receiver.events_at(path) if event["id"] in wanted]

"""A stranger's clients: made from proto/ with stock protoc and from docs/protocol.md, nothing else.

    contract = Contract()                      messages and methods by name
    rpc = Rpc(contract, endpoint, keys)        one service over ZeroMQ with CURVE
    web = Web(cluster.url)                     the REST interface, with a session of its own
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid

import zmq
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Contract:
    """The contract as stock protoc reads it; messages are made from its descriptors, because a
    Python package named "io" (of io.cloudevents) would hide behind Python's own."""

    def __init__(self):
        proto = ROOT / "proto"
        files = sorted(str(p.relative_to(proto)) for p in proto.rglob("*.proto"))
        with tempfile.TemporaryDirectory(prefix="samverka-contract-") as folder:
            out = pathlib.Path(folder) / "contract.desc"
            subprocess.run(["protoc", f"-I{proto}", "--include_imports",
                            f"--descriptor_set_out={out}", *files], check=True)
            found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in found.file:
            self.pool.Add(file)
        self._factory = message_factory.MessageFactory(self.pool)
        self._services = [f"{file.package}.{service.name}" for file in found.file
                          for service in file.service]

    def services(self):
        """The full names of all services of the contract."""
        return list(self._services)

    def message(self, full_name):
        return self._factory.GetPrototype(self.pool.FindMessageTypeByName(full_name))

    def method(self, name):
        """"registry.v1.Needs/GetNeed" -> request and reply classes."""
        service, method = name.split("/")
        found = self.pool.FindServiceByName(service).FindMethodByName(method)
        return self.message(found.input_type.full_name), self.message(found.output_type.full_name)


class RpcError(Exception):
    def __init__(self, head, code):
        super().__init__(f"{code}: {head.field}: {head.detail}")
        self.head = head
        self.code = code
        self.field = head.field


def uuid7():
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xf << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=value))


def read_key(folder, name, suffix):
    return (pathlib.Path(folder) / f"{name}{suffix}").read_bytes().strip()


class Rpc:
    """Calls one service.  `keys` is a folder of key files, `server` the service's name there."""

    def __init__(self, contract, endpoint, keys=None, server=None, name="operator", tenant="",
                 roles=("OPERATOR",)):
        self.contract = contract
        self.tenant = tenant
        self.roles = roles
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        if keys:
            self.socket.curve_serverkey = read_key(keys, server, ".pub")
            self.socket.curve_publickey = read_key(keys, name, ".pub")
            self.socket.curve_secretkey = read_key(keys, name, ".key")
        self.socket.connect(endpoint)

    def close(self):
        self.socket.close()

    def head(self, method, key=None, deadline_ms=10000, **more):
        envelope = self.contract.message("wire.v1.RequestHead")()
        envelope.id = uuid7()
        envelope.method = method
        envelope.attempt = 1
        envelope.remaining_ms = deadline_ms
        envelope.idempotency_key = key or str(uuid.uuid4())
        envelope.language = more.get("language", "en")
        role = self.contract.pool.FindEnumTypeByName("wire.v1.Role").values_by_name
        envelope.principal.kind = 1
        envelope.principal.subject_id = more.get("subject", "00000000-0000-7000-8000-000000000001")
        envelope.principal.tenant_id = more.get("tenant", self.tenant)
        envelope.principal.person_id = more.get("person", "")
        envelope.principal.roles.extend(role[name].number for name in more.get("roles", self.roles))
        return envelope

    def call(self, method, fields=None, **options):
        request_class, reply_class = self.contract.method(method)
        request = json_format.ParseDict(fields or {}, request_class())
        head = self.head(method, **options)
        head.body = request.SerializeToString()
        self.socket.send(head.SerializeToString())
        if not self.socket.poll(head.remaining_ms + 1000):
            raise TimeoutError(method)
        answer = self.contract.message("wire.v1.ReplyHead").FromString(self.socket.recv())
        assert answer.id == head.id
        code = self.contract.pool.FindEnumTypeByName("wire.v1.Code").values_by_number[answer.code]
        if code.number:
            raise RpcError(answer, code.name)
        return json_format.MessageToDict(reply_class.FromString(answer.body),
                                         including_default_value_fields=True)


class Problem(Exception):
    """A problem document (RFC 9457)."""

    def __init__(self, status, document, headers):
        super().__init__(f"{status}: {document}")
        self.status = status
        self.document = document
        self.headers = headers
        self.code = document.get("code")


class Web:
    """REST with a session cookie or a bearer token.  A request that finds a part of the cluster
    away, or its outcome unknown, is repeated with its key until `patience` is over."""

    def __init__(self, url, token=None, language="en", patience=30):
        self.url = url
        self.token = token
        self.language = language
        self.patience = patience
        self.cookie = None
        self.answer = None  # headers of the last answer

    def sign_in(self, email, password, tenant=""):
        body = self.post("/v1/session",
                         {"email": email, "password": password, "tenant": tenant})
        self.cookie = self.answer["Set-Cookie"].split(";")[0]
        return body

    def request(self, method, path, body=None, etag=None, key=None, raw=None):
        headers = {"Accept-Language": self.language}
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        if method != "GET":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if etag is not None:
            headers["If-Match"] = f'"{etag}"'
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = self.cookie
        until = time.monotonic() + self.patience
        while True:
            try:
                return self._once(method, path, data, headers)
            except Problem as problem:
                if problem.status not in (503, 504, 429) or time.monotonic() > until:
                    raise
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if time.monotonic() > until:
                    raise
            wait_a_little()

    def _once(self, method, path, data, headers):
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.answer = answer.headers
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            document = {}
            if "json" in error.headers.get("Content-Type", ""):
                document = json.loads(text)
            raise Problem(error.code, document, error.headers) from None

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body if body is not None else {}, **options)

    def patch(self, path, body, etag):
        return self.request("PATCH", path, body, etag=etag)

    def put(self, path, body, etag):
        return self.request("PUT", path, body, etag=etag)


def wait_a_little():
    """Between two looks at a condition that has a deadline."""
    time.sleep(0.05)


def wait_for(condition, deadline_s, what):
    """The condition's first true value."""
    until = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"waited {deadline_s} s for {what}"
        wait_a_little()

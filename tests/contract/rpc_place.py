"""What the tests of ZeroMQ share: raw frames to a live service, and a tenant of their own."""

import itertools
import time
import uuid

import pytest
import zmq
from samverka_client import Contract, Rpc, read_key

NUMBERS = itertools.count(1)
PING = "wire.v1.Admin/Ping"
PATIENCE_MS = 10000


class Wire:
    """A DEALER that sends what it is told, right or wrong."""

    def __init__(self, contract, endpoint, keys=None, server=None, name="operator", pair=None):
        self.contract = contract
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        if keys:
            self.socket.curve_serverkey = read_key(keys, server, ".pub")
            public, secret = pair or (read_key(keys, name, ".pub"), read_key(keys, name, ".key"))
            self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.connect(endpoint)
        self.maker = Rpc.__new__(Rpc)  # its heads, without its socket
        self.maker.contract, self.maker.tenant, self.maker.roles = contract, "", ("OPERATOR",)

    def close(self):
        self.socket.close()

    def head(self, method=PING, body=b"", **options):
        head = self.maker.head(method, **options)
        head.body = body
        return head

    def send(self, *parts):
        self.socket.send_multipart([part if isinstance(part, bytes) else part.SerializeToString()
                                    for part in parts])

    def receive(self, timeout_ms=PATIENCE_MS):
        """The next answer, or None."""
        if not self.socket.poll(timeout_ms):
            return None
        return self.contract.message("wire.v1.ReplyHead").FromString(self.socket.recv())

    def ask(self, head):
        """The answer to this head; others that come first are a mistake."""
        self.send(head)
        answer = self.receive()
        assert answer is not None, "no answer"
        assert answer.id == head.id
        return answer

    def code(self, answer):
        names = self.contract.pool.FindEnumTypeByName("wire.v1.Code").values_by_number
        return names[answer.code].name

    def refused(self, head, code, field=""):
        """Asks, and expects this refusal naming this field and a reason."""
        answer = self.ask(head)
        assert (self.code(answer), answer.field) == (code, field), answer
        assert answer.detail
        return answer

    def silent(self, *parts):
        """Sends what gets no answer.  The service answers a ping that comes after it, and nothing
        before: it has read what was sent, and lives."""
        self.send(*parts)
        self.alive()

    def alive(self):
        payload = uuid.uuid4().bytes
        request, reply = self.contract.method(PING)
        answer = self.ask(self.head(body=request(payload=payload).SerializeToString()))
        assert answer.code == 0
        assert reply.FromString(answer.body).payload == payload


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture
def wire(cluster, contract):
    """The operator's line to registry."""
    made = Wire(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def operator(cluster, contract):
    rpc = Rpc(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
    try:
        yield rpc
    finally:
        rpc.close()


@pytest.fixture
def tenant(operator):
    return add_tenant(operator)


def add_tenant(operator):
    slug = f"prov-{time.time_ns():x}-{next(NUMBERS)}"
    return operator.call("registry.v1.Tenants/CreateTenant",
                         {"slug": slug, "name": "Provhögskolan", "locale": "sv"})["tenant"]["tenantId"]


def organisation(name):
    return {"names": [{"lang": "sv", "value": name}], "type": "COMPANY", "country": "SE",
            "nuts": "SE312", "ownership": "PRIVATE_OWNED"}

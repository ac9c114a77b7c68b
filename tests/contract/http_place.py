"""What the tests of HTTP share: browsers that check every problem, and tenants with people."""

import http.client
import itertools
import json
import re
import urllib.parse
import uuid

import conftest
import pytest
from samverka_client import Contract, Rpc, RpcError, wait_for

PASSWORD = "en lång lösenfras för prov"
NUMBERS = itertools.count(1)
SEEN = set()  # (method, path, status): compared with the OpenAPI document at the end


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:600]!r}"


class Browser:
    """One connection at a time; remembers a credential."""

    def __init__(self, url, cookie=None, token=None):
        self.host = urllib.parse.urlsplit(url).netloc
        self.cookie = cookie
        self.token = token

    def ask(self, method, path, body=None, key="new", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if method == "POST" and key == "new":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        elif key not in ("new", None):
            headers["Idempotency-Key"] = key
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body,
                               {name: value for name, value in headers.items() if value is not None})
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        SEEN.add((method, path.split("?")[0], answer.status))
        if answer.status >= 400:
            check_problem(answer)
        return answer

    def sign_in(self, email, tenant):
        answer = self.ask("POST", "/v1/session",
                          {"email": email, "password": PASSWORD, "tenant": tenant}, key=None)
        assert answer.status == 201, answer
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return answer


def check_problem(answer):
    """Every error is an RFC 9457 document that says what it means."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    document = answer.json
    assert document["status"] == answer.status
    assert document["type"].endswith("/problems/" + document["code"].lower())
    assert document["title"] and document["detail"] and document["instance"].startswith("/")
    assert re.fullmatch("[0-9a-f]{32}", document["trace_id"])
    assert document["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


class Place:
    """Two tenants, their officers, a student and a system, in one cluster."""

    def __init__(self, cluster, contract):
        self.cluster = cluster
        self.operator = Rpc(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
        self.tenants = [self._tenant(), self._tenant()]
        self.tenant = self.tenants[0]
        self.officer = self.person("PARTNERSHIP_OFFICER")
        self.other = self.person("PARTNERSHIP_OFFICER", tenant=self.tenants[1])
        self.student = self.person("STUDENT")
        self.nobody = Browser(cluster.url)

    def call(self, method, fields, **options):
        return wait_for(lambda: self._try(method, fields, options), 30, method)

    def _try(self, method, fields, options):
        try:
            return self.operator.call(method, fields, deadline_ms=5000, **options)
        except RpcError as error:
            if error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                raise
            return None

    def _tenant(self):
        slug = f"prov-{uuid.uuid4().hex[:12]}"
        made = self.call("registry.v1.Tenants/CreateTenant",
                         {"slug": slug, "name": f"Provskolan {slug}", "locale": "sv"})
        return made["tenant"]["tenantId"]

    def person(self, *roles, tenant=None):
        tenant = tenant or self.tenant
        email = f"person.{next(NUMBERS)}.{uuid.uuid4().hex[:8]}@samverka.example"
        self.call("registry.v1.Accounts/CreateAccount",
                  {"email": email, "displayName": "Pröva Prövare", "password": PASSWORD,
                   "language": "sv", "roles": list(roles)}, tenant=tenant)
        browser = Browser(self.cluster.url)
        browser.email = email
        browser.sign_in(email, tenant)
        return browser

    def organisation(self, name="Provbolaget AB", browser=None):
        answer = (browser or self.officer).ask("POST", "/v1/organisations", organisation(name))
        assert answer.status == 201, answer
        return answer


def organisation(name):
    return {"names": [{"lang": "sv", "value": f"{name} {next(NUMBERS)}"}], "type": "COMPANY",
            "ownership": "PRIVATE_OWNED", "country": "SE", "nuts": "SE312"}


def try_tenants(place):
    """Whether the gateway and registry answer; False while a connection is refused."""
    try:
        return place.nobody.ask("GET", "/v1/tenants").status == 200
    except (ConnectionError, http.client.HTTPException):
        return False


NARROW = {"http_timeout_ms": "1000", "http_connections_per_address": "40",
          "stream_ring_bytes": "65536", "rate_per_second": "50", "rate_burst": "200",
          "sign_ins_per_minute": "30"}


@pytest.fixture(scope="module")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def place(cluster, contract):  # noqa: F811
    return Place(cluster, contract)


@pytest.fixture(scope="module")
def strict(build_folder, contract):  # noqa: F811
    """A cluster with narrow limits, to see them at work."""
    made = conftest.Clusters(build_folder)
    try:
        yield Place(made.make(extra={"gateway": NARROW}), contract)
    finally:
        made.end()

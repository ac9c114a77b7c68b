"""HTTP as a stranger meets it: a real cluster, the standard library, sockets where it must be rude."""

import http.client
import itertools
import json
import pathlib
import re
import socket
import sys
import threading
import time
import urllib.parse
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from samverka_client import Contract, Rpc, RpcError, wait_for  # noqa: E402

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


@pytest.fixture(scope="module")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def place(cluster, contract):
    return Place(cluster, contract)


@pytest.fixture(scope="module")
def strict(build_folder, contract):
    """A cluster with narrow limits, to see them at work."""
    import conftest
    made = conftest.Clusters(build_folder)
    try:
        narrow = {"http_timeout_ms": "1000", "http_connections_per_address": "40",
                  "stream_ring_bytes": "65536", "rate_per_second": "50", "rate_burst": "200",
                  "sign_ins_per_minute": "30"}
        yield Place(made.make(extra={"gateway": narrow}), contract)
    finally:
        made.end()


# Resources


def test_what_is_made_has_a_place_and_a_version_and_can_be_read_there(place):
    made = place.organisation()
    resource = made.json["organisation"]
    assert made.headers["Location"] == f"/v1/organisations/{resource['organisationId']}"
    assert made.headers["ETag"] == f'"{resource["version"]}"'
    read = place.officer.ask("GET", made.headers["Location"])
    assert read.status == 200
    assert read.json["organisation"] == resource
    assert read.headers["ETag"] == made.headers["ETag"]


def test_the_same_key_gives_the_first_answer_and_one_effect(place):
    body, key = organisation("En gång AB"), str(uuid.uuid4())
    first = place.officer.ask("POST", "/v1/organisations", body, key=key)
    again = place.officer.ask("POST", "/v1/organisations", body, key=key)
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    other = place.officer.ask("POST", "/v1/organisations", organisation("En annan AB"), key=key)
    assert (other.status, other.json["code"]) == (422, "KEY_REUSED")


def test_a_post_that_writes_needs_a_key_and_is_told_so(place):
    answer = place.officer.ask("POST", "/v1/organisations", organisation("x"), key=None)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_ARGUMENT")
    assert "Idempotency-Key" in answer.json["errors"][0]["pointer"]
    for bad in ("with space", "x" * 129, "å"):
        answer = place.officer.ask("POST", "/v1/organisations", organisation("x"),
                                   key=bad.encode().decode("latin-1"))
        assert answer.status == 400, bad


def test_a_patch_changes_the_named_fields_of_the_named_version(place):
    made = place.organisation()
    path, before = made.headers["Location"], made.json["organisation"]
    changed = place.officer.ask("PATCH", path, {"website": "https://prov.example"},
                                If_Match=made.headers["ETag"])
    assert changed.status == 200, changed
    after = changed.json["organisation"]
    assert after["website"] == "https://prov.example"
    assert after["names"] == before["names"] and after["nuts"] == before["nuts"]
    assert int(after["version"]) == int(before["version"]) + 1
    assert place.officer.ask("GET", path).json["organisation"] == after

    late = place.officer.ask("PATCH", path, {"website": ""}, If_Match=made.headers["ETag"])
    assert (late.status, late.json["code"]) == (412, "VERSION_MISMATCH")
    blind = place.officer.ask("PATCH", path, {"website": ""})
    assert (blind.status, blind.json["code"]) == (428, "PRECONDITION_REQUIRED")
    for tag in ("*", 'W/"1"', '"x"', "1", '""', '"0"'):
        assert place.officer.ask("PATCH", path, {"website": ""}, If_Match=tag).status == 412, tag


def test_a_body_must_not_say_what_path_and_headers_say(place):
    made = place.organisation()
    for field in ("organisationId", "organisation_id", "expectedVersion", "updateFields"):
        answer = place.officer.ask("PATCH", made.headers["Location"], {field: "1"},
                                   If_Match=made.headers["ETag"])
        assert answer.status == 400
        assert answer.json["errors"][0]["pointer"] == f"/{field}"


def test_an_unchanged_answer_is_not_sent_again(place):
    made = place.organisation()
    for path in (made.headers["Location"], "/v1/organisations?limit=3", "/v1/tenants"):
        first = place.officer.ask("GET", path)
        again = place.officer.ask("GET", path, If_None_Match=first.headers["ETag"])
        assert (again.status, again.text) == (304, b""), path
        listed = place.officer.ask("GET", path, If_None_Match=f'"x", W/{first.headers["ETag"]}')
        assert listed.status == 304
        assert place.officer.ask("GET", path, If_None_Match='"other"').status == 200


def test_head_has_the_headers_of_get_and_no_body(place):
    made = place.organisation()
    answer = place.officer.ask("HEAD", made.headers["Location"])
    assert (answer.status, answer.text) == (200, b"")
    assert answer.headers["ETag"] == made.headers["ETag"]


def test_a_list_is_walked_by_its_links(place):
    names = {place.organisation("Sidobolag").json["organisation"]["organisationId"]
             for _ in range(5)}
    path, found, pages = "/v1/organisations?limit=2&name=Sidobolag", [], 0
    while path:
        page = place.officer.ask("GET", path)
        assert page.status == 200, page
        assert 'rel="first"' in page.headers["Link"]
        found += [one["organisationId"] for one in page.json["organisations"]]
        following = re.search(r'<([^>]+)>; rel="next"', page.headers["Link"])
        path = following[1] if following else None
        pages += 1
    assert len(found) == len(set(found)) and names <= set(found)
    assert pages >= 3
    for wrong in ("limit=0", "limit=201", "limit=x", "limit=", "cursor=abc", "nope=1",
                  "type=NOPE", "organisation.id=1"):
        answer = place.officer.ask("GET", f"/v1/organisations?{wrong}")
        assert answer.status == 400, wrong
        assert answer.json["errors"], wrong


def test_a_path_may_hold_an_encoded_slash(place):
    uri = "https://samverka.example/concept/a%25b?c=d"
    place.call("registry.v1.Concepts/ImportConcepts",
               {"vocabulary": "http", "vocabularyVersion": "1",
                "concepts": [{"uri": uri, "kind": "SKILL",
                              "labels": [{"lang": "sv", "value": "slask"}]}]},
               tenant=place.tenant)
    answer = place.nobody.ask("GET", "/v1/concepts/" + urllib.parse.quote(uri, safe=""))
    assert answer.status == 200 and answer.json["concept"]["uri"] == uri
    for wrong in ("/v1/concepts/%", "/v1/concepts/%zz", "/v1/concepts/%00", "/v1/concepts/%ff"):
        assert place.nobody.ask("GET", wrong).status == 400, wrong


# Bad input


BROKEN = [
    (b"{", ""), (b"", ""), (b"[]", ""), (b"null", ""), (b'{"names":[]} x', ""),
    (b'{"names":[],"names":[]}', "/names"), (b'{"nope":1}', "/nope"),
    (b'{"names":[{"lang":"sv","value":7}]}', "/names/0/value"),
    (b'{"names":[{"lang":"sv","colour":""}]}', "/names/0/colour"),
    (b'{"type":"PLANET"}', "/type"), (b'{"headcount":-1}', "/headcount"),
    (b'{"headcount":1e99}', "/headcount"), (b'{"turnoverEur":"18446744073709551616"}',
                                           "/turnoverEur"),
    (b'{"country":"\xff"}', "/country"), (b'{"country":"\\u0000"}', "/country"),
    (b'{"competitiveMarket":"yes"}', "/competitiveMarket"), (b'{"headcount":NaN}', "/headcount"),
]


@pytest.mark.parametrize("body,pointer", BROKEN)
def test_a_broken_body_is_refused_at_its_place(place, body, pointer):
    answer = place.officer.ask("POST", "/v1/organisations", body or b" ")
    assert (answer.status, answer.json["code"]) == (400, "INVALID_ARGUMENT")
    assert answer.json["errors"] == [{"pointer": pointer, "detail": answer.json["detail"]}]


def test_a_refusal_of_the_service_names_the_field_as_a_pointer(place):
    body = organisation("x")
    body["country"] = "Sverige"
    answer = place.officer.ask("POST", "/v1/organisations", body)
    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == "/country"


def test_a_body_of_300_kb_is_refused_and_one_of_256_kib_is_read(place):
    large = json.dumps({"names": [{"lang": "sv", "value": "x" * 300_000}]}).encode()
    answer = place.officer.ask("POST", "/v1/organisations", large)
    assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")
    largest = b'{"nope":1' + b" " * (256 * 1024 - 10) + b"}"
    answer = place.officer.ask("POST", "/v1/organisations", largest)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/nope")


def test_a_chunked_body_is_limited_too(place):
    connection = http.client.HTTPConnection(place.officer.host, timeout=20)
    headers = {"Content-Type": "application/json", "Cookie": place.officer.cookie,
               "Idempotency-Key": "chunked", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/v1/organisations", (b"x" * 10_000 for _ in range(30)), headers,
                       encode_chunked=True)
    answer = Answer(connection.getresponse())
    assert answer.status == 413
    check_problem(answer)


def test_a_declared_gigabyte_is_not_waited_for(place):
    with socket.create_connection(place.officer.host.split(":"), timeout=10) as connection:
        connection.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\n"
                           b"Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_must_say_that_it_is_json(place):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/jsonx"):
        answer = place.officer.ask("POST", "/v1/organisations", b"{}", Content_Type=kind)
        assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE"), kind
    answer = place.officer.ask("POST", "/v1/organisations", organisation("Teckenkod AB"),
                               Content_Type="application/json; charset=utf-8")
    assert answer.status == 201


def test_paths_and_methods_that_do_not_exist_are_told_apart(place):
    answer = place.nobody.ask("GET", "/v1/nope")
    assert (answer.status, answer.json["code"]) == (404, "UNIMPLEMENTED")
    answer = place.nobody.ask("DELETE", "/v1/organisations")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
    answer = place.nobody.ask("OPTIONS", "/v1/organisations")
    assert (answer.status, answer.headers["Allow"]) == (204, "GET, POST")
    missing = f"/v1/organisations/{uuid.uuid4()}"
    answer = place.officer.ask("GET", missing)
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert place.officer.ask("GET", "/v1/organisations/not-an-id").status in (400, 404)


RUDE = [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /v1/tenants HTTP/1.1\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Many: y\r\n" * 10_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 20_000 + b"\r\n\r\n",
    b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", b"GET / HTTP/1.1\nHost: x\n\n",
]


@pytest.mark.parametrize("number", range(len(RUDE)))
def test_rude_bytes_get_an_error_and_harm_nobody(place, number):
    with socket.create_connection(place.nobody.host.split(":"), timeout=3) as connection:
        try:
            connection.sendall(RUDE[number])
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(64)
        except OSError:
            answer = b""  # cut off
    assert not answer or re.match(rb"HTTP/1\.[01] [2-5]\d\d ", answer)
    assert not answer.startswith(b"HTTP/1.1 5") or answer.startswith(b"HTTP/1.1 505")
    assert place.nobody.ask("GET", "/v1/tenants").status == 200


def test_a_slow_client_is_cut_off_and_others_are_served(strict):
    address = strict.nobody.host.split(":")
    slow = [socket.create_connection(address, timeout=20) for _ in range(10)]
    for connection in slow[:5]:
        connection.sendall(b"GET /v1/tenants HTTP/1.1\r\nHost: x\r\nX-Slo")
    for connection in slow[5:]:
        connection.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
                           b"Content-Type: application/json\r\n\r\n{")
    assert strict.nobody.ask("GET", "/v1/tenants").status == 200
    started = time.monotonic()
    for connection in slow:
        while connection.recv(4096):
            pass
        connection.close()
    assert time.monotonic() - started < 10


def test_one_address_cannot_take_all_connections(strict):
    address = strict.nobody.host.split(":")
    held = [socket.create_connection(address, timeout=5) for _ in range(60)]
    try:
        refused = 0
        for connection in held:
            try:
                connection.sendall(b"GET /v1/tenants HTTP/1.1\r\nHost: x\r\n\r\n")
                refused += not connection.recv(10)
            except ConnectionError:
                refused += 1
        assert refused >= 20
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: try_tenants(strict), 10, "connections to be free again")


def try_tenants(strict):
    try:
        return strict.nobody.ask("GET", "/v1/tenants").status == 200
    except (ConnectionError, http.client.HTTPException):
        return False


# Who asks


def test_a_session_is_a_cookie_that_scripts_cannot_read(place):
    browser = place.person("STUDENT")
    answer = browser.sign_in(browser.email, place.tenant)
    cookie = answer.headers["Set-Cookie"]
    assert "; HttpOnly" in cookie and "; SameSite=Lax" in cookie and "; Path=/" in cookie
    assert "credential" not in answer.json
    session = browser.ask("GET", "/v1/session").json
    assert session["principal"]["roles"] == ["STUDENT"]
    assert session["principal"]["tenantId"] == place.tenant
    assert session["displayName"] == "Pröva Prövare"

    ended = browser.ask("DELETE", "/v1/session")
    assert ended.status == 204 and "Max-Age=0" in ended.headers["Set-Cookie"]
    answer = browser.ask("GET", "/v1/session")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert place.nobody.ask("DELETE", "/v1/session").status == 204


def test_wrong_password_and_wrong_address_look_the_same(place):
    known = place.student.email
    answers = [place.nobody.ask("POST", "/v1/session",
                                {"email": email, "password": "fel lösenord här"}, key=None)
               for email in (known, "nobody@samverka.example")]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].json["detail"] == answers[1].json["detail"]
    assert "Set-Cookie" not in answers[0].headers


def test_without_a_credential_or_the_role_one_is_told_so(place):
    answer = place.nobody.ask("GET", "/v1/organisations")
    assert (answer.status, answer.json["code"]) == (401, "UNAUTHENTICATED")
    answer = place.student.ask("POST", "/v1/organisations", organisation("x"))
    assert (answer.status, answer.json["code"]) == (403, "PERMISSION_DENIED")
    for token in ("nonsense", "x" * 600, "å"):
        browser = Browser(place.cluster.url, token=token.encode().decode("latin-1"))
        assert browser.ask("GET", "/v1/organisations").status == 401
        assert browser.ask("GET", "/v1/tenants").status == 401
    answer = place.nobody.ask("GET", "/v1/tenants", Authorization="Basic eDp5")
    assert answer.status == 401


def test_a_system_uses_its_token_until_it_is_revoked(place):
    made = place.officer.ask("POST", "/v1/systems", {"name": "CRM"})
    assert made.status == 201, made
    system = Browser(place.cluster.url, token=made.json["bearerToken"])
    assert system.ask("GET", "/v1/organisations?limit=1").status == 200
    session = system.ask("GET", "/v1/session").json
    assert session["principal"]["kind"] == "SYSTEM"
    revoked = place.officer.ask("DELETE", f"/v1/systems/{made.json['system']['systemId']}",
                                If_Match=made.headers["ETag"])
    assert revoked.status == 200, revoked
    wait_for(lambda: system.ask("GET", "/v1/organisations?limit=1").status == 401, 8,
             "the token to end")


OWN = object()
FORGED = [
    ({"Origin": "https://evil.example"}, False), ({"Origin": "null"}, False),
    ({"Sec_Fetch_Site": "cross-site"}, False), ({"Sec_Fetch_Site": "same-site"}, False),
    ({"Sec_Fetch_Site": "none"}, False), ({"Origin": OWN, "Sec_Fetch_Site": "cross-site"}, False),
    ({"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"}, False),
    ({"Origin": OWN}, True), ({"Sec_Fetch_Site": "same-origin"}, True),
    ({"Origin": OWN, "Sec_Fetch_Site": "same-origin"}, True), ({}, True),
]


@pytest.mark.parametrize("headers,allowed", FORGED)
def test_a_foreign_page_cannot_use_a_cookie(place, headers, allowed):
    headers = {name: place.cluster.url if value is OWN else value
               for name, value in headers.items()}
    answer = place.officer.ask("POST", "/v1/organisations", organisation("Förfalskat"), **headers)
    assert answer.status == (201 if allowed else 403), answer
    signing = place.nobody.ask("POST", "/v1/session",
                               {"email": place.student.email, "password": PASSWORD}, key=None,
                               **headers)
    assert signing.status == (201 if allowed else 403), signing
    assert place.officer.ask("GET", "/v1/organisations?limit=1", **headers).status == 200


def test_too_many_requests_are_slowed_down_each_for_oneself(strict):
    greedy, other = strict.person("STUDENT"), strict.person("STUDENT")
    answers = []
    connection = http.client.HTTPConnection(greedy.host, timeout=20)
    refused = None
    for _ in range(2000):
        connection.request("GET", "/v1/session", headers={"Cookie": greedy.cookie})
        answer = Answer(connection.getresponse())
        if answer.status == 429:
            refused = answer
            break
        answers.append(answer)
    assert refused is not None
    check_problem(refused)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "RateLimit" in answers[-1].headers
    assert other.ask("GET", "/v1/session").status == 200


# Languages and traces


@pytest.mark.parametrize("asked,title", [("sv", "Det finns inte"), ("fi-FI,sv;q=0.5", "Ei löytynyt"),
                                         ("de, en;q=0.1", "Not found"), (None, "Det finns inte")])
def test_problems_speak_the_callers_language(place, asked, title):
    answer = place.officer.ask("GET", f"/v1/organisations/{uuid.uuid4()}", Accept_Language=asked)
    assert answer.json["title"] == title
    assert answer.headers["Content-Language"] in ("sv", "fi", "en")


def test_a_trace_goes_on_and_a_bad_one_is_replaced(place):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = place.nobody.ask("GET", "/v1/nope", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert answer.json["trace_id"] == trace
    assert answer.headers["traceparent"].split("-")[1] == trace
    assert answer.headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"
    for bad in ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", "junk", f"01-{trace}-00f067aa0ba902b7-01"):
        answer = place.nobody.ask("GET", "/v1/nope", traceparent=bad)
        assert answer.json["trace_id"] not in (trace, "0" * 32)


# Stored answers


def hits(cluster):
    text = cluster["gateway"].get("/metrics")[1]
    found = re.search(r'samverka_gateway_cache_lookups_total\{result="hit"\} (\d+)', text)
    return int(found[1]) if found else 0


def test_a_stored_answer_is_used_and_dropped_by_a_write(place):
    made = place.organisation()
    path = made.headers["Location"]
    wait_for(lambda: place.officer.ask("GET", path) and hits(place.cluster) > 0, 10, "a hit")
    before = hits(place.cluster)
    first = place.officer.ask("GET", path)
    again = place.officer.ask("GET", path)
    assert again.text == first.text and hits(place.cluster) > before
    changed = place.officer.ask("PATCH", path, {"website": "https://ny.example"},
                                If_Match=made.headers["ETag"])
    assert changed.status == 200
    read = place.officer.ask("GET", path)
    assert read.json["organisation"]["website"] == "https://ny.example"
    assert read.headers["ETag"] == changed.headers["ETag"]


def test_a_change_past_the_gateway_is_seen_through_the_log(place):
    made = place.organisation()
    path, resource = made.headers["Location"], made.json["organisation"]
    place.officer.ask("GET", path)
    place.call("registry.v1.Organisations/UpdateOrganisation",
               {"organisationId": resource["organisationId"], "website": "https://utan.example",
                "expectedVersion": resource["version"], "updateFields": ["website"]},
               tenant=place.tenant)
    wait_for(lambda: place.officer.ask("GET", path).json["organisation"]["website"] ==
             "https://utan.example", 3, "the stored answer to be dropped")


def test_a_stored_answer_is_for_the_same_roles_alone(place):
    path = place.organisation().headers["Location"]
    for _ in range(3):
        assert place.officer.ask("GET", path).status == 200
    assert place.nobody.ask("GET", path).status == 401


# Events


class Stream:
    """Server-sent events on a thread, as they come."""

    def __init__(self, browser, query="", last=None):
        self.connection = http.client.HTTPConnection(browser.host, timeout=30)
        headers = {"Accept": "text/event-stream"}
        if browser.cookie:
            headers["Cookie"] = browser.cookie
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", f"/v1/events/stream{query}", headers=headers)
        self.response = self.connection.getresponse()
        self.events, self.retries, self.ended = [], [], False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        number = None
        try:
            for line in self.response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "data":
                    self.events.append((number, json.loads(value)))
                elif name == "retry":
                    self.retries.append(int(value))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed from outside, which http.client meets in several ways
        self.ended = True

    def positions(self):
        return [number for number, _ in self.events]

    def wait_subject(self, subject, deadline_s=10):
        return wait_for(lambda: [event for _, event in self.events
                                 if event.get("subject") == subject], deadline_s, subject)

    def close(self):
        sock = self.connection.sock
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.connection.close()


def test_the_stream_shows_what_happens_as_cloudevents(place):
    stream = Stream(place.officer)
    assert stream.response.status == 200
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    made = place.organisation().json["organisation"]["organisationId"]
    event = stream.wait_subject(made)[0]
    stream.close()
    assert event["specversion"] == "1.0"
    assert event["type"] == "org.samverka.organisation.registered.v1"
    assert event["datacontenttype"] == "application/json"
    assert event["data"]["organisationId"] == made
    number = next(n for n, one in stream.events if one["id"] == event["id"])
    assert event["sequence"] == f"{number:019d}"


def test_a_list_tells_where_to_follow_from(place):
    position = int(place.officer.ask("GET", "/v1/organisations?limit=1")
                   .headers["Samverka-Position"])
    made = [place.organisation().json["organisation"]["organisationId"] for _ in range(3)]
    stream = Stream(place.officer, f"?after={position}&types=org.samverka.organisation.")
    for subject in made:
        stream.wait_subject(subject)
    stream.close()
    subjects = [event["subject"] for _, event in stream.events]
    assert [one for one in subjects if one in made] == made


def test_a_stream_goes_on_where_it_ended_without_gap_or_repeat(place):
    stream = Stream(place.officer, "?after=0")
    made = [place.organisation().json["organisation"]["organisationId"] for _ in range(4)]
    stream.wait_subject(made[-1])
    stream.close()
    middle = stream.positions()[len(stream.positions()) // 2]
    again = Stream(place.officer, "?after=0", last=middle)
    again.wait_subject(made[-1])
    again.close()
    assert stream.positions() == sorted(set(stream.positions()))
    assert again.positions()[0] > middle
    whole = [n for n in stream.positions() if n > middle]
    assert again.positions()[:len(whole)] == whole


def test_only_what_is_mine_or_public_is_shown(place):
    stream_mine, stream_other = Stream(place.officer), Stream(place.other)
    stream_nobody = Stream(place.nobody)
    need = place.officer.ask("POST", "/v1/needs", {
        "organisationId": place.organisation().json["organisation"]["organisationId"],
        "text": [{"lang": "sv", "value": "Vi vill minska energin i vår linje."}],
        "visibility": "PRIVATE", "publish": True})
    assert need.status == 201, need
    subject = need.json["need"]["needId"]
    stream_mine.wait_subject(subject)
    public = place.organisation().json["organisation"]["organisationId"]
    for stream in (stream_mine, stream_other, stream_nobody):
        stream.wait_subject(public)
        stream.close()
    for stream in (stream_other, stream_nobody):
        assert subject not in [event.get("subject") for _, event in stream.events]
    for _, event in stream_mine.events:
        assert event.get("audience") != "internal"
        assert event.get("tenantid") == place.tenant or event.get("audience") == "public"


def test_events_are_read_in_pages_as_a_batch(place):
    made = place.organisation().json["organisation"]["organisationId"]
    found, after = [], 0

    def read_on():
        nonlocal after
        page = place.officer.ask("GET", f"/v1/events?after={after}&limit=50")
        assert page.status == 200, page
        assert page.headers["Content-Type"] == "application/cloudevents-batch+json"
        found.extend(page.json)
        after = int(page.headers["Samverka-Position"])
        return made in [event.get("subject") for event in found]

    wait_for(read_on, 10, "the event to be in a page")
    numbers = [int(event["sequence"]) for event in found]
    assert numbers == sorted(set(numbers))
    assert all(event.get("audience") != "internal" for event in found)
    typed = place.officer.ask("GET", "/v1/events?types=org.samverka.need.&limit=1000").json
    assert all(event["type"].startswith("org.samverka.need.") for event in typed)
    for wrong in ("after=-1", "after=x", "limit=0", "limit=1001", "nope=1"):
        assert place.officer.ask("GET", f"/v1/events?{wrong}").status == 400
    assert place.student.ask("GET", "/v1/events").status == 403
    assert place.nobody.ask("GET", "/v1/events").status == 401


def test_a_place_older_than_the_ring_is_caught_up_from_the_log(strict):
    made = [strict.organisation().json["organisation"]["organisationId"] for _ in range(120)]
    live = Stream(strict.officer, "?after=0&types=org.samverka.organisation.registered.")
    live.wait_subject(made[-1], 30)
    live.close()
    subjects = [event["subject"] for _, event in live.events]
    assert [one for one in subjects if one in set(made)] == made
    assert live.positions() == sorted(set(live.positions()))


def test_a_bad_place_is_refused(place):
    for last in ("x", "-1", "9" * 40):
        answer = place.officer.ask("GET", "/v1/events/stream", Last_Event_ID=last)
        assert answer.status == 400


def test_a_signed_out_stream_ends(place):
    browser = place.person("STUDENT")
    stream = Stream(browser)
    browser.ask("DELETE", "/v1/session")
    wait_for(lambda: stream.ended, 25, "the stream to end")
    assert stream.retries[-1] == 500


# Faults


def test_a_service_that_is_away_gives_503_and_comes_back(strict):
    strict.cluster.stop_service("registry")
    answer = strict.nobody.ask("GET", "/v1/tenants")
    assert answer.status in (503, 504)
    assert int(answer.headers["Retry-After"]) >= 1
    assert strict.nobody.ask("GET", "/").status == 200
    strict.cluster.start_service("registry")
    wait_for(lambda: strict.nobody.ask("GET", "/v1/tenants").status == 200, 15, "registry")


def test_a_stopping_gateway_answers_what_is_under_way_and_sends_streams_elsewhere(strict):
    stream = Stream(strict.officer)
    wait_for(lambda: stream.retries, 10, "the stream to open")
    assert strict.cluster.stop_service("gateway")
    wait_for(lambda: stream.ended, 10, "the stream to end")
    assert stream.retries[-1] == 500
    strict.cluster.start_service("gateway")
    wait_for(lambda: try_tenants(strict), 10, "the gateway")


# Pages and documents


@pytest.mark.parametrize("lang,words", [("sv", "Läget just nu"), ("fi", "Tilanne juuri nyt"),
                                        ("en", "How things are now")])
def test_the_pages_exist_in_three_languages_without_inline_code(place, lang, words):
    for path in ("/", "/docs", "/problems/not_found"):
        page = place.nobody.ask("GET", f"{path}?lang={lang}")
        assert page.status == 200
        text = page.text.decode()
        assert f'<html lang="{lang}">' in text
        assert f"lang={lang};" in page.headers["Set-Cookie"]
        assert "{{" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=", text)
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert words in place.nobody.ask("GET", f"/?lang={lang}").text.decode()
    remembered = Browser(place.cluster.url, cookie=f"lang={lang}").ask("GET", "/")
    assert words in remembered.text.decode()


def test_files_of_the_pages_keep_and_pages_are_asked_again(place):
    page = place.nobody.ask("GET", "/")
    again = place.nobody.ask("GET", "/", If_None_Match=page.headers["ETag"])
    assert again.status == 304
    files = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text.decode()))
    assert len(files) == 3
    for path in files:
        answer = place.nobody.ask("GET", path)
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"]
    for missing in ("/assets/nope.js", "/assets/home.html", "/assets/..%2Fx"):
        assert place.nobody.ask("GET", missing).status == 404


def test_every_problem_has_its_page(place):
    codes = re.findall(r"^CODE\((\w+),", (ROOT / "common/base/code.def").read_text(), re.M)
    for code in codes:
        expected = 404 if code == "OK" else 200
        assert place.nobody.ask("GET", f"/problems/{code.lower()}").status == expected


def test_the_status_tells_of_every_service(place):
    def ready():
        status = place.nobody.ask("GET", "/v1/status").json
        return status["log"]["live"] and all(one["heard"] and one["ready"]
                                             for one in status["services"]) and status
    status = wait_for(ready, 15, "all services to be ready")
    assert {one["name"] for one in status["services"]} == {"registry", "matching", "events",
                                                           "notifications"}
    assert all("endpoint" not in instance for one in status["services"]
               for instance in one["instances"])


def template_of(paths, path):
    found = [template for template in paths
             if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)]
    return min(found, key=lambda template: template.count("{")) if found else None


def test_every_answer_of_these_tests_is_documented(place):
    document = place.nobody.ask("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    routes = (ROOT / "services/gateway/routes.def").read_text()
    for method, path in re.findall(r'^(?:ROUTE|OWN)\((\w+), "([^"]+)"', routes, re.M):
        assert method.lower() in document["paths"][path], path
    missing = []
    for method, path, status in SEEN:
        template = template_of(document["paths"], path)
        verb = "get" if method == "HEAD" else method.lower()
        if template is None or verb not in document["paths"][template]:
            assert status in (204, 400, 404, 405), (method, path, status)
        elif str(status) not in document["paths"][template][verb]["responses"]:
            missing.append((method, template, status))
    assert not missing


def references(value):
    if isinstance(value, dict):
        for name, inside in value.items():
            if name == "$ref":
                yield inside
            else:
                yield from references(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from references(inside)


def test_the_document_refers_to_nothing_that_is_missing(place):
    document = place.nobody.ask("GET", "/openapi.json").json
    for reference in set(references(document)):
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
    operations = [operation["operationId"] for verbs in document["paths"].values()
                  for operation in verbs.values()]
    assert len(operations) == len(set(operations)) > 60

"""Resources over HTTP, and bad input: what is made, changed, listed and refused."""

import http.client
import json
import re
import socket
import time
import urllib.parse
import uuid

import pytest

from http_place import (Answer, check_problem, contract, organisation, place,  # noqa: F401
                        strict, try_tenants)
from samverka_client import wait_for


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

"""Who may what over HTTP: sessions, tokens, foreign pages, rates; languages, traces, stored answers."""

import http.client
import re
import uuid

import pytest

from http_place import (PASSWORD, Answer, Browser, check_problem, contract,  # noqa: F401
                        organisation, place, strict)
from samverka_client import wait_for


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
    assert "Max-Age=0" in answer.headers["Set-Cookie"]  # the browser forgets what is over
    assert place.nobody.ask("DELETE", "/v1/session").status == 204
    assert place.nobody.ask("GET", "/v1/session").status == 204


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


def test_what_a_system_may_append_and_ask_for_is_set_by_its_officer(place):
    made = place.officer.ask("POST", "/v1/systems", {
        "name": "ERP", "appendTypes": ["com.example.erp."], "limits": {"follows": 2}})
    assert made.status == 201, made
    system = made.json["system"]
    assert system["appendTypes"] == ["com.example.erp."] and system["limits"]["follows"] == 2
    path = f"/v1/systems/{system['systemId']}"
    changed = place.officer.ask("PATCH", path, {"limits": {"appendsPerSecond": 100}},
                                If_Match=made.headers["ETag"])
    assert changed.status == 200, changed
    assert changed.json["system"]["limits"] == {**system["limits"], "follows": 0,
                                                "appendsPerSecond": 100}
    assert changed.json["system"]["appendTypes"] == ["com.example.erp."]
    again = place.officer.ask("PATCH", path, {"appendTypes": []}, If_Match=made.headers["ETag"])
    assert (again.status, again.json["code"]) == (412, "VERSION_MISMATCH")
    for change, pointer in (({"appendTypes": ["org.samverka.need."]}, "/appendTypes/0"),
                            ({"appendTypes": ["com.", "org."]}, "/appendTypes/1"),
                            ({"limits": {"follows": 1001}}, "/limits/follows")):
        refused = place.officer.ask("PATCH", path, change, If_Match=changed.headers["ETag"])
        assert refused.status == 400, refused
        assert refused.json["errors"][0]["pointer"].lstrip("#") == pointer
    for browser, status in ((place.other, 404), (place.student, 403)):
        refused = browser.ask("PATCH", path, {"appendTypes": []}, If_Match=changed.headers["ETag"])
        assert refused.status == status, refused


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

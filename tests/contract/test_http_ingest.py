"""Other systems' events over HTTP: what is posted comes out of every door, and nothing else does."""

import json
import uuid

import pytest

from http_place import Browser, contract, place  # noqa: F401
from samverka_client import wait_for
from test_http_events import Stream

ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


@pytest.fixture(scope="module")
def system(place):  # noqa: F811
    return enrol(place.officer, place.cluster.url)


def enrol(officer, url, **rights):
    made = officer.ask("POST", "/v1/systems", {"name": f"CRM {uuid.uuid4()}",
                                               "appendTypes": ["com.example."], **rights})
    assert made.status == 201, made
    return Browser(url, token=made.json["bearerToken"])


def event(**fields):
    return {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/crm",
            "type": "com.example.contact.made.v1", **fields}


def post(browser, body, media=ONE, key=None, **headers):
    return browser.ask("POST", "/v1/events", body, key=key, Content_Type=media, **headers)


def taken(answer, count=1):
    assert answer.status == 200, answer
    first, last = int(answer.json["firstPosition"]), int(answer.json["lastPosition"])
    assert last - first == count - 1
    return first


def read(browser, position, count=1):
    page = browser.ask("GET", f"/v1/events?after={position - 1}&limit={count}")
    assert page.status == 200, page
    return page.json


def test_an_event_comes_out_as_it_went_in(place, system):  # noqa: F811
    stream = Stream(place.officer)
    sent = event(subject="contact/7", time="2026-03-01T10:00:00.500Z", tries=3, last=True,
                 programme="KTP", nuts="SE312", esco="a,b", dataschema="https://crm.example/s",
                 data={"name": ["Å", 1.5, None, {"deep": True}], "big": 12345678901234567890})
    position = taken(post(system, sent))
    want = {**sent, "datacontenttype": "application/json", "tenantid": place.tenant,
            "sequence": f"{position:019d}"}
    for browser in (place.officer, system):
        got = read(browser, position)[0]
        assert {name: got.get(name) for name in want} == want
        assert int(got["tenantsequence"]) > 0
    assert stream.wait_subject("contact/7")[0] == got
    stream.close()


def test_binary_mode_takes_the_attributes_from_headers(place, system):  # noqa: F811
    cases = [
        (b'{"a": 1}', "application/json", {"data": {"a": 1}}),
        ("Hej, Ö!".encode(), "text/plain; charset=utf-8", {"data": "Hej, Ö!"}),
        (b"\x00\xff", "application/octet-stream", {"data_base64": "AP8="}),
    ]
    for body, media, want in cases:
        number = str(uuid.uuid4())
        answer = post(system, body, media, ce_specversion="1.0", ce_id=number, ce_source="/crm",
                      ce_type="com.example.file.kept", CE_Subject="Caf%C3%A9 %22x%22",
                      ce_time="2026-03-01T12:00:00+02:00")
        got = read(place.officer, taken(answer))[0]
        want = {**want, "id": number, "subject": 'Café "x"', "time": "2026-03-01T10:00:00Z",
                "datacontenttype": media}
        assert {name: got.get(name) for name in want} == want


def test_filters_look_at_subject_programme_region_and_concepts(place, system):  # noqa: F811
    marks = [("KTP", "SE312", "a,b"), ("KTP", "FI1D7", "b"), ("X", "SE110", "c,a")]
    sent = [event(subject=f"mark/{n}", programme=programme, nuts=nuts, esco=esco)
            for n, (programme, nuts, esco) in enumerate(marks)] + [event(subject="mark/3")]
    start = taken(post(system, sent, MANY), len(sent)) - 1
    for query, want in (("subjects=mark/1,mark/3", [1, 3]), ("programmes=KTP", [0, 1]),
                        ("nuts=SE", [0, 2]), ("nuts=SE312,FI", [0, 1]), ("concepts=a", [0, 2]),
                        ("concepts=c,b", [0, 1, 2]), ("programmes=KTP&nuts=SE&concepts=a", [0]),
                        ("subjects=mark%2F2&types=com.example.", [2]), ("programmes=KT", [])):
        page = place.officer.ask("GET", f"/v1/events?after={start}&limit=100&{query}")
        assert page.status == 200, page
        assert [one["subject"] for one in page.json] == [f"mark/{n}" for n in want], query
        link = page.headers["Link"]
        assert query.partition("=")[0] in link and link.endswith('>; rel="next"')
        if want:
            stream = Stream(place.officer, f"?after={start}&{query}")
            stream.wait_subject(f"mark/{want[-1]}")
            stream.close()
            assert [one["subject"] for _, one in stream.events] == [f"mark/{n}" for n in want]
    for wrong in ("subjects=" + "x" * 129, "types=" + ",".join("abc" * 11), "programme=KTP"):
        assert place.officer.ask("GET", f"/v1/events?{wrong}").status == 400


def test_a_batch_keeps_its_order(place, system):  # noqa: F811
    sent = [event(n=n) for n in range(500)]
    position = taken(post(system, sent, MANY), 500)
    got = read(place.officer, position, 500)
    assert [one["id"] for one in got] == [one["id"] for one in sent]


def test_a_repeat_gets_the_first_answer(system):
    sent = event(data={"x": 1})
    first = post(system, sent)
    taken(first)
    assert post(system, sent).json == first.json
    changed = post(system, {**sent, "data": {"x": 2}})
    assert (changed.status, changed.json["code"]) == (422, "KEY_REUSED")

    key = str(uuid.uuid4())
    first = post(system, event(), key=key)
    taken(first)
    other = post(system, event(), key=key)
    assert (other.status, other.json["code"]) == (422, "KEY_REUSED")


def test_an_id_that_came_before_is_not_added_again(place, system):  # noqa: F811
    old, new = event(data=1), event(data=2)
    position = taken(post(system, old))
    answer = post(system, [old, new], MANY)
    assert answer.json["duplicates"] == 1
    assert taken(answer) > position
    answer = post(system, old, key=str(uuid.uuid4()))
    assert (answer.status, answer.json["duplicates"]) == (200, 1), answer
    answer = post(system, [event(), {**old, "data": 3}], MANY)
    refused(answer, 422, "/1/id", "KEY_REUSED")
    seen = read(place.officer, position, 1000)
    assert [one["id"] for one in seen].count(old["id"]) == 1


def test_a_source_may_number_its_batches(system):
    source = f"/erp/{uuid.uuid4()}"
    counted = {"Samverka_Source": source, "Samverka_Batch_Number": "1"}
    sent = [event(source=f"{source}/a"), event(source=f"{source}/b")]
    first = post(system, sent, MANY, **counted)
    taken(first, 2)
    assert post(system, sent, MANY, **counted).json == first.json
    assert post(system, sent[:1], MANY, **counted).json["code"] == "KEY_REUSED"
    taken(post(system, [event(source=source)], MANY, Samverka_Source=source,
               Samverka_Batch_Number="2"))
    refused(post(system, sent, MANY), 400, "/1/source")
    refused(post(system, [event(source="/b")], MANY, Samverka_Source=source,
                 Samverka_Batch_Number="3"), 400, "/0/source")
    for number in ("0", "-1", "x", "4611686018427387904", None):
        refused(post(system, sent, MANY, Samverka_Source=source, Samverka_Batch_Number=number),
                400, "/Samverka-Batch-Number")


def refused(answer, status, pointer, code="INVALID_ARGUMENT"):
    assert (answer.status, answer.json["code"]) == (status, code), answer
    assert answer.json["errors"][0]["pointer"] == pointer, answer


def test_what_is_no_event_is_refused_at_its_place(system):
    for name in ("sequence", "tenantsequence", "tenantid", "audience", "originsequence"):
        refused(post(system, event(**{name: "1"})), 400, f"/{name}")
        refused(post(system, [event(), event(**{name: "1"})], MANY), 400, f"/1/{name}")
        refused(post(system, b"", None, ce_specversion="1.0", ce_id="1", ce_source="/crm",
                     ce_type="com.example.x", **{f"ce_{name}": "1"}), 400, f"/ce-{name}")
    refused(post(system, event(specversion="0.3")), 400, "/specversion")
    refused(post(system, event(source="")), 400, "/source")
    refused(post(system, event(Upper="x")), 400, "/Upper")
    refused(post(system, event(time="yesterday")), 400, "/time")
    refused(post(system, event(subject="x" * 513)), 400, "/subject")
    refused(post(system, json.dumps(event())[:-1] + ',"data":{"a":1,"a":2}}'), 400, "/data/a")
    refused(post(system, json.dumps(event())[:-1] + ',"id":"2"}'), 400, "/id")
    refused(post(system, [], MANY), 400, "")
    refused(post(system, [event()] * 1000 + [{}], MANY), 400, "/1000")
    refused(post(system, b"{", "application/json", ce_specversion="1.0", ce_id="1",
                 ce_source="/crm", ce_type="com.example.x"), 400, "")
    refused(post(system, b"x", "text/plain", ce_specversion="1.0", ce_id="%zz"), 400, "/ce-id")
    refused(post(system, b"x", "text/plain", ce_id="1"), 400, "/ce-specversion")
    refused(post(system, event(), key="with space"), 400, "/Idempotency-Key")
    for body in (b"", b"[]", b"{}x", b"\xff", b"{\"id\":\"\xff\"}"):
        assert post(system, body).status == 400


def test_what_is_too_large_or_of_another_kind_is_refused(system):
    refused(post(system, [event(), event(data="x" * 17000)], MANY), 413, "/1", "TOO_LARGE")
    answer = post(system, b"x" * 17000, "text/plain", ce_specversion="1.0", ce_id="1",
                  ce_source="/crm", ce_type="com.example.x")
    assert answer.status == 413, answer
    assert post(system, b" " * (256 * 1024 + 1)).status == 413
    for media in ("application/json", "application/cloudevents+avro", "text/plain"):
        answer = post(system, event(), media)
        assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_only_systems_add_events(place):  # noqa: F811
    for browser, status in ((place.nobody, 401), (place.student, 403), (place.officer, 403)):
        assert post(browser, event()).status == status


def test_a_system_adds_only_the_types_that_are_its_own(place, system):  # noqa: F811
    refused(post(system, event(type="org.samverka.need.published.v1")), 403, "/type",
            "PERMISSION_DENIED")
    refused(post(system, [event(), event(type="com.other.x")], MANY), 403, "/1/type",
            "PERMISSION_DENIED")
    nothing = enrol(place.officer, place.cluster.url, appendTypes=[])
    assert post(nothing, event()).status == 403


def test_a_system_is_shown_only_the_types_it_may_see(place, system):  # noqa: F811
    narrow = enrol(place.officer, place.cluster.url, types=["com.example.seen."])
    stream = Stream(narrow)
    wait_for(lambda: stream.retries, 10, "the stream to open")
    start = taken(post(system, event(type="com.example.hidden.v1"))) - 1
    for n in range(3):
        taken(post(system, [event(type="com.example.hidden.v1"),
                            event(type="com.example.seen.v1", subject=f"seen/{n}")], MANY), 2)
        stream.wait_subject(f"seen/{n}")
    again = Stream(narrow, f"?after={start}")
    again.wait_subject("seen/2")
    for one in (stream, again):
        one.close()
        assert [event["subject"] for _, event in one.events] == ["seen/0", "seen/1", "seen/2"]
    page = narrow.ask("GET", f"/v1/events?after={start}&limit=1000")
    assert [one["subject"] for one in page.json] == ["seen/0", "seen/1", "seen/2"]


def test_another_tenant_sees_none_of_it(place, system):  # noqa: F811
    stream = Stream(place.other)
    position = taken(post(system, event(subject="private/1")))
    public = place.organisation().json["organisation"]["organisationId"]
    stream.wait_subject(public)
    stream.close()
    assert "private/1" not in [one.get("subject") for _, one in stream.events]
    after = place.other.ask("GET", f"/v1/events?after={position - 1}&limit=1000").json
    assert "private/1" not in [one.get("subject") for one in after]
    theirs = enrol(place.other, place.cluster.url)
    sent = event()
    taken(post(theirs, sent))
    taken(post(system, sent))  # the same id and source in another tenant is another event


def test_an_event_that_was_taken_is_there_at_once(place, system):  # noqa: F811
    """No waiting: the answer comes after the commit."""
    for _ in range(5):
        sent = event()
        assert read(place.officer, taken(post(system, sent)))[0]["id"] == sent["id"]
    assert wait_for(lambda: place.nobody.ask("GET", "/v1/status").json["log"]["live"], 5, "log")

"""Webhooks as a receiver sees them: signed, in order, again until they are taken, never more than the
tenant may see."""

import re
import time

import pytest
from samverka_client import Contract, Problem, wait_for
from webhook_place import PINGS, TYPE, BadSignature, Place, verify

SETTINGS = {"webhook_insecure_loopback": "true", "webhook_timeout_ms": "2000",
            "webhook_retry_thousandths": "1"}
MODES = ["WEBHOOK_STRUCTURED", "WEBHOOK_BINARY", "WEBHOOK_BATCH"]


@pytest.fixture(scope="module")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def hooks(make_module_cluster, contract):
    cluster = make_module_cluster(services=["registry", "events", "notifications", "gateway"],
                                  extra={"notifications": SETTINGS})
    place = Place(cluster, contract)
    yield place
    place.close()


@pytest.fixture(autouse=True)
def nothing_left(hooks):
    yield
    hooks.clear()


@pytest.mark.parametrize("mode", MODES)
def test_an_event_arrives_signed_by_both_signatures_with_the_sequence_of_the_log(hooks, mode):
    path, webhook, secret = hooks.active(mode=mode)
    ids = hooks.emit(3, programme="KTP åäö \"100%\"")
    found = hooks.await_events(path, ids)
    page = hooks.officer.get("/v1/events?after=0&limit=1000")
    logged = {event["id"]: event for event in page}
    for event in found:
        of_log = logged[event["id"]]
        assert event["sequence"] == of_log["sequence"] and len(event["sequence"]) == 19
        assert event == of_log
    for request in hooks.receiver.at(path):
        verify(request.headers, request.body, secret=secret)
        verify(request.headers, request.body, public=webhook["publicKey"])
        if mode != "WEBHOOK_BATCH" or request.events[0]["type"] in PINGS:
            assert request.id == request.events[0]["id"]
        assert "." not in request.id
    if mode == "WEBHOOK_BINARY":
        assert request.headers["ce-programme"] == "KTP%20%C3%A5%C3%A4%C3%B6%20%22100%25%22"
        assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("change", ["body longer", "body shorter", "body other", "id", "time", "mac",
                                    "version", "secret"])
def test_a_tampered_request_fits_no_signature(hooks, change):
    path, webhook, secret = hooks.active()
    hooks.await_events(path, hooks.emit())
    request = hooks.receiver.at(path)[-1]
    headers, body, public = dict(request.headers), request.body, webhook["publicKey"]
    verify(headers, body, secret, public)
    if change == "body longer":
        body += b" "
    elif change == "body shorter":
        body = body[:-1]
    elif change == "body other":
        body = body.replace(b"need", b"Need", 1)
    elif change == "id":
        headers["webhook-id"] = "0" + headers["webhook-id"][1:-1] + "g"
    elif change == "time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    elif change == "mac":
        headers["webhook-signature"] = " ".join(
            part[:8] + ("A" if part[8] != "A" else "B") + part[9:]
            for part in headers["webhook-signature"].split(" "))
    elif change == "version":
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1", "v2")
    else:
        _, other, secret = hooks.active()
        public = other["publicKey"]
    for keys in ({"secret": secret}, {"public": public}):
        with pytest.raises(BadSignature):
            verify(headers, body, **keys)


def test_a_request_is_too_old_after_five_minutes(hooks):
    path, _, secret = hooks.active()
    hooks.await_events(path, hooks.emit())
    request = hooks.receiver.at(path)[-1]
    with pytest.raises(BadSignature):
        verify(request.headers, request.body, secret, now=time.time() + 310)


@pytest.mark.parametrize("mode", MODES)
def test_a_request_is_what_the_openapi_document_says(hooks, mode):
    post = hooks.officer.get("/openapi.json")["webhooks"]["event"]["post"]
    path, _, _ = hooks.active(mode=mode)
    hooks.await_events(path, hooks.emit(2))
    for request in hooks.receiver.at(path):
        for header in post["parameters"]:
            assert re.search(header["schema"]["pattern"], request.headers[header["name"]])
        if request.body:
            kind = request.headers["content-type"].split(";")[0]
            schema = post["requestBody"]["content"][kind]["schema"]
            assert schema["type"] == ("array" if mode == "WEBHOOK_BATCH" else "object")
        for event in request.events:
            assert set(("specversion", "id", "source", "type")) <= set(event)


def test_a_receiver_is_verified_before_it_gets_events(hooks):
    path = hooks.path()
    hooks.receiver.answer = lambda request: 503
    webhook, secret = hooks.create(path)
    assert webhook["state"] == "WEBHOOK_VERIFYING"
    ids = hooks.emit(5)
    wait_for(lambda: len(hooks.receiver.at(path)) >= 2, 30, "two tries of the verification")
    requests = hooks.receiver.at(path)
    assert {request.events[0]["type"] for request in requests} == {PINGS[0]}
    assert len({request.id for request in requests}) == 1
    verify(requests[0].headers, requests[0].body, secret=secret)
    with pytest.raises(Problem) as refusal:
        hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/test")
    assert refusal.value.code == "FAILED_PRECONDITION"
    hooks.receiver.answer = lambda request: 200
    hooks.await_events(path, ids)  # what happened since it was made
    assert hooks.get(webhook)["state"] == "WEBHOOK_ACTIVE"


def test_a_tenant_gets_its_own_events_and_public_ones_and_never_internal_ones(hooks):
    path, _, _ = hooks.active()
    foreign = hooks.emit(2, tenant=hooks.tenants[1])
    internal = hooks.emit(2, audience="internal")
    public = hooks.emit(2, tenant=hooks.tenants[1], audience="public")
    shared = hooks.emit(2, tenant=hooks.tenants[1],
                        audience=f"{hooks.tenants[1]},{hooks.tenants[0]}")
    own = hooks.emit(2)
    hooks.await_events(path, public + shared + own)
    seen = {event["id"] for event in hooks.receiver.events_at(path)}
    assert seen.isdisjoint(foreign + internal)
    assert all(event["tenantid"] == hooks.tenants[1] or event["id"] in own
               for event in hooks.receiver.events_at(path))


@pytest.mark.parametrize("name, wanted, attributes, others", [
    ("types", ["org.samverka.need."], {"type_": TYPE},
     {"type_": "org.samverka.partnership.formed.v1"}),
    ("programmes", ["KTP"], {"programme": "KTP"}, {"programme": "KTPX"}),
    ("nuts", ["SE3"], {"nuts": "SE312"}, {"nuts": "SE12"}),
    ("concepts", ["c2"], {"esco": "c1,c2"}, {"esco": "c1,c22"}),
    ("subjects", ["s-1"], {"subject": "s-1"}, {"subject": "s-2"})])
def test_a_filter_lets_through_what_it_names(hooks, name, wanted, attributes, others):
    path, webhook, _ = hooks.active(filter={name: wanted})
    assert webhook["filter"][name] == wanted
    left_out = hooks.emit(2, **others)
    ids = hooks.emit(2, **attributes)
    hooks.await_events(path, ids)
    assert {event["id"] for event in hooks.receiver.events_at(path)}.isdisjoint(left_out)


def test_a_retry_keeps_its_id_and_comes_until_it_is_taken(hooks):
    path, webhook, secret = hooks.active()
    answers = iter([500, None, 302, 404, 200])
    hooks.receiver.answer = lambda request: next(answers, 200)
    identity, = hooks.emit()
    hooks.await_events(path, [identity])
    tries = [request for request in hooks.receiver.at(path) if request.id == identity]
    assert len(tries) == 5
    assert len({request.body for request in tries}) == 1
    for request in tries:
        verify(request.headers, request.body, secret=secret)
    delivery, = [d for d in wait_for(
        lambda: [d for d in hooks.deliveries(webhook, "&state=DELIVERY_DELIVERED")
                 if d["eventId"] == identity], 10, "the note")]
    assert 4 <= delivery["attempts"] <= 5  # libcurl repeats by itself on a kept connection that was cut
    assert delivery["status"] == 200
    assert delivery["messageId"] == identity and delivery["type"] == TYPE


def test_a_redirect_is_a_failure_and_is_never_followed(hooks):
    path, webhook, _ = hooks.active()
    trap = hooks.path()
    hooks.receiver.answer = lambda request: (
        (307, {"Location": hooks.receiver.url + trap}) if request.path == path else 200)
    hooks.emit()
    wait_for(lambda: any(d["status"] == 307 and d["error"]
                         for d in hooks.deliveries(webhook)), 20, "the failure")
    assert hooks.receiver.at(trap) == []


def test_events_of_a_key_come_in_order_and_other_keys_do_not_wait(hooks):
    path, _, _ = hooks.active()
    stuck = {"free": False}

    def answer(request):
        is_stuck = any(event.get("partitionkey") == "stuck" for event in request.events)
        return 500 if is_stuck and not stuck["free"] else 200
    hooks.receiver.answer = answer
    blocked = hooks.emit(20, key="stuck")
    free = hooks.emit(40, key=lambda number: f"key-{number % 8}")
    found = hooks.await_events(path, free)
    for key in range(8):
        of_key = [event["id"] for event in found if event["partitionkey"] == f"key-{key}"]
        assert of_key == free[key::8]
    tried = {event["id"] for request in hooks.receiver.at(path) for event in request.events}
    assert tried.isdisjoint(blocked[1:])
    stuck["free"] = True
    assert [event["id"] for event in hooks.await_events(path, blocked)] == blocked


def test_a_batch_is_in_the_order_of_the_log_and_keeps_id_and_content_when_it_is_repeated(hooks):
    path, webhook, secret = hooks.active(mode="WEBHOOK_BATCH")
    hooks.receiver.answer = lambda request: 500
    ids = hooks.emit(120)
    wait_for(lambda: len(hooks.receiver.at(path)) >= 4, 30, "some tries")
    hooks.receiver.answer = lambda request: 200
    assert [event["id"] for event in hooks.await_events(path, ids)] == ids
    by_id = {}
    for request in hooks.receiver.at(path):
        verify(request.headers, request.body, secret=secret)
        assert len(request.body) < 64 * 1024 and len(request.events) <= 50
        by_id.setdefault(request.id, set()).add(request.body)
    assert all(len(bodies) == 1 for bodies in by_id.values())
    assert any(len(request.events) > 1 for request in hooks.receiver.at(path))


def test_410_disables_and_a_resume_verifies_again_and_loses_nothing(hooks):
    path, webhook, _ = hooks.active()
    hooks.receiver.answer = lambda request: 410
    first = hooks.emit(3)
    webhook = hooks.await_state(webhook, "WEBHOOK_DISABLED")
    assert webhook["reason"] == "WEBHOOK_GONE"
    meanwhile = hooks.emit(5)
    hooks.receiver.answer = lambda request: 200
    count = len(hooks.receiver.at(path))
    hooks.update(webhook, state="WEBHOOK_ACTIVE")
    hooks.await_events(path, first + meanwhile)
    again = hooks.receiver.at(path)[count]
    assert again.events[0]["type"] == PINGS[0]


def test_a_paused_webhook_gets_what_it_missed_when_it_is_resumed(hooks):
    path, webhook, _ = hooks.active()
    before = hooks.emit(3)
    hooks.await_events(path, before)
    webhook = hooks.update(webhook, state="WEBHOOK_PAUSED")
    assert webhook["state"] == "WEBHOOK_PAUSED"
    missed = hooks.emit(250)
    other, _, _ = hooks.active()
    marker = hooks.emit()
    hooks.await_events(other, marker)
    assert {event["id"] for event in hooks.receiver.events_at(path)} == set(before)
    hooks.update(webhook, state="WEBHOOK_ACTIVE")
    found = hooks.await_events(path, missed + marker)
    assert len(found) == 251
    assert len(hooks.receiver.events_at(path)) == 254


def test_a_slow_receiver_delays_no_other(hooks):
    slow, _, _ = hooks.active()
    quick, _, _ = hooks.active()

    def wait_if_slow(request):
        if request.path == slow:
            time.sleep(1.5)
        return 200
    hooks.receiver.answer = wait_if_slow
    began = time.monotonic()
    ids = hooks.emit(60)
    hooks.await_events(quick, ids, 20)
    assert time.monotonic() - began < 10
    assert len(hooks.receiver.events_at(slow)) < 60


def test_no_more_requests_are_under_way_to_a_receiver_than_are_allowed(hooks):
    path, _, _ = hooks.active()
    state = {"now": 0, "most": 0}

    def wait_a_moment(request):
        with hooks.receiver.lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        time.sleep(0.05)
        with hooks.receiver.lock:
            state["now"] -= 1
        return 200
    hooks.receiver.answer = wait_a_moment
    hooks.await_events(path, hooks.emit(40))
    assert 2 <= state["most"] <= 4


def test_retry_after_is_heeded_for_the_whole_receiver(hooks):
    path, _, _ = hooks.active()
    first = {}

    def answer(request):
        if not first:
            first["at"] = request.at
            return 429, {"Retry-After": "3"}
        return 200
    hooks.receiver.answer = answer
    early = hooks.emit()
    wait_for(lambda: first, 20, "the first try")
    late = hooks.emit(3)
    hooks.await_events(path, early + late)
    after = [request.at - first["at"] for request in hooks.receiver.at(path)
             if request.at > first["at"]]
    assert min(after) > 2.5


def test_after_a_rotation_the_old_and_the_new_secret_sign(hooks):
    path, webhook, old = hooks.active()
    made = hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/rotate-secret",
                              {"expectedVersion": webhook["version"]})
    new, public = made["secret"], made["webhook"]["publicKey"]
    assert new != old and public != webhook["publicKey"]
    assert made["webhook"]["secretNumber"] == 2
    assert int(made["webhook"]["oldSecretUntilUnixMs"]) / 1000 == pytest.approx(
        time.time() + 86400, abs=60)
    hooks.await_events(path, hooks.emit())
    request = hooks.receiver.at(path)[-1]
    for keys in ({"secret": old}, {"secret": new}, {"public": public},
                 {"public": webhook["publicKey"]}):
        verify(request.headers, request.body, **keys)
    hooks.execute("UPDATE notifications.webhook SET old_until = now() - interval '1 s'")
    hooks.await_events(path, hooks.emit())
    request = hooks.receiver.at(path)[-1]
    verify(request.headers, request.body, secret=new)
    with pytest.raises(BadSignature):
        verify(request.headers, request.body, secret=old, public=webhook["publicKey"])


def test_a_secret_is_shown_once_and_stands_nowhere_in_the_clear(hooks):
    key = "en-nyckel-som-upprepas"
    body = {"url": hooks.receiver.url + hooks.path()}
    made = hooks.officer.post("/v1/webhooks", body, key=key)
    secret, webhook = made["secret"], made["webhook"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert re.fullmatch(r"whpk_[A-Za-z0-9+/]{43}=", webhook["publicKey"])
    again = hooks.officer.post("/v1/webhooks", body, key=key)
    assert (again["webhook"]["webhookId"], again["secret"]) == (webhook["webhookId"], secret)
    with pytest.raises(Problem) as refusal:
        hooks.officer.post("/v1/webhooks", {**body, "description": "annat"}, key=key)
    assert refusal.value.code == "KEY_REUSED"
    assert "secret" not in str(hooks.get(webhook)).replace("secretNumber", "").replace(
        "oldSecretUntil", "")
    import base64
    raw = base64.b64decode(secret[6:])
    forms = [secret[6:].encode(), raw, raw.hex().encode()]
    rows = hooks.execute("SELECT w::text FROM notifications.webhook w UNION ALL "
                          "SELECT i::text FROM notifications.idempotency i UNION ALL "
                          "SELECT encode(answer, 'escape') FROM notifications.idempotency "
                          "WHERE answer IS NOT NULL")
    logs = [path.read_bytes() for path in (hooks.cluster.folder / "log").glob("*.log")]
    for form in forms:
        assert not any(form in row[0].encode() for row in rows)
        assert not any(form in log for log in logs)


def test_a_test_is_sent_and_its_outcome_told(hooks):
    path, webhook, secret = hooks.active()
    asked = hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/test")["delivery"]
    wait_for(lambda: [d for d in hooks.deliveries(webhook) if d["deliveryId"] == asked["deliveryId"]
                      and d["state"] == "DELIVERY_DELIVERED"], 20, "the test")
    request = hooks.receiver.at(path)[-1]
    assert request.events[0]["type"] == PINGS[1] and request.id == asked["messageId"]
    verify(request.headers, request.body, secret=secret)
    hooks.receiver.answer = lambda request: (418, {"body": b"x" * 200_000})
    asked = hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/test")["delivery"]
    failed, = wait_for(lambda: [
        d for d in hooks.deliveries(webhook) if d["deliveryId"] == asked["deliveryId"]
        and d["state"] == "DELIVERY_FAILED"], 20, "the failed test")
    assert failed["status"] == 418 and failed["attempts"] == 1
    assert failed["error"] == "the receiver answered 418"  # nothing of what it said


def test_a_replay_sends_again_from_a_position_or_one_delivery(hooks):
    path, webhook, _ = hooks.active()
    ids = hooks.emit(30, key="en")
    hooks.await_events(path, ids)
    wait_for(lambda: all(d["state"] == "DELIVERY_DELIVERED" for d in hooks.deliveries(webhook)),
             20, "all to be noted")
    by_event = {d["eventId"]: d for d in hooks.deliveries(webhook)}
    hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/replay",
                       {"deliveryId": by_event[ids[3]]["deliveryId"]})
    wait_for(lambda: [r.id for r in hooks.receiver.at(path)].count(ids[3]) == 2, 20, "one again")
    after = by_event[ids[9]]["position"]
    hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/replay",
                       {"fromPosition": True, "after": after})
    wait_for(lambda: all([r.id for r in hooks.receiver.at(path)].count(i) == 2 for i in ids[10:]),
             30, "the rest again")
    again = [r.id for r in hooks.receiver.at(path)][-20:]
    assert again == ids[10:]
    assert all([r.id for r in hooks.receiver.at(path)].count(i) == 1 for i in ids[4:10])
    more = hooks.emit(2)
    hooks.await_events(path, more)
    with pytest.raises(Problem) as refusal:
        hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/replay", {})
    assert refusal.value.document["errors"][0]["pointer"] == "/deliveryId"
    with pytest.raises(Problem) as refusal:
        hooks.officer.post(f"/v1/webhooks/{webhook['webhookId']}/replay",
                           {"fromPosition": True, "after": str(10 ** 15)})
    assert refusal.value.document["errors"][0]["pointer"] == "/after"


def test_another_tenants_webhook_does_not_exist(hooks):
    _, webhook, _ = hooks.active()
    here = f"/v1/webhooks/{webhook['webhookId']}"
    for method, path, body in [("GET", here, None), ("GET", here + "/deliveries", None),
                               ("POST", here + "/test", {}),
                               ("POST", here + "/replay", {"fromPosition": True}),
                               ("POST", here + "/rotate-secret", {"expectedVersion": 2})]:
        with pytest.raises(Problem) as refusal:
            hooks.other.request(method, path, body)
        assert refusal.value.status == 404
    with pytest.raises(Problem) as refusal:
        hooks.other.request("DELETE", here, etag=2)
    assert refusal.value.status == 404
    assert hooks.other.get("/v1/webhooks")["webhooks"] == []


def test_only_officers_and_operators_have_to_do_with_webhooks(hooks):
    student, _ = hooks.person(hooks.tenant, "STUDENT")
    with pytest.raises(Problem) as refusal:
        student.get("/v1/webhooks")
    assert refusal.value.status == 403


def test_a_tenant_has_at_most_fifty(hooks):
    web, _ = hooks.person(hooks._tenant())
    for _ in range(50):
        hooks.create(hooks.path(), web)
    with pytest.raises(Problem) as refusal:
        hooks.create(hooks.path(), web)
    assert refusal.value.code == "RESOURCE_EXHAUSTED"
    assert len(web.get("/v1/webhooks")["webhooks"]) == 50
    for webhook in web.get("/v1/webhooks")["webhooks"]:
        hooks.delete(hooks.await_state(webhook, "WEBHOOK_ACTIVE", web), web)


@pytest.mark.parametrize("fields, pointer", [
    ({}, "/url"), ({"url": "ftp://example.org/"}, "/url"), ({"url": "https://10.0.0.1/"}, "/url"),
    ({"url": "https://example.org:22/"}, "/url"), ({"url": "https://u:p@example.org/"}, "/url"),
    ({"url": "http://example.org/"}, "/url"),
    ({"filter": {"types": [""]}}, "/filter/types/0"),
    ({"filter": {"types": ["x"] * 65}}, "/filter/types"),
    ({"filter": {"tenantIds": ["nej"]}}, "/filter/tenantIds/0"),
    ({"description": "x" * 201}, "/description"), ({"mode": "WEBHOOK_NOTHING"}, "/mode")])
def test_a_bad_field_is_refused_by_its_name(hooks, fields, pointer):
    body = {"url": "https://hooks.example.org/in", **fields} if fields else {}
    with pytest.raises(Problem) as refusal:
        hooks.officer.post("/v1/webhooks", body)
    assert refusal.value.status == 400
    assert refusal.value.document["errors"][0]["pointer"] == pointer
    assert refusal.value.document["errors"][0]["detail"]


def test_an_update_needs_the_version_and_another_url_is_verified_first(hooks):
    path, webhook, _ = hooks.active()
    with pytest.raises(Problem) as refusal:
        hooks.officer.patch(f"/v1/webhooks/{webhook['webhookId']}", {"description": "x"}, 99)
    assert refusal.value.status == 412
    with pytest.raises(Problem) as refusal:
        hooks.update(webhook, state="WEBHOOK_DISABLED")
    assert refusal.value.document["errors"][0]["pointer"] == "/state"
    new = hooks.path()
    changed = hooks.update(webhook, url=hooks.receiver.url + new, description="flyttad")
    assert changed["state"] == "WEBHOOK_VERIFYING" and changed["description"] == "flyttad"
    hooks.await_events(new, hooks.emit(3))
    assert hooks.receiver.at(new)[0].events[0]["type"] == PINGS[0]
    assert hooks.receiver.events_at(path) == []

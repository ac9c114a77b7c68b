"""Webhooks at their ends: TLS as it is in earnest, receivers that are given up, and what officers are told
of it."""

import ssl
import subprocess

import pytest
from mail_sink import MailSink
from samverka_client import Contract, wait_for
from webhook_place import PINGS, Place, Receiver

SENDER = "no-reply@samverka.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate for this machine, and the authority that stands for it: (folder of files)."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Provets utfardare")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-extfile", "names", "-out", "own.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "2", "-keyout", "stranger.key", "-out", "stranger.pem", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost")
    return folder


@pytest.fixture(scope="module")
def hooks(make_module_cluster, authority):
    sink = MailSink()
    cluster = make_module_cluster(
        services=["registry", "events", "notifications", "gateway"],
        extra={"notifications": {"webhook_insecure_loopback": "true", "webhook_ca_file":
                                 authority / "ca.pem", "webhook_retry_thousandths": "0",
                                 "smtp_url": sink.url, "mail_from": SENDER}})
    place = Place(cluster, Contract())
    place.sink = sink
    yield place
    place.close()
    sink.stop()


def secure_receiver(folder, name):
    receiver = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    return receiver


def test_a_certificate_of_a_known_authority_is_taken_and_another_is_not(hooks, authority):
    known, strange = secure_receiver(authority, "own"), secure_receiver(authority, "stranger")
    try:
        def create(receiver, host):
            port = receiver.server.server_port
            return hooks.officer.post("/v1/webhooks", {"url": f"https://{host}:{port}/in"})["webhook"]
        hooks.await_state(create(known, "localhost"), "WEBHOOK_ACTIVE")
        for receiver, host in ((strange, "localhost"), (known, "127.0.0.1")):
            refused = hooks.await_state(create(receiver, host), "WEBHOOK_DISABLED")
            delivery, = hooks.deliveries(refused)
            assert delivery["status"] == 0 and "certificate" in delivery["error"]
        assert len(known.at("/in")) == 1 and strange.at("/in") == []
    finally:
        known.stop()
        strange.stop()
        hooks.clear()


def test_the_tenth_failure_disables_tells_the_officers_and_loses_nothing(hooks):
    finn, address = hooks.person(hooks.tenant, language="fi")
    path, webhook, _ = hooks.active()
    hooks.receiver.answer = lambda request: 500
    ids = hooks.emit(3, key="en")
    webhook = hooks.await_state(webhook, "WEBHOOK_DISABLED")
    assert webhook["reason"] == "WEBHOOK_EXHAUSTED" and webhook["pending"] == 3
    assert [request.id for request in hooks.receiver.at(path)[1:]] == [ids[0]] * 10
    mail = wait_for(lambda: hooks.sink.to(address), 30, "the mail")[0]
    assert str(mail["Subject"]) == "Webhook on poistettu käytöstä"
    assert "kymmenellä yrityksellä" in mail.get_content()
    assert "kumppanuusvastaava" in mail.get_content()
    swede = wait_for(lambda: hooks.sink.to(hooks.address), 30, "the other officer's mail")[0]
    assert str(swede["Subject"]) == "En webhook har stängts av"
    assert len(hooks.sink.to(address)) == 1
    message, = [m for m in finn.get("/v1/messages")["messages"] if m["topic"] == "WEBHOOK_STOPPED"]
    assert (message["subjectKind"], message["subjectId"]) == ("webhook", webhook["webhookId"])
    assert hooks.other.get("/v1/messages")["messages"] == []
    hooks.receiver.answer = lambda request: 200
    hooks.update(webhook, state="WEBHOOK_ACTIVE")
    assert [event["id"] for event in hooks.await_events(path, ids)] == ids
    hooks.clear()


def test_a_receiver_that_never_verifies_is_given_up_and_gets_nothing_else(hooks):
    path = hooks.path()
    hooks.receiver.answer = lambda request: 404
    webhook, _ = hooks.create(path)
    hooks.emit(2)
    assert hooks.await_state(webhook, "WEBHOOK_DISABLED")["reason"] == "WEBHOOK_EXHAUSTED"
    requests = hooks.receiver.at(path)
    assert len(requests) == 10 and {r.events[0]["type"] for r in requests} == {PINGS[0]}
    hooks.clear()


def position_of_follower(hooks):
    return hooks.execute("SELECT position FROM notifications.listener WHERE name = 'webhooks'")[0][0]


def test_more_than_ten_thousand_that_wait_are_fed_from_the_log_later(hooks):
    """A receiver that holds everything up: the rest stays in the log, and comes in order."""
    path, webhook, _ = hooks.active(mode="WEBHOOK_BATCH")
    hooks.receiver.answer = lambda request: (503, {"Retry-After": "3600"})
    ids = hooks.emit(1)
    wait_for(lambda: len(hooks.receiver.at(path)) == 2, 20, "the first try")
    for _ in range(12):
        ids += hooks.emit(1000)
    behind = wait_for(lambda: hooks.get(webhook) if hooks.get(webhook)["pending"] >= 10000 else None,
                      60, "ten thousand that wait")
    assert behind["pending"] == 10000
    head = hooks.officer.get("/v1/events?after=12000&limit=1000")[-1]["sequence"]
    wait_for(lambda: position_of_follower(hooks) >= int(head), 60, "the follower to pass them all")
    assert int(hooks.get(webhook)["position"]) < int(head)
    assert hooks.execute("SELECT count(*) FROM notifications.webhook_delivery")[0][0] < 10200
    hooks.receiver.answer = lambda request: 200
    hooks.update(webhook, state="WEBHOOK_PAUSED")
    hooks.update(webhook, state="WEBHOOK_ACTIVE")
    found = hooks.await_events(path, ids, 120)
    assert [event["id"] for event in found] == ids
    hooks.clear()

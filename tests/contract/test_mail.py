"""Mail as it arrives at a real SMTP server: once per event, again only as the same, readable in every
language, never with a header that nobody wrote."""

import datetime
import email
import email.header
import email.utils
import json
import threading
import time

import pytest
from rpc_place import contract  # noqa: F401
from journeys.world import PASSWORD, World
from mail_sink import MailSink
from samverka_client import wait_for

SENDER = "no-reply@samverka.example"


class Post:
    """A cluster whose mails go to a sink, and an officer in a tenant who gets some."""

    def __init__(self, cluster, made_contract, sink):
        self.cluster = cluster
        self.sink = sink
        self.world = World(cluster, made_contract, sink)
        self.company = self.world.add_organisation("Brevlådan AB")
        self.webs = []

    def officer(self, display_name="Åsa Öström", language="sv", topics=("VERDICT_CHANGED",)):
        """A new officer, alone in getting mail of a tenant: (address, call)."""
        address, account = self.world.add_account("mottagare", "PARTNERSHIP_OFFICER",
                                                  displayName=display_name, language=language)
        web = self.world.web(address, language=language)
        self.webs.append(web)
        for topic in topics:
            web.post("/v1/subscriptions", {"topic": topic, "email": True})
        return address, web, account

    def new_verdict(self, web):
        """One event that is worth a mail."""
        placement = web.post("/v1/placements", {
            "title": "Brev", "hostOrganisationId": self.company})["placement"]["placementId"]
        answer = web.post(f"/v1/placements/{placement}/evaluate", {"mode": "DRAFT"})
        assert answer["verdict"]["overall"] in ("INELIGIBLE", "INCOMPLETE")
        return placement

    def mail_state(self, web):
        return [message["mail"] for message in web.get("/v1/messages")["messages"]]

    def log(self):
        lines = (self.cluster.folder / "log/notifications.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def leave(self):
        """Nobody of this test gets mail any more."""
        while self.webs:
            web = self.webs.pop()
            for subscription in web.get("/v1/subscriptions")["subscriptions"]:
                web.request("DELETE", f"/v1/subscriptions/{subscription['subscriptionId']}")


@pytest.fixture(scope="module")
def post(make_module_cluster, contract):  # noqa: F811
    sink = MailSink()
    cluster = make_module_cluster(extra={"notifications": {
        "smtp_url": sink.url, "mail_from": SENDER, "mail_send_ms": 1000}})
    made = Post(cluster, contract, sink)
    yield made
    made.world.close()
    sink.stop()


@pytest.fixture(autouse=True)
def easy_sink(post):
    """Every test begins with a server that takes everything, and ends that way."""
    yield
    post.sink.release()
    post.sink.polite = True
    post.sink.answer = lambda address, mail: None
    post.sink.admit = lambda address: None
    post.sink.start()
    post.leave()


def words(mail):
    return mail.get_content().replace("\r\n", "\n")


def arrived(post, address, count=1, deadline_s=30):
    wait_for(lambda: len(post.sink.to(address)) >= count, deadline_s, f"{count} mails")
    return post.sink.to(address)


def nothing_more(post, web, address, count):
    """All of the account's mails have been sent, and there were so many."""
    wait_for(lambda: post.mail_state(web) == ["MAIL_SENT"] * count, 30,
             "every mail to be noted as sent")
    assert len(post.sink.to(address)) == count


def test_a_verdict_is_one_mail_that_a_parser_reads(post):
    address, web, _ = post.officer()
    post.new_verdict(web)
    mail, = arrived(post, address)
    nothing_more(post, web, address, 1)
    tried, = post.sink.tried(address)
    assert tried.sender == SENDER
    assert tried.recipients == [address]
    assert mail.defects == []
    assert [part.defects for part in mail.walk()] == [[]]
    assert mail["To"].addresses[0].display_name == "Åsa Öström"
    assert mail["To"].addresses[0].addr_spec == address
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["From"].addresses[0].display_name == "Samverka"
    assert str(mail["Subject"]).startswith("Bedömning: ")
    assert mail.get_content_type() == "text/plain"
    body = words(mail)
    assert body.startswith("Hej Åsa Öström,\n\nEn placering har bedömts mot programmets regler")
    assert post.cluster.url in body
    assert mail["Content-Language"] == "sv"
    assert mail["Auto-Submitted"] == "auto-generated"
    sent = email.utils.parsedate_to_datetime(mail["Date"])
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - sent).total_seconds()) < 120
    message = web.get("/v1/messages")["messages"][0]
    assert mail["Message-ID"] == f"<{message['messageId']}@samverka.example>"
    assert max(map(len, tried.raw.split(b"\r\n"))) <= 76
    assert b"\n" not in tried.raw.replace(b"\r\n", b"")
    tried.raw.decode("ascii")


@pytest.mark.parametrize("language, title, greeting", [
    ("sv", "Bedömning: ", "Hej Åsa Öström,"), ("fi", "Arvio: ", "Hei Åsa Öström,"),
    ("en", "Verdict: ", "Dear Åsa Öström,")])
def test_a_mail_is_in_the_language_of_its_reader(post, language, title, greeting):
    address, web, _ = post.officer(language=language)
    post.new_verdict(web)
    mail = arrived(post, address)[0]
    assert str(mail["Subject"]).startswith(title)
    assert words(mail).startswith(greeting)
    assert mail["Content-Language"] == language


def test_a_suggested_match_is_one_mail(post):
    address, web, _ = post.officer(topics=("MATCH_SUGGESTED",))
    skills = post.world.skills("energy-audit")
    web.post("/v1/needs", {"organisationId": post.company, "skills": skills, "publish": True,
                           "text": [{"lang": "sv", "value": "Energikartläggning"}]})
    person = web.post("/v1/people", {
        "kind": "RESEARCHER", "displayName": "Anna Forskare", "skills": skills,
        "languages": ["sv"], "capacity": 2,
        "affiliations": [{"organisationId": post.world.university, "role": "lektor"}]})["person"]
    web.put(f"/v1/people/{person['personId']}/talent-pool", {"talentPool": True},
            person["version"])
    mail = arrived(post, address)[0]
    assert str(mail["Subject"]) == "En ny matchning väntar på dig"
    wait_for(lambda: "MAIL_SENT" in post.mail_state(web), 10, "the note")
    ids = [m["Message-ID"] for m in post.sink.to(address)]
    assert len(ids) == len(set(ids)) == len(web.get("/v1/messages")["messages"])


NAMES = ['Åsa "Öst" Öström', "O'Brien, Anna <chef@example.org>", "=?UTF-8?B?QmNjOg==?=",
         "a" * 200, "ö" * 200, "Bcc: alla@example.org", "日本 太郎", "😀 Glad",
         "=?utf-8?q?Bcc:_x@example.org?=", "(kommentar) namn; x", "\\\" namn", "a@b.example"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_a_name(post, name):
    address, web, _ = post.officer(display_name=name)
    post.new_verdict(web)
    mail = arrived(post, address)[0]
    to = mail["To"].addresses
    assert [a.addr_spec for a in to] == [address]
    # The modern parser of Python 3.11 puts spaces between encoded words of a name (RFC 2047, 6.2:
    # they are to be ignored); the older one reads them right.
    raw, = post.sink.tried(address)
    shown, _ = email.utils.parseaddr(email.message_from_bytes(raw.raw)["To"])
    assert str(email.header.make_header(email.header.decode_header(shown))) == name
    assert set(mail.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "Content-Language",
                                "Auto-Submitted", "MIME-Version", "Content-Type",
                                "Content-Transfer-Encoding"}
    assert len(mail.keys()) == 10
    assert words(mail).startswith(f"Hej {name},\n")


@pytest.mark.parametrize("name", ["Anna\r\nBcc: alla@example.org", "Anna\nX: y", "Anna\rX",
                                  "Anna\x00"])
def test_a_name_with_a_line_end_is_refused_before_it_is_stored(post, name):
    with pytest.raises(Exception) as refusal:
        post.officer(display_name=name)
    assert getattr(refusal.value, "code", "") == "INVALID_ARGUMENT"
    assert refusal.value.field == "display_name"


@pytest.mark.parametrize("address", ["a@example.org\r\nBcc: b@example.org", "a@example.org, b@c.example",
                                     "a b@example.org", "<a@example.org>", "a@example.org\x00",
                                     "a\"b@example.org", "a@@example.org", "a@example"])
def test_a_bad_address_is_refused_before_it_is_stored(post, address):
    with pytest.raises(Exception) as refusal:
        post.world.call("registry.v1.Accounts/CreateAccount",
                        {"email": address, "displayName": "Anna", "password": PASSWORD,
                         "language": "sv", "roles": ["PARTNERSHIP_OFFICER"]},
                        tenant=post.world.tenant)
    assert (refusal.value.code, refusal.value.field) == ("INVALID_ARGUMENT", "email")


def test_a_line_break_that_got_into_the_database_leaves_in_no_header(post):
    """The last gate: a name no door would have taken."""
    address, web, account = post.officer()
    with post.cluster.postgres.connect("samverka", "postgres") as database:
        with database.cursor() as cursor:
            cursor.execute("UPDATE registry.account SET display_name = %s WHERE id = %s",
                           ("Anna\r\nBcc: alla@example.org", account))
    post.new_verdict(web)
    wait_for(lambda: post.mail_state(web) == ["MAIL_PARKED"], 20, "the mail to be parked")
    assert post.sink.tried(address) == []


def test_a_server_that_says_later_gets_the_same_mail_later(post):
    address, web, _ = post.officer()
    answers = iter(["451 come back", "421 busy"])
    post.sink.answer = lambda to, mail: next(answers, None) if to == address else None
    post.new_verdict(web)
    mails = wait_for(lambda: len(post.sink.tried(address)) >= 2 and post.sink.tried(address), 20,
                     "a second try")
    assert len({mail.parsed["Message-ID"] for mail in mails}) == 1
    with post.cluster.postgres.connect("samverka", "postgres") as database:
        with database.cursor() as cursor:  # the third would be due in half a minute
            cursor.execute("UPDATE notifications.mail SET due_at = now() WHERE state = 1")
            cursor.execute("UPDATE notifications.mailbag SET due_at = now()")
    arrived(post, address)
    nothing_more(post, web, address, 1)
    assert len({mail.parsed["Message-ID"] for mail in post.sink.tried(address)}) == 1


def test_a_recipient_refused_for_good_parks_the_mail(post):
    address, web, _ = post.officer()
    post.sink.admit = lambda to: "550 no such user" if to == address else None
    post.new_verdict(web)
    wait_for(lambda: post.mail_state(web) == ["MAIL_PARKED"], 20, "the mail to be parked")
    parked = [line for line in post.log() if line["event"] == "mail parked"]
    assert "550" in parked[-1]["reason"]
    assert address not in json.dumps(post.log())  # no personal data in the log


def test_a_mail_refused_for_good_parks_it(post):
    address, web, _ = post.officer()
    post.sink.answer = lambda to, mail: "554 spam" if to == address else None
    post.new_verdict(web)
    wait_for(lambda: post.mail_state(web) == ["MAIL_PARKED"], 20, "the mail to be parked")
    assert len(post.sink.tried(address)) == 1


def test_one_that_is_refused_holds_no_other_up(post):
    gone, gone_web, _ = post.officer()
    address, web, _ = post.officer()
    post.sink.admit = lambda to: "550 no such user" if to == gone else None
    post.new_verdict(web)
    arrived(post, address)
    wait_for(lambda: post.mail_state(gone_web) == ["MAIL_PARKED"], 20, "the other to be parked")


def test_without_a_server_mails_wait_and_then_come_once(post):
    address, web, _ = post.officer()
    post.sink.stop()
    post.new_verdict(web)
    wait_for(lambda: post.mail_state(web), 10, "the message")
    message = web.get("/v1/messages")["messages"][0]["messageId"]
    wait_for(lambda: any(line["event"] == "mail put off" and line["message_id"] == message
                         for line in post.log()), 20, "a try that failed")
    assert post.mail_state(web)[0] in ("MAIL_PENDING", "MAIL_SENDING")
    post.sink.start()
    arrived(post, address)
    nothing_more(post, web, address, 1)


def test_a_server_that_hangs_is_left_after_the_limit(post):
    address, web, _ = post.officer()
    post.sink.hold()
    post.new_verdict(web)
    began = time.monotonic()
    wait_for(lambda: "MAIL_PENDING" in post.mail_state(web) and post.sink.tried(address), 20,
             "the try to be given up")
    assert time.monotonic() - began < 10
    post.sink.release()
    arrived(post, address)
    assert len({mail.parsed["Message-ID"] for mail in post.sink.tried(address)}) == 1


def test_a_server_that_takes_the_mail_and_hangs_gets_it_once(post):
    address, web, _ = post.officer()
    post.sink.polite = False
    began = time.monotonic()
    post.new_verdict(web)
    nothing_more(post, web, address, 1)
    assert time.monotonic() - began < 10


def test_killed_between_the_lease_and_the_note_the_same_mail_comes_again_at_worst(post):
    """The server has the mail and says nothing; notifications is killed at that moment."""
    address, web, _ = post.officer()
    post.sink.hold()
    post.new_verdict(web)
    wait_for(lambda: post.sink.tried(address), 20, "the mail to be on its way")
    post.cluster.kill("notifications")
    post.sink.release()
    post.cluster.start_service("notifications")
    assert post.mail_state(web) == ["MAIL_SENDING"]
    mail, = arrived(post, address, deadline_s=40)
    nothing_more(post, web, address, 1)
    first, *others = post.sink.tried(address)
    assert others
    assert {m.parsed["Message-ID"] for m in others} == {first.parsed["Message-ID"]}
    assert {words(m.parsed) for m in others} == {words(first.parsed)}
    assert mail["Message-ID"] == first.parsed["Message-ID"]


def test_two_instances_send_every_mail_once(make_cluster, contract):  # noqa: F811
    sink = MailSink()
    cluster = make_cluster(slots={"notifications": 2}, extra={"notifications": {
        "smtp_url": sink.url, "mail_from": SENDER}})
    made = Post(cluster, contract, sink)
    try:
        cluster.scale("notifications", 2)
        address, web, _ = made.officer()
        workers = [threading.Thread(target=made.new_verdict, args=(made.world.web(address),))
                   for _ in range(20)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        arrived(made, address, count=20, deadline_s=60)
        nothing_more(made, web, address, 20)
        assert len({mail["Message-ID"] for mail in sink.to(address)}) == 20
    finally:
        made.world.close()
        sink.stop()

"""Events over HTTP, and what happens to them when a part of the cluster stops."""

import http.client
import json
import socket
import threading

from http_place import contract, place, strict, try_tenants  # noqa: F401
from samverka_client import wait_for


class Stream:
    """Server-sent events on a thread, as they come."""

    def __init__(self, browser, query="", last=None):
        self.connection = http.client.HTTPConnection(browser.host, timeout=30)
        headers = {"Accept": "text/event-stream"}
        if browser.cookie:
            headers["Cookie"] = browser.cookie
        if browser.token:
            headers["Authorization"] = f"Bearer {browser.token}"
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

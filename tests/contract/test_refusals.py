"""What docs/protocol.md says is refused, and how: row by row of its table, at the socket."""

import pytest

from events_place import (  # noqa: F401
    alone, await_head, client, cluster, enrol, event, follow, publish, read_to, TENANTS, writer)

INVALID, TOO_LARGE, KEY_REUSED = 3, 20, 19


class Peer:
    """A system that says what it likes, frame by frame."""

    def __init__(self, cluster, client, **rights):
        self.keys, _ = enrol(cluster, TENANTS[:1], **rights)
        server = (cluster.key_folder / "events.pub").read_bytes().strip()
        self.client, self.stream = client, client.stream
        self.connect = lambda: client.connect(cluster.stream_endpoint, server, *self.keys)
        self.socket = self.connect()
        self.numbers = 0
        self.ask(b"")  # until the key is known

    def ask(self, *frames):
        """The first answer that is neither a batch nor a heartbeat."""
        for _ in range(5):  # a key that was enrolled just now is not known yet
            self.socket.send_multipart(frames)
            while self.socket.poll(2500):
                frame = self.stream.ServerFrame.FromString(self.socket.recv_multipart()[0])
                kind = frame.WhichOneof("frame")
                if kind in ("ended", "append_outcome"):
                    return getattr(frame, kind)
            self.socket.close()
            self.socket = self.connect()
        raise AssertionError("no answer")

    def follow(self, **fields):
        return self.ask(self.stream.ClientFrame(
            follow=self.stream.Follow(**{"credit": 10, **fields})).SerializeToString())

    def say(self, **frame):
        return self.ask(self.stream.ClientFrame(**frame).SerializeToString())

    def append(self, *events, source="/samverka", number=None):
        self.numbers += 1
        batch = self.client.cloudevents.CloudEventBatch(events=events)
        return self.ask(self.stream.ClientFrame(append=self.stream.Append(
            source=source, batch_number=number or self.numbers)).SerializeToString(),
            batch.SerializeToString())


@pytest.fixture
def peer(cluster, client):
    return Peer(cluster, client, appends=["com.example."])


def mine(client, **more):
    return event(client, "", "com.example.order.v1", **more)


@pytest.mark.parametrize("field, terms", [
    ("types", ["a"] * 9990), ("tenant_ids", [TENANTS[0]] * 257), ("subjects", ["s"] * 257),
    ("programmes", ["KTP"] * 65), ("nuts", ["SE"] * 65), ("concepts", ["c"] * 257),
    ("types", [""]), ("types", ["x" * 129]), ("tenant_ids", ["nobody"]), ("nuts", [""]),
    ("concepts", ["x" * 129])])
def test_a_filter_beyond_its_limits_is_refused_by_name(peer, field, terms):
    ended = peer.follow(filter=peer.stream.Filter(**{field: terms}))
    assert ended.code == INVALID and f"filter.{field}" in ended.detail, ended.detail


def test_ten_thousand_terms_are_refused(peer):
    for terms in (10000, 100000):
        ended = peer.follow(filter=peer.stream.Filter(types=["a"] * terms))
        assert ended.code == INVALID and ended.detail


@pytest.mark.parametrize("credit", [0, 100001, 2**32 - 1])
def test_a_first_credit_beyond_its_limits_is_refused(peer, credit):
    ended = peer.follow(credit=credit)
    assert ended.code == INVALID and ended.detail.startswith("follow.credit: ")


def test_a_credit_that_overflows_the_sum_ends_the_follow(peer):
    peer.socket.send(peer.stream.ClientFrame(
        follow=peer.stream.Follow(credit=100000)).SerializeToString())
    assert peer.socket.poll(5000)
    ended = peer.say(credit=peer.stream.Credit(events=1))
    assert ended.code == INVALID and ended.detail.startswith("credit.events: ")
    ended = peer.say(credit=peer.stream.Credit(events=0))
    assert ended.code == INVALID and ended.detail.startswith("credit.events: ")


@pytest.mark.parametrize("after", [6, 2**62, 2**63, 2**64 - 1])
def test_a_position_from_the_future_is_refused(cluster, client, peer, after):
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0]) for _ in range(5)])
    await_head(cluster, 5)
    ended = peer.follow(after=after)
    assert ended.code == INVALID and ended.detail.startswith("follow.after: ")


@pytest.mark.parametrize("fields, place", [
    ({"consumer": "Big"}, "follow.consumer: "), ({"consumer": "x" * 65}, "follow.consumer: "),
    ({"consumer": "a b"}, "follow.consumer: "), ({"shared": True}, "follow.shared: ")])
def test_a_consumer_with_a_wrong_name_is_refused(peer, fields, place):
    ended = peer.follow(**fields)
    assert ended.code == INVALID and ended.detail.startswith(place)


def test_an_acknowledgement_of_nothing_ends_the_follow(peer):
    for consumer, place in (("", "ack: "), ("crm", "ack.delivery: ")):
        peer.socket.send(peer.stream.ClientFrame(follow=peer.stream.Follow(
            credit=10, consumer=consumer)).SerializeToString())
        assert peer.socket.poll(5000)
        ended = peer.say(ack=peer.stream.Ack(delivery=7))
        assert ended.code == INVALID and ended.detail.startswith(place), ended.detail


def test_messages_have_as_many_frames_as_they_should(peer):
    frames = peer.stream.ClientFrame
    for message in ([frames(follow=peer.stream.Follow(credit=1)), b""],
                    [frames(append=peer.stream.Append(source="/x", batch_number=1))]):
        ended = peer.ask(*[part if isinstance(part, bytes) else part.SerializeToString()
                           for part in message])
        assert ended.code == INVALID and ended.detail.startswith("frame: ")


@pytest.mark.parametrize("attribute", ["sequence", "tenantsequence", "tenantid", "audience"])
def test_an_attribute_that_the_log_gives_is_refused(client, peer, attribute):
    bad = mine(client)
    bad.attributes[attribute].ce_string = TENANTS[0]
    outcome = peer.append(mine(client), bad)
    assert outcome.code == INVALID, outcome
    assert outcome.detail.startswith("batch.events[1].attributes."), outcome


def test_an_event_over_the_limit_is_refused_and_the_largest_is_not(client, peer):
    large = mine(client)
    large.binary_data = b"x" * (16 << 10)
    outcome = peer.append(large)
    assert outcome.code in (INVALID, TOO_LARGE) and outcome.detail.startswith("batch.events[0]")
    while large.ByteSize() > 16 << 10:
        large.binary_data = large.binary_data[1:]
    assert peer.append(large).code == 0


@pytest.mark.parametrize("spoil, place", [
    (lambda one: setattr(one, "id", ""), "id"), (lambda one: setattr(one, "type", ""), "type"),
    (lambda one: setattr(one, "source", "/elsewhere"), "source"),
    (lambda one: setattr(one, "spec_version", "2.0"), "spec_version")])
def test_a_malformed_event_is_refused_at_its_place(client, peer, spoil, place):
    bad = mine(client)
    spoil(bad)
    outcome = peer.append(mine(client), mine(client), bad)
    assert outcome.code == INVALID and outcome.detail.startswith(f"batch.events[2].{place}")


def test_an_empty_batch_and_one_of_a_thousand_and_one_are_refused(client, peer):
    for batch in ([], [mine(client) for _ in range(1001)]):
        outcome = peer.append(*batch)
        assert outcome.code == INVALID and outcome.detail.startswith("batch: ")


def test_an_id_with_other_content_is_refused_by_name_and_with_the_same_left_out(client, peer):
    first, second = mine(client), mine(client)
    assert (peer.append(first).code, peer.append(first, second).duplicates) == (0, 1)
    first.binary_data = b"other"
    outcome = peer.append(mine(client), first)
    assert outcome.code == KEY_REUSED and first.id in outcome.detail, outcome
    assert peer.append(second).first_position == 0


def test_what_nobody_knows_is_kept(cluster, client, peer):
    known = mine(client)
    known.attributes["comexampleunheardof"].ce_integer = 7
    strange = known.SerializeToString() + b"\xfa\x3e\x05later"  # field 1007, text
    framed = b"\x0a" + bytes([len(strange) | 0x80, len(strange) >> 7]) if len(strange) > 127 \
        else b"\x0a" + bytes([len(strange)])
    outcome = peer.ask(peer.stream.ClientFrame(append=peer.stream.Append(
        source="/samverka", batch_number=1)).SerializeToString(), framed + strange)
    assert outcome.code == 0, outcome
    got = read_to(follow(client, cluster, peer.keys), outcome.last_position)[-1]
    assert got.attributes["comexampleunheardof"].ce_integer == 7
    assert got.SerializeToString().startswith(known.SerializeToString()[:40])
    assert b"\xfa\x3e\x05later" in got.SerializeToString()
    frame = peer.stream.ClientFrame(follow=peer.stream.Follow(credit=5)).SerializeToString()
    peer.socket.send(frame + b"\xfa\x3e\x05later")
    assert peer.socket.poll(5000)
    answer = peer.stream.ServerFrame.FromString(peer.socket.recv_multipart()[0])
    assert answer.WhichOneof("frame") != "ended", "an unknown field of a frame is skipped"

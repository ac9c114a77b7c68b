"""The event stream as an outside system sees it: clients/python/follow.py, written from proto/ and
docs/ alone."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psycopg2
import pytest
from servers import wait_for

from events_place import (  # noqa: F401
    alone, await_head, await_leader, client, cluster, DEADLINE_S, enrol, event, execute, follow, head, number, own_key, publish, read_to, ROOT, start, TENANTS, writer)


def test_a_stranger_with_an_enrolled_key_gets_every_event_in_order_without_a_gap(cluster, client):
    keys, _ = enrol(cluster, TENANTS)
    connection = writer(cluster)
    sent = []
    for i in range(40):
        tenant = TENANTS[i % 2]
        batch = [event(client, tenant, subject=f"{i}-{j}") for j in range(1 + i % 5)]
        publish(connection, tenant, batch)
        sent += batch
    got = read_to(follow(client, cluster, keys), len(sent))
    assert [number(item) for item in got] == list(range(1, len(sent) + 1))
    assert [item.id for item in got] == [item.id for item in sent]
    for tenant in TENANTS:
        own = [number(item, "tenantsequence") for item in got
               if item.attributes["tenantid"].ce_string == tenant]
        assert own == list(range(1, len(own) + 1))
    for one, other in zip(got, sent):
        assert (one.source, one.type, one.binary_data) == (other.source, other.type,
                                                           other.binary_data)
        assert one.attributes["subject"].ce_string == other.attributes["subject"].ce_string


def test_the_command_prints_what_comes(cluster, client, tmp_path):
    (public, secret), _ = enrol(cluster, TENANTS[:1])
    (tmp_path / "mine.pub").write_bytes(public + b"\n")
    (tmp_path / "mine.key").write_bytes(secret + b"\n")
    items = [event(client, TENANTS[0]) for _ in range(3)]
    publish(writer(cluster), TENANTS[0], items)
    with subprocess.Popen(
            [sys.executable, ROOT / "clients/python/follow.py", cluster.stream_endpoint,
             cluster.key_folder / "events.pub", tmp_path / "mine", "1"],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as process:
        lines = [process.stdout.readline().split() for _ in range(2)]
        process.send_signal(signal.SIGKILL)
    assert lines == [[f"{i:019d}", items[i - 1].type, items[i - 1].id] for i in (2, 3)]


def test_a_system_with_rights_to_one_tenant_gets_exactly_that_tenant(cluster, client):
    keys, _ = enrol(cluster, TENANTS[:1])
    connection = writer(cluster)
    total = 0
    for tenant in TENANTS:
        for audience in ("", tenant, "internal", "public", ",".join(TENANTS)):
            publish(connection, tenant, [event(client, tenant, audience=audience)])
            total += 1
    got = read_to(follow(client, cluster, keys), total)
    seen = [(TENANTS.index(item.attributes["tenantid"].ce_string),
             item.attributes["audience"].ce_string) for item in got]
    assert seen == [(0, ""), (0, TENANTS[0]), (0, "public"), (0, ",".join(TENANTS)),
                    (1, "public"), (1, ",".join(TENANTS))]
    own = read_to(follow(client, cluster, own_key(cluster)), total)
    assert len(own) == total


def test_a_filter_narrows_by_type_tenant_and_subject(cluster, client):
    keys, _ = enrol(cluster, TENANTS, types=["org.samverka."])
    connection = writer(cluster)
    publish(connection, TENANTS[0], [
        event(client, TENANTS[0], "org.samverka.need.published.v1", subject="a"),
        event(client, TENANTS[0], "org.samverka.person.added.v1", subject="b"),
        event(client, TENANTS[0], "com.example.thing.v1", subject="a")])
    publish(connection, TENANTS[1], [
        event(client, TENANTS[1], "org.samverka.need.published.v1", subject="b"),
        event(client, TENANTS[1], "org.samverka.need.published.v1", subject="last")])

    def positions(**wanted):
        return [number(item) for item in read_to(follow(client, cluster, keys, **wanted), 5)]
    assert positions() == [1, 2, 4, 5]
    assert positions(types=["org.samverka.need.", "x"]) == [1, 4, 5]
    assert positions(tenant_ids=[TENANTS[1]]) == [4, 5]
    assert positions(subjects=["a"]) == [1]
    assert positions(types=["org.samverka.person."], subjects=["a"]) == []


def test_a_revoked_key_is_ended_within_five_seconds(cluster, client):
    keys, system = enrol(cluster, TENANTS)
    connection = writer(cluster)
    publish(connection, TENANTS[0], [event(client, TENANTS[0])])
    stream = follow(client, cluster, keys)
    assert len(read_to(stream, 1)) == 1
    execute(cluster, "DELETE FROM events.test_system WHERE system_id = %s", system)
    revoked = time.monotonic()
    with pytest.raises(ConnectionError, match="^7: "):
        next(stream)
    assert time.monotonic() - revoked < 5


@pytest.mark.parametrize("after, code, words", [(8, 3, "the log ends at 7"), (2, 24, "kept")])
def test_positions_that_cannot_be_served_are_refused(cluster, client, after, code, words):
    connection = writer(cluster)
    publish(connection, TENANTS[0], [event(client, TENANTS[0]) for _ in range(7)])
    await_head(cluster, 7)
    execute(cluster, "UPDATE events.head SET first_kept = 3")
    cluster["events"].stop()
    cluster.start_service("events")
    with pytest.raises(ConnectionError, match=f"^{code}: .*{words}"):
        next(follow(client, cluster, own_key(cluster), after=after))


class Dealer:
    """A peer that says what it likes."""

    def __init__(self, client, cluster):
        server = (cluster.key_folder / "events.pub").read_bytes().strip()
        self.stream = client.stream
        self.socket = client.connect(cluster.stream_endpoint, server, *own_key(cluster))

    def ask(self, *frames):
        self.socket.send_multipart(frames)
        assert self.socket.poll(5000), "no answer"
        answer = self.stream.ServerFrame.FromString(self.socket.recv_multipart()[0])
        return answer.ended


def bad_frames(stream):
    frame, follow_, filter_ = stream.ClientFrame, stream.Follow, stream.Filter
    credit = frame(follow=follow_(credit=10)).SerializeToString()
    nested = b""
    for _ in range(10000):
        nested = b"\x0a" + varint(len(nested)) + nested
    return {
        "nothing": b"",
        "noise": bytes(range(256)),
        "cut": credit[:-1],
        "no frame": b"\x3a\x01x",
        "nested": nested,
        "no credit": frame(follow=follow_()).SerializeToString(),
        "much credit": frame(follow=follow_(credit=100001)).SerializeToString(),
        "position": frame(follow=follow_(after=2**63, credit=1)).SerializeToString(),
        "tenant": frame(follow=follow_(credit=1, filter=filter_(
            tenant_ids=["TENANT"]))).SerializeToString(),
        "many terms": frame(follow=follow_(credit=1, filter=filter_(
            types=["a"] * 9999))).SerializeToString(),
        "long term": frame(follow=follow_(credit=1, filter=filter_(
            subjects=["x" * 129]))).SerializeToString(),
        "not UTF-8": b"\x0a\x07\x12\x03\x0a\x01\xff\x18\x01",
        "NUL": b"\x0a\x07\x12\x03\x0a\x01\x00\x18\x01",
    }


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_malformed_frames_get_the_documented_end_and_harm_nobody(cluster, client):
    dealer = Dealer(client, cluster)
    for name, bad in bad_frames(client.stream).items():
        ended = dealer.ask(bad)
        assert ended.code == 3 and ended.detail, name
    unfollow = client.stream.ClientFrame(unfollow=client.stream.Unfollow()).SerializeToString()
    assert dealer.ask(unfollow, b"x").detail == "frame: such a message has 1 frames, not 2"
    generator = random.Random(20261122)
    good = client.stream.ClientFrame(follow=client.stream.Follow(
        after=3, credit=7, filter=client.stream.Filter(types=["a"]))).SerializeToString()
    for _ in range(300):  # answered or not, nothing may fall over
        broken = bytearray(good)
        for _ in range(generator.randint(1, 4)):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        dealer.socket.send(bytes(broken))
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0])])
    assert len(read_to(follow(client, cluster, own_key(cluster)), 1)) == 1
    assert cluster["events"].pid is not None


def test_an_oversized_frame_costs_the_connection_and_nothing_else(cluster, client):
    dealer = Dealer(client, cluster)
    dealer.socket.send(b"\x0a" * (2 << 20))
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0])])
    assert len(read_to(follow(client, cluster, own_key(cluster)), 1)) == 1


class Writers:
    """Several at once, some of whose transactions are taken back; go on when Postgres dies."""

    def __init__(self, cluster, client, count=12, pause_s=0):
        self.cluster, self.client, self.pause_s = cluster, client, pause_s
        self.stop = threading.Event()
        self.known = [[] for _ in range(count)]    # acknowledged, in order
        self.unsure = [set() for _ in range(count)]  # the commit's answer was lost
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(count)]

    def run(self, n):
        generator, tenant, connection = random.Random(n), TENANTS[n % 2], None
        while not self.stop.is_set():
            items = [event(self.client, tenant) for _ in range(generator.randint(1, 4))]
            commit = generator.random() > 0.05
            try:
                if connection is None:
                    connection = writer(self.cluster)
                publish(connection, tenant, items, commit)
                if commit:
                    self.known[n] += [item.id for item in items]
                self.stop.wait(self.pause_s)
            except psycopg2.Error:
                connection = None
                if commit:
                    self.unsure[n].update(item.id for item in items)
                self.stop.wait(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def acknowledged(self):
        return sum(map(len, self.known))

    def await_acknowledged(self, count):
        wait_for(lambda: self.acknowledged() >= count, 60, f"{count} acknowledged events")


def check_whole_log(client, cluster, writers):
    """Nothing lost, nothing twice, order kept, two readings equal, each number in its place."""
    wait_for(lambda: not execute(cluster, "SELECT count(*) FROM events.outbox")[0][0],
             DEADLINE_S, "the outbox to be emptied")
    last = head(cluster)
    first = read_to(follow(client, cluster, own_key(cluster)), last)
    second = read_to(follow(client, cluster, own_key(cluster)), last)
    assert [item.SerializeToString(deterministic=True) for item in first] == \
           [item.SerializeToString(deterministic=True) for item in second]
    assert [number(item) for item in first] == list(range(1, last + 1))
    place = {item.id: number(item) for item in first}
    assert len(place) == last, "an event is in the log twice"
    expected = set()
    for known, unsure in zip(writers.known, writers.unsure):
        positions = [place[i] for i in known]  # KeyError: lost
        assert positions == sorted(positions)
        expected.update(known, unsure)
    assert set(place) <= expected, "a transaction that was taken back is in the log"


def test_twelve_writers_with_rollbacks_leave_no_gap_and_lose_nothing(cluster, client):
    with Writers(cluster, client) as writers:
        writers.await_acknowledged(3000)
    check_whole_log(client, cluster, writers)


def test_crashes_of_postgres_and_of_the_sequencer_lose_nothing(make_cluster, client):
    cluster = start(make_cluster, durable=True)
    with Writers(cluster, client, 6) as writers:
        for round_ in range(1, 4):
            writers.await_acknowledged(round_ * 400)
            cluster.postgres.stop_immediately()
            cluster.postgres.start()
            writers.await_acknowledged(round_ * 400 + 200)
            cluster.kill("events")
            cluster.start_service("events")
    check_whole_log(client, cluster, writers)


def test_a_stopped_leader_is_replaced_within_five_seconds_and_never_numbers_again(make_cluster,
                                                                                 client):
    cluster = start(make_cluster, slots={"events": 2})
    cluster.start_service("events-2")
    with Writers(cluster, client, 6, pause_s=0.02) as writers:
        for round_ in range(1, 3):
            writers.await_acknowledged(round_ * 300)
            stopped = await_leader(cluster)
            before = head(cluster)
            stopped.send(signal.SIGSTOP)
            # What was under way, and then more.
            wait_for(lambda last=before: head(cluster) >= last + 100, 5, "a fellow to take over")
            stopped.send(signal.SIGCONT)
            writers.await_acknowledged(round_ * 300 + 150)
    check_whole_log(client, cluster, writers)


def test_every_instance_serves_the_same_log_live(make_cluster, client):
    cluster = start(make_cluster, slots={"events": 2})
    cluster.start_service("events-2")
    connection = writer(cluster)
    endpoints = [cluster.stream_endpoint, f"tcp://127.0.0.1:{cluster.ports['events-2.stream']}"]
    streams = [follow(client, cluster, own_key(cluster), endpoint=one) for one in endpoints]
    logs = [[], []]
    for round_ in range(1, 21):
        publish(connection, TENANTS[0], [event(client, TENANTS[0])])
        for log, stream in zip(logs, streams):
            log += read_to(stream, round_)
    assert [item.id for item in logs[0]] == [item.id for item in logs[1]]
    assert len(logs[0]) == 20
    with contextlib.suppress(StopIteration):
        for stream in streams:
            stream.close()

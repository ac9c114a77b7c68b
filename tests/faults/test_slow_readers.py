"""A reader that is slow, or stopped, harms nobody, costs little, is told, and completes later."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from events_place import ROOT, own_key, start

from faults.raw import Connection
from faults.swarm import Clockwork, Sse, SseSwarm, ZmqSwarm, insert, made
from faults.traffic import await_drained
from samverka_client import wait_for

READERS = 98        # and a slow one, and a stopped one
PREFILL = 3000      # events of PREFILL_BYTES: more than all buffers between two processes hold
PREFILL_BYTES = 15000
PEER_MIB = 64       # what one slow reader may cost
TOO_SLOW, UNAVAILABLE = 8, 14


class Rates:
    """Of the short form: what a sanitized build serves beside others' work."""

    def __init__(self, full):
        self.events, self.per_second = (10, 100) if full else (4, 15)
        self.quiet_s, self.slow_s = (60, 120) if full else (4, 7)

    def bound(self, before, full):
        return 1.1 * before if full else 3 * before + 0.3


def prefill(cluster, client, size=PREFILL_BYTES, count=PREFILL):
    connection = cluster.postgres.connect("samverka", "app_registry")
    for _ in range(count // 100):
        insert(connection, [made(client, size) for _ in range(100)])
    connection.close()
    return await_drained(cluster)


def resident_mib(instance):
    status = pathlib.Path(f"/proc/{instance.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def allowed_mib(cluster, slow):
    # A sanitizer keeps what is freed for a while: 256 MiB.
    return slow * PEER_MIB + (300 if cluster.build.name == "asan" else 0)


class Stopped:
    """clients/python/follow.py as a process of its own, to be stopped; prints what it got."""

    def __init__(self, client, cluster, folder):
        self.path = folder / "stopped.txt"
        public, secret = own_key(cluster)
        (folder / "own.pub").write_bytes(public)
        (folder / "own.key").write_bytes(secret)
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "clients/python/follow.py", cluster.stream_endpoint,
                 cluster.key_folder / "events.pub", folder / "own", "0"], stdout=out,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def positions(self):
        return [int(line.split()[0]) for line in self.path.read_text().splitlines()]

    def stop(self):
        wait_for(self.positions, 30, "the reader to begin")
        self.process.send_signal(signal.SIGSTOP)

    def complete(self, position, deadline_s):
        self.process.send_signal(signal.SIGCONT)
        try:
            wait_for(lambda: f"{position:019d} " in self.path.read_text(), deadline_s,
                     "the stopped reader to complete")
        finally:
            self.process.kill()
            self.process.wait()
        assert self.positions()[:position] == list(range(1, position + 1))


def read_one_a_second(connection, until):
    """Gives how far it came."""
    through = 0
    while time.monotonic() < until:
        due = time.monotonic() + 1
        kind, frame, _ = connection.receive(1000)
        assert kind != "ended", "it was ended before it was slow"
        if kind == "batch":
            through = frame.through
        wait_for(lambda at=due: time.monotonic() >= min(at, until), 5, "a second")
    return through


def await_ended(connection, through, last):
    """Reads on without pause: what was under way, then the last message."""
    while through < last:
        kind, frame, _ = connection.receive(15000)
        assert kind, "neither events nor a last message came"
        if kind == "ended":
            return frame, through
        if kind == "batch":
            assert frame.after == through
            through = frame.through
    raise AssertionError("it was slow, and served all the same")


@pytest.mark.promise("R13")
def test_slow_followers_harm_nobody_and_complete_later(make_cluster, client, tmp_path, full,
                                                       figure):
    cluster, rates = start(make_cluster), Rates(full)
    after = prefill(cluster, client)
    writer = Clockwork(cluster, client, rates.events, rates.per_second, 300, after)
    swarm = ZmqSwarm(client, cluster, writer, READERS, after)
    swarm.start()
    writer.start()
    wait_for(lambda: swarm.all_at(after + 1), 60, "all readers to follow")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + rates.quiet_s, 300, "the quiet time")
    memory = resident_mib(cluster["events"])
    # It says that it is alive, and does not mind that it reads no answer to that.
    slow = Connection(client, cluster, rcvhwm=1, rcvbuf=65536, heartbeat_timeout=60000)
    stopped = Stopped(client, cluster, tmp_path)
    slow.follow(0, credit=100000)
    stopped.stop()
    slowed = time.monotonic()
    through = read_one_a_second(slow, slowed + rates.slow_s)
    grown = resident_mib(cluster["events"]) - memory
    ended = time.monotonic()
    last = writer.stop()
    wait_for(lambda: swarm.all_at(last), 30, "all readers to have everything")
    swarm.stop()
    frame, through = await_ended(slow, through, last)
    # One that stays away for long finds its follow forgotten, and is told that.
    assert frame.code == TOO_SLOW or (full and frame.code == UNAVAILABLE), frame
    assert "follow" in frame.detail and frame.through <= last
    slow.follow(through, credit=100000)
    while through < last:
        kind, frame, _ = slow.receive(15000)
        assert kind != "ended" and kind, frame
        if kind == "batch":
            assert frame.after == through
            through = frame.through
    slow.close()
    stopped.complete(last, 120)
    quiet, beside = swarm.p99(began, slowed), swarm.p99(slowed, ended)
    assert beside <= rates.bound(quiet, full), f"p99 {quiet:.3f} s, then {beside:.3f} s"
    assert grown <= allowed_mib(cluster, 2), f"{grown:.0f} MiB more"
    figure("R13", readers="ZeroMQ", events_per_second=rates.events * rates.per_second,
           p99_quiet_ms=round(quiet * 1000), p99_beside_slow_ms=round(beside * 1000),
           grown_mib=round(grown))


@pytest.mark.promise("R13")
def test_slow_clients_of_the_http_stream_harm_nobody_and_complete_later(
        make_cluster, client, full, figure):
    cluster, rates = make_cluster(), Rates(full)
    after = prefill(cluster, client)
    port = cluster.ports["http"]
    writer = Clockwork(cluster, client, rates.events, rates.per_second, 300, after)
    swarm = SseSwarm(port, writer, READERS, after)
    swarm.start()
    writer.start()
    wait_for(lambda: swarm.all_at(after + 1), 60, "all clients to follow")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + rates.quiet_s, 300, "the quiet time")
    memory = resident_mib(cluster["gateway"])
    slow, stopped = Sse(port, 0, 8192), Sse(port, 0, 8192)
    slowed = time.monotonic()
    while time.monotonic() < slowed + rates.slow_s:
        due = time.monotonic() + 1
        slow.take(1000)
        wait_for(lambda at=due: time.monotonic() >= at, 5, "a second")
    grown = resident_mib(cluster["gateway"]) - memory
    ended = time.monotonic()
    last = writer.stop()
    wait_for(lambda: swarm.all_at(last), 30, "all clients to have everything")
    swarm.stop()
    for one in (slow, stopped):
        complete(one, port, last)
    quiet, beside = swarm.p99(began, slowed), swarm.p99(slowed, ended)
    assert beside <= rates.bound(quiet, full), f"p99 {quiet:.3f} s, then {beside:.3f} s"
    assert grown <= allowed_mib(cluster, 2), f"{grown:.0f} MiB more"
    figure("R13", readers="SSE", events_per_second=rates.events * rates.per_second,
           p99_quiet_ms=round(quiet * 1000), p99_beside_slow_ms=round(beside * 1000),
           grown_mib=round(grown))


def complete(one, port, last):
    """Reads to the end; one that was ended comes back with its last id, as EventSource does."""
    ids, end = list(one.ids), time.monotonic() + 120
    while not ids or ids[-1] < last:
        assert time.monotonic() < end, f"at {ids[-1:]} of {last}"
        if one.ended:
            one.close()
            one = Sse(port, ids[-1] if ids else 0)
        ids += one.take()
    one.close()
    assert ids == list(range(1, last + 1))

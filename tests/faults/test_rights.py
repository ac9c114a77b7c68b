"""Rights hold under fire: a revoked key gets and gives nothing, strangers cost nobody anything, and
each refusal is logged and counted."""

import contextlib
import json
import re
import socket
import threading
import time

import pytest
import zmq
from events_place import TENANTS, enrol, execute, start

from faults.raw import Connection, follow
from faults.swarm import Clockwork, ZmqSwarm
from faults.traffic import Crowd, OutboxWriter
from samverka_client import wait_for

REVOKED_S = 5
DENIED = 7
HONEST, HALF_OPEN = 20, 300
HANDSHAKE_S = 5


def metric(instance, name, **labels):
    text = instance.get("/metrics")[1]
    wanted = "".join(f'(?=[^}}]*{label}="{value}")' for label, value in labels.items())
    found = re.search(rf"^samverka_events_{name}(?:{{{wanted}[^}}]*}})? (\S+)$", text, re.M)
    return float(found[1]) if found else 0


def logged(instance, event):
    lines = instance.log.read_text(errors="replace").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def enrol_all(cluster, count, tenants):
    """Keys and ids of systems that the service knows: a connection that comes too early is refused
    and not tried again by libzmq."""
    made = [enrol(cluster, tenants) for _ in range(count)]
    wait_for(lambda: any(line["systems"] == count
                         for line in logged(cluster["events"], "rights of systems read")),
             15, "the rights to be read")
    return made


class Probe(threading.Thread):
    """A system that follows, asks for more, and after its end tries everything again."""

    def __init__(self, client, cluster, keys):
        super().__init__(daemon=True)
        self.client, self.cluster, self.keys = client, cluster, keys
        self.connection = Connection(client, cluster, keys, sndtimeo=0)
        self.batches, self.ended, self.tries, self.failure = [], [], 0, None
        self.stopping = threading.Event()

    def run(self):
        try:
            self._run()
        except Exception as failure:  # noqa: BLE001: told by check()
            self.failure = failure
        finally:
            self.connection.close()

    def _run(self):
        self.connection.follow(0, credit=100000)
        while not self.stopping.is_set():
            kind, frame, _ = self.connection.receive(20)
            if kind == "batch":
                self.batches.append(time.monotonic())
                self.connection.send(credit=self.client.stream.Credit(events=max(1, frame.count)))
            elif kind == "ended":
                self.ended.append((time.monotonic(), frame.code))
            if self.ended:
                self.tries += 1
                if self.tries % 20 == 0:  # a new connection with the old key
                    self.connection.close()
                    self.connection = Connection(self.client, self.cluster, self.keys, sndtimeo=0)
                with contextlib.suppress(zmq.Again):  # refused, so there is nowhere to send to
                    self.connection.follow(0, credit=100000)


@pytest.mark.promise("rights")
def test_five_seconds_after_a_revoke_nothing_is_sent_or_taken(make_cluster, client, tmp_path, seed,
                                                              full, figure):
    systems, tried_s = (20, 60) if full else (4, 3)
    cluster = start(make_cluster)
    events = cluster["events"]
    enrolled = enrol_all(cluster, systems, TENANTS[:1])
    (kept, _), *gone = enrolled
    writers = [OutboxWriter(tmp_path, f"writer-{n}", seed, cluster, client, 0.02) for n in range(2)]
    probes = [Probe(client, cluster, keys) for keys, _ in enrolled]
    with Crowd(writers):
        for probe in probes:
            probe.start()
        wait_for(lambda: all(probe.batches for probe in probes), 30, "all systems to follow")
        counted = metric(events, "follows_ended_total", code="PERMISSION_DENIED")
        execute(cluster, "DELETE FROM events.test_system WHERE system_id = ANY (%s::uuid[])",
                [system for _, system in gone])
        revoked = time.monotonic()
        until = revoked + REVOKED_S + tried_s
        wait_for(lambda: time.monotonic() > until, until, "the tries")
        last = [max(probe.batches) for probe in probes]
        for probe in probes:
            probe.stopping.set()
            probe.join(10)
    assert [probe.failure for probe in probes] == [None] * systems
    assert last[0] > until - 2, "the system whose key is good was cut off"
    for probe, at in zip(probes[1:], last[1:]):
        assert at <= revoked + REVOKED_S, f"a batch {at - revoked:.1f} s after the revoke"
        assert probe.ended and probe.ended[0][0] <= revoked + REVOKED_S
        assert {code for _, code in probe.ended} == {DENIED}
    tries = sum(probe.tries for probe in probes)
    assert tries > 50 * len(gone)
    assert metric(events, "follows_ended_total", code="PERMISSION_DENIED") >= counted + len(gone)
    assert metric(events, "zap_refused_total", domain="stream") > 0
    denied = {line["user_id"] for line in logged(events, "follow ended")
              if line["code"] == "PERMISSION_DENIED"}
    assert {f"system:{system}" for _, system in gone} <= denied
    figure("rights", systems=len(gone), tries_after_revoke=tries, batches_after_5_s=0,
           last_batch_s=round(max(last[1:]) - revoked, 2))


class Strangers(threading.Thread):
    """Peers with keys nobody knows, with the wrong server key, with none; again and again."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.endpoint = cluster.stream_endpoint
        self.server = (cluster.key_folder / "events.pub").read_bytes().strip()
        self.stopping, self.tries, self.heard = threading.Event(), 0, 0

    def run(self):
        while not self.stopping.is_set():
            sockets = [self._make(n) for n in range(30)]
            self.stopping.wait(0.25)  # long enough for the handshake to be refused
            for one in sockets:
                self.heard += one.poll(0) != 0
                one.close()
            self.tries += len(sockets)

    def _make(self, n):
        made = zmq.Context.instance().socket(zmq.DEALER)
        made.linger, made.reconnect_ivl, made.ipv6 = 0, 50, False
        if n % 3 < 2:
            made.curve_publickey, made.curve_secretkey = zmq.curve_keypair()
            made.curve_serverkey = self.server if n % 3 == 0 else zmq.curve_keypair()[0]
        made.connect(self.endpoint)
        made.send(b"\x0a\x03\x18\xe8\x07", zmq.DONTWAIT)  # follow { credit: 1000 }
        return made


def open_half(port, count):
    """Connections that begin a handshake, or not even that, and say no more."""
    made = []
    for n in range(count):
        one = socket.create_connection(("127.0.0.1", port))
        if n % 2:
            one.sendall(b"\xff" + bytes(8) + b"\x7f\x03"[:n % 3])  # a part of the greeting
        one.setblocking(False)
        made.append(one)
    return made


def closed(one):
    try:
        while chunk := one.recv(4096):  # the server's greeting
            del chunk
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.mark.promise("rights")
def test_strangers_and_half_open_connections_cost_honest_peers_nothing(make_cluster, client, full,
                                                                       figure):
    quiet_s, flood_s = (30, 60) if full else (4, 8)
    cluster = start(make_cluster)
    keys = [keys for keys, _ in enrol_all(cluster, HONEST + 1, TENANTS)]
    writer = Clockwork(cluster, client, 3, 20, 300, 0)
    swarm = ZmqSwarm(client, cluster, writer, HONEST, 0, keys)
    writer.start()
    swarm.start()
    wait_for(lambda: swarm.all_at(1), 30, "the honest to follow")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + quiet_s, quiet_s + 5, "the quiet time")
    refused = metric(cluster["events"], "zap_refused_total", domain="stream")
    flooded = time.monotonic()
    half = open_half(cluster.ports["stream"], 10 * HALF_OPEN if full else HALF_OPEN)
    strangers = Strangers(cluster)
    strangers.start()
    wait_for(lambda: time.monotonic() > flooded + flood_s / 2, flood_s, "half of the flood")
    asked = time.monotonic()
    next(follow(client, cluster, 0, None, None, keys[-1]))  # an honest one that comes in the midst
    welcome_s = time.monotonic() - asked
    wait_for(lambda: time.monotonic() > flooded + flood_s, flood_s, "the flood")
    ended = time.monotonic()
    wait_for(lambda: all([closed(one) for one in half]), 4 * HANDSHAKE_S,
             "the half-open connections to be closed")
    strangers.stopping.set()
    strangers.join(10)
    last = writer.stop()
    wait_for(lambda: swarm.all_at(last), 30, "the honest to have everything")
    swarm.stop()
    for one in half:
        one.close()
    quiet, flood = swarm.p99(began, flooded), swarm.p99(flooded, ended)
    assert flood <= (1.2 * quiet if full else 3 * quiet + 0.3), f"{quiet:.3f} s, then {flood:.3f} s"
    assert welcome_s < 3, f"{welcome_s:.1f} s until an honest follow was served"
    assert strangers.heard == 0 and strangers.tries > 100
    counted = metric(cluster["events"], "zap_refused_total", domain="stream") - refused
    assert counted >= strangers.tries / 3 * 0.9, f"{counted} of {strangers.tries / 3} were counted"
    figure("rights", strangers=strangers.tries, half_open=len(half), frames_to_strangers=0,
           p99_quiet_ms=round(quiet * 1000), p99_flood_ms=round(flood * 1000),
           welcome_ms=round(welcome_s * 1000))

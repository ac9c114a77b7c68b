"""The wall's clock jumps under one service after the other: the order and the timers do not mind,
and what has expired by either clock, the service's or the database's, stays out."""

import glob
import subprocess
import threading
import time

import pytest
import zmq

from faults.journal import read
from faults.raw import Connection, follow
from faults.town import GENEROUS, SERVICES, Town
from faults.traffic import Crowd, NeedWriter
from journeys.conftest import settings
from samverka_client import Problem, Web, wait_for

JUMPS = ["+1h", "+1d", "-10m"]
HERE = "+0"
DENIED = 7
SILENCE_S = 3  # a heartbeat is due each second


def preload(cluster):
    """The library that moves the clock; a sanitizer wants to come before it."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    assert found, "libfaketime is not installed: scripts/install-packages test"
    needed = subprocess.run(["ldd", cluster["events"].program], capture_output=True, text=True,
                            check=True).stdout
    asan = [line.split()[2] for line in needed.splitlines() if "libasan" in line]
    return " ".join(asan + found)


class Clocks:
    """A file for each service says how far its clock is off; the monotonic one is left alone."""

    def __init__(self, cluster):
        library = preload(cluster)
        self.paths = {}
        for service, instance in cluster.instances.items():
            self.paths[service] = cluster.folder / f"clock-{service}"
            self.paths[service].write_text(HERE)
            instance.environment = {"LD_PRELOAD": library, "FAKETIME_NO_CACHE": "1",
                                    "FAKETIME_TIMESTAMP_FILE": str(self.paths[service]),
                                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, service, offset):
        self.paths[service].write_text(offset)


class Pulse(threading.Thread):
    """Follows, and measures the longest silence."""

    def __init__(self, client, cluster):
        super().__init__(daemon=True)
        self.connection = Connection(client, cluster)
        self.stopping, self.longest, self.ended = threading.Event(), 0, None
        self.connection.follow(0, credit=100000)

    def run(self):
        last = time.monotonic()
        while not self.stopping.is_set():
            kind, frame, _ = self.connection.receive(100)
            self.longest = max(self.longest, time.monotonic() - last)
            if kind:
                last = time.monotonic()
            if kind == "ended":
                self.ended = frame
                break
        self.connection.close()

    def stop(self):
        self.stopping.set()
        self.join(10)
        assert self.ended is None, self.ended
        return self.longest


def enrol_for(town, seconds):
    """A system whose rights end `seconds` from now by the true clock: its keys and its token."""
    public, secret = zmq.curve_keypair()
    answer = town.officer.post("/v1/systems", {
        "name": f"jumper-{seconds}", "curvePublicKey": public.decode(), "types": [],
        "expiresUnixMs": str(int((time.time() + seconds) * 1000))})
    return (public, secret), answer["bearerToken"]


def admitted(client, cluster, keys):
    """Whether the key is served now: None when nothing is answered, as to a stranger."""
    connection = Connection(client, cluster, keys, sndtimeo=0)
    try:
        connection.follow(0, credit=1)
        kind, frame, _ = connection.receive(1000)
    except zmq.Again:
        return None
    finally:
        connection.close()
    return kind != "ended" or frame.code if kind else None


def token_serves(town, token):
    try:
        Web(town.cluster.url, token=token, patience=5).get("/v1/needs?pageSize=1")
    except Problem as problem:
        assert problem.status == 401, problem
        return False
    return True


@pytest.fixture
def jumpy(make_cluster, contract, mail_sink):
    cluster = make_cluster(start=False, extra={**settings(mail_sink), "gateway": GENEROUS})
    clocks = Clocks(cluster)
    cluster.start()
    town = Town(cluster, contract, mail_sink)
    yield town, clocks
    town.world.close()


@pytest.mark.promise("R16")
def test_a_jump_of_a_clock_moves_neither_the_order_nor_a_timer(jumpy, client, contract, tmp_path,
                                                               seed, chance, full, figure):
    town, clocks = jumpy
    cluster, hold_s = town.cluster, 60 if full else 1.2
    pids = {name: cluster[name].pid for name in SERVICES}
    writers = town.writers(tmp_path, seed, client, contract, needs=3, appends=1, outbox=1)
    jumps = [(service, offset) for service in SERVICES for offset in JUMPS]
    chance.shuffle(jumps)
    slowest, pulse = 0, Pulse(client, cluster)
    pulse.start()
    with Crowd(writers) as crowd:
        crowd.await_acked(20, 60)
        for service, offset in jumps:
            before, jumped = crowd.acked(NeedWriter), time.monotonic()
            clocks.set(service, offset)
            wait_for(lambda at=jumped: time.monotonic() > at + hold_s, hold_s + 5, "a while")
            crowd.await_acked(before + 5, 15, NeedWriter)
            slowest = max(slowest, time.monotonic() - jumped - hold_s)
            clocks.set(service, HERE)
            assert all(cluster[name].ready() for name in SERVICES), f"{service} {offset}"
    silence = pulse.stop()
    assert {name: cluster[name].pid for name in SERVICES} == pids, "a service has ended"
    log = town.check(client, read(tmp_path))
    assert silence < SILENCE_S, f"{silence:.1f} s without a heartbeat"
    figure("R16", jumps=len(jumps), events=log.sequence.count, longest_silence_s=round(silence, 2),
           slowest_writes_s=round(max(0, slowest), 2))


@pytest.mark.promise("R16")
def test_what_has_expired_by_either_clock_stays_out(jumpy, client, full, figure):
    town, clocks = jumpy
    cluster = town.cluster
    # By the service's own clock: half an hour left, and the clock an hour ahead.
    keys, _ = enrol_for(town, 1800)
    wait_for(lambda: admitted(client, cluster, keys) is True, 15, "the key to be known")
    stream = follow(client, cluster, 0, None, None, keys)
    next(stream)
    clocks.set("events", "+1h")
    jumped = time.monotonic()
    with pytest.raises(AssertionError, match=f"^{DENIED}: "):
        for _ in stream:
            assert time.monotonic() < jumped + 10, "10: still served"
    refused_s = time.monotonic() - jumped
    assert admitted(client, cluster, keys) is not True
    clocks.set("events", HERE)
    wait_for(lambda: admitted(client, cluster, keys) is True, 15, "the key to be good again")
    # By the database's clock: over, and every service ten minutes behind.
    keys, token = enrol_for(town, 8)
    wait_for(lambda: admitted(client, cluster, keys) is True, 6, "the key to be known")
    assert token_serves(town, token)
    for service in SERVICES:
        clocks.set(service, "-10m")
    wait_for(lambda: not token_serves(town, token), 8 + 10, "the token to be refused")
    wait_for(lambda: admitted(client, cluster, keys) is not True, 8 + 10, "the key to be refused")
    assert not token_serves(town, token) and admitted(client, cluster, keys) is not True
    assert refused_s < 5 or not full
    figure("R16", refused_after_jump_s=round(refused_s, 2), accepted_after_expiry=0)

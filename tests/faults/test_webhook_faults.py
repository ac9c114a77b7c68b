"""R5: what a webhook is to get arrives, in the order of its partition key, whatever the receiver does
and however often the sender is killed.

The short form runs here; --full sends 100,000."""

import random
import threading
import time

import pytest
from samverka_client import Contract, wait_for
from webhook_place import PINGS, Place

SETTINGS = {"webhook_insecure_loopback": "true", "webhook_timeout_ms": "1000",
            "webhook_retry_thousandths": "1", "webhook_in_flight": "16"}
KEYS = 60


class Moody:
    """A receiver that fails 30 of 100 requests: errors, cut connections, answers that come too late;
    some good answers are slow."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()

    def __call__(self, request):
        if request.events[0]["type"] in PINGS:
            return 204
        with self.lock:
            mood = self.random.random()
        return self.wait_in_mood(mood)

    def wait_in_mood(self, mood):
        if mood < 0.15:
            return self.random.choice([500, 404, 503, 302, 429])
        if mood < 0.28:
            return None  # cut without an answer
        if mood < 0.30:
            time.sleep(1.5)
            return None
        if mood < 0.35:
            time.sleep(0.2)
        return 200


@pytest.fixture(scope="module")
def hooks(make_module_cluster):
    cluster = make_module_cluster(services=["registry", "events", "notifications", "gateway"],
                                  extra={"notifications": SETTINGS}, slots={"notifications": 2})
    place = Place(cluster, Contract())
    yield place
    place.close()


@pytest.fixture(autouse=True)
def nothing_left(hooks):
    yield
    hooks.clear()


def check(hooks, path, ids, most_duplicates):
    """Everything arrived, in order per key, duplicates next to each other."""
    accepted = hooks.receiver.events_at(path)
    by_key = {}
    for event in accepted:
        by_key.setdefault(event["partitionkey"], []).append(event["id"])
    for key in range(KEYS):
        came = by_key[f"key-{key}"]
        assert [one for at, one in enumerate(came) if at == 0 or came[at - 1] != one] == ids[key::KEYS]
    duplicates = len(accepted) - len(ids)
    print(f"{len(ids)} events, {len(hooks.receiver.at(path))} requests, {duplicates} duplicates")
    assert duplicates <= most_duplicates
    seen = {}
    for request in hooks.receiver.at(path):
        seen.setdefault(request.id, set()).add(request.body)
    assert all(len(bodies) == 1 for bodies in seen.values())


def arrived(hooks, path, ids):
    return len({event["id"] for event in hooks.receiver.events_at(path)}) == len(ids)


def wait_and_kill(hooks, path, ids, deadline_s):
    """Kills notifications every two seconds and starts it again; gives how often.  In this thread: a
    process that a thread has started ends with it."""
    kills = 0
    until = time.monotonic() + deadline_s
    while not arrived(hooks, path, ids):
        assert time.monotonic() < until, f"waited {deadline_s} s for {len(ids)} events"
        time.sleep(2)
        hooks.cluster.kill("notifications")
        hooks.cluster.start_service("notifications")
        kills += 1
    return kills


def run(hooks, count, deadline_s, seed, kill=False):
    path, _, _ = hooks.active()
    hooks.receiver.answer = Moody(seed)
    began = time.monotonic()
    ids, kills = [], 0
    for first in range(0, count, 1000):
        ids += hooks.emit(min(1000, count - first), key=lambda n, f=first: f"key-{(f + n) % KEYS}")
    if kill:
        kills = wait_and_kill(hooks, path, ids, deadline_s)
    wait_for(lambda: arrived(hooks, path, ids), deadline_s, f"{len(ids)} events")
    print(f"{count} events in {time.monotonic() - began:.1f} s, {kills} kills")
    return path, ids, kills


def test_with_three_failures_in_ten_everything_arrives_in_order_and_once(hooks):
    path, ids, _ = run(hooks, 1200, 200, seed=5)
    check(hooks, path, ids, most_duplicates=len(ids) // 100)


def test_a_sender_that_is_killed_every_two_seconds_loses_nothing(hooks):
    path, ids, kills = run(hooks, 900, 250, seed=6, kill=True)
    assert kills >= 2
    # Each kill may repeat what was under way.
    check(hooks, path, ids, most_duplicates=kills * 16 + len(ids) // 100)


def test_of_two_senders_each_event_is_sent_by_one(hooks):
    hooks.cluster.scale("notifications", 2)
    try:
        path, ids, _ = run(hooks, 600, 120, seed=7)
        check(hooks, path, ids, most_duplicates=len(ids) // 100)
    finally:
        hooks.cluster.scale("notifications", 1)


def test_a_drained_sender_gives_back_what_is_under_way(hooks):
    path, webhook, _ = hooks.active()
    held = threading.Event()

    def wait_until_free(request):
        held.wait(20)
        return 200
    hooks.receiver.answer = wait_until_free
    ids = hooks.emit(40)
    wait_for(lambda: len(hooks.receiver.at(path)) > 16, 20, "requests under way")
    assert hooks.cluster.stop_service("notifications"), "it ends by itself"
    held.set()
    hooks.cluster.start_service("notifications")
    hooks.await_events(path, ids)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_arrive(hooks):
    path, ids, _ = run(hooks, 100_000, 3000, seed=8)
    check(hooks, path, ids, most_duplicates=1000)

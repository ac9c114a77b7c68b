"""The journey while parts of the cluster are killed, stopped and started: the same end, and the
subscriber has every event, in order, without a gap."""

import concurrent.futures
import signal
import time

import pytest

import servers
from journeys.conftest import settings
from journeys.test_ktp import Journey
from journeys.world import World

SERVICES = ["registry", "matching", "events", "notifications", "gateway"]


def finish(journey):
    journey.check_events()
    journey.check_mail(crashed=True)
    assert journey.officer.get("/v1/messages")["unreadCount"] >= 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_killed_before_each_step_changes_nothing_but_time(world, service):
    journey = Journey(world)
    for step in journey.steps():
        world.cluster.kill(service)
        world.cluster.start_service(service, wait=False)  # the step begins while it starts
        step()
    finish(journey)


def side_by_side(work, fault):
    """Does the work on a thread of its own and `fault(working)` here: a process started by a thread
    would end with that thread."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        fault(lambda: not future.done())
        return future.result()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_killed_during_the_steps_changes_nothing_but_time(world, service, chance):
    journey = Journey(world)
    kills = []

    def walk():
        for step in journey.steps():
            step()

    def assassinate(working):
        while working():
            until = time.monotonic() + chance.uniform(0.1, 0.8)
            servers.wait_for(lambda: time.monotonic() > until or not working(), 10, "the moment")
            world.cluster.kill(service)
            kills.append(until)
            world.cluster.start_service(service)

    side_by_side(walk, assassinate)
    assert kills
    finish(journey)


def test_without_redis_the_journey_goes_all_the_way(world):
    world.cluster.redis.stop()
    journey = Journey(world)
    for step in journey.steps():
        step()
    finish(journey)


def test_redis_frozen_half_way_slows_nothing_to_a_stop(world):
    journey = Journey(world)
    for number, step in enumerate(journey.steps()):
        if number == 2:
            world.cluster.redis.freeze()
        step()
    world.cluster.redis.thaw()
    finish(journey)


@pytest.fixture
def durable_world(make_cluster, contract, mail_sink):
    """With a Postgres that keeps what it committed."""
    made = World(make_cluster(extra=settings(mail_sink), durable=True), contract, mail_sink)
    try:
        yield made
    finally:
        made.close()


def test_postgres_crashes_before_each_step_and_no_service_ends(durable_world):
    cluster = durable_world.cluster
    journey = Journey(durable_world)
    pids = {service: cluster[service].pid for service in SERVICES}
    for step in journey.steps():
        cluster.postgres.stop_immediately()
        side_by_side(step, lambda _working: cluster.postgres.start())
    finish(journey)
    assert {service: cluster[service].pid for service in SERVICES} == pids


def test_everything_is_killed_at_once_and_comes_back(durable_world):
    cluster = durable_world.cluster
    journey = Journey(durable_world)
    steps = journey.steps()
    for step in steps[:4]:
        step()
    for service in SERVICES:
        cluster[service].send(signal.SIGKILL)
    cluster.postgres.stop_immediately()
    cluster.redis.stop()
    for service in SERVICES:
        servers.wait_for(lambda name=service: cluster[name].pid is None, 10, f"{service} to end")
    cluster.start()
    for step in steps[4:]:
        step()
    finish(journey)

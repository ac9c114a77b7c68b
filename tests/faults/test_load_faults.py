"""Faults under load: drains and scaling lose no request, a stopped instance hands its work over."""

import time

import pytest

from faults.load import Load, write_need
from journeys.world import World
from samverka_client import Rpc, wait_for

GENEROUS = {"rate_per_second": 100000, "rate_burst": 100000}


def make_world(make_cluster, contract, sink, **options):
    extra = {"gateway": GENEROUS, **options.pop("extra", {})}
    return World(make_cluster(extra=extra, **options), contract, sink)


@pytest.fixture
def crowd(make_cluster, contract, mail_sink):
    """A world with room for several instances."""
    worlds = []

    def make(**options):
        worlds.append(make_world(make_cluster, contract, mail_sink, **options))
        return worlds[-1]
    yield make
    for world in worlds:
        world.close()


def officer_and_company(world):
    address, _ = world.add_account("officer", "PARTNERSHIP_OFFICER")
    return world.web(address), world.add_organisation("Lastprov AB")


def test_a_draining_registry_fails_no_request(crowd):
    world = crowd(slots={"registry": 2})
    world.cluster.scale("registry", 2)
    officer, company = officer_and_company(world)
    write = write_need(company)

    def work(web, number):
        return write(web, number) if number % 2 else web.get("/v1/needs?pageSize=5")

    with Load(officer, work, clients=6) as load:
        for _ in range(3):
            for name in ("registry", "registry-2"):
                before = len(load.done)
                wait_for(lambda: len(load.done) > before + 30, 20, "load")
                began = time.monotonic()
                assert world.cluster.stop_service(name), f"{name} had to be killed"
                assert time.monotonic() - began < 10
                world.cluster.start_service(name)
    assert load.failures == []
    assert len(load.done) > 200


def calls_of(world, name, method):
    """How often an instance has answered the method."""
    rpc = Rpc(world.contract, world.cluster.endpoint(name), world.cluster.key_folder, "matching")
    try:
        stats = rpc.call("wire.v1.Admin/Stats")
        return sum(int(m["calls"]) for m in stats["methods"] if m["method"] == method)
    finally:
        rpc.close()


def test_matching_grows_to_three_and_shrinks_to_one_without_an_error(crowd):
    world = crowd(slots={"matching": 3})
    officer, company = officer_and_company(world)
    _, need = write_need(company)(officer, 1)
    subject = {"subject": {"kind": "NEED", "id": need}, "limit": 5}

    def work(web, _number):
        return web.post("/v1/matches/find", subject)

    def found():
        try:
            return work(officer, 0)
        except Exception:  # noqa: BLE001: not heard of it yet
            return None
    wait_for(found, 15, "matching to know the need")
    with Load(officer, work, clients=6) as load:
        for _ in range(2):
            world.cluster.scale("matching", 3)
            for name in ("matching-2", "matching-3"):
                wait_for(lambda n=name: calls_of(world, n, "matching.v1.Matches/FindMatches") > 0,
                         10, f"work for {name}")
            world.cluster.scale("matching", 1)
    assert load.failures == []
    assert len(load.done) > 100


def test_an_instance_that_is_stopped_hands_its_work_to_the_other(crowd):
    """SIGSTOP: the process is there and says nothing; its connections stay open."""
    world = crowd(slots={"registry": 2})
    world.cluster.scale("registry", 2)
    officer, company = officer_and_company(world)
    with Load(officer, write_need(company), clients=4) as load:
        wait_for(lambda: len(load.done) > 20, 20, "load")
        world.cluster.freeze("registry-2")
        before = len(load.done)
        wait_for(lambda: len(load.done) > before + 40, 30, "work at the other")
        world.cluster.thaw("registry-2")
        before = len(load.done)
        wait_for(lambda: len(load.done) > before + 20, 20, "work after it")
    assert load.failures == []
    assert world.cluster["registry-2"].pid is not None

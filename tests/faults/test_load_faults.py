"""Faults under load: drains and scaling lose no request, kills lose no acknowledged write and
double none."""

import time

import pytest

import servers
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


def test_kills_everywhere_lose_no_acknowledged_write_and_double_none(crowd, chance):
    """The short form of the promises "no acknowledged event lost" and "no duplicate in the log":
    clients repeat by key, every process is killed by chance."""
    seconds = 20
    world = crowd(slots={"registry": 2, "gateway": 1})
    world.cluster.scale("registry", 2)
    officer, company = officer_and_company(world)
    victims = ["registry", "registry-2", "matching", "events", "notifications", "gateway"]
    kills = 0
    until = time.monotonic() + seconds
    with Load(officer, write_need(company), clients=8, patience=60) as load:
        while time.monotonic() < until:
            pause = time.monotonic() + chance.uniform(0.2, 1.0)
            servers.wait_for(lambda p=pause: time.monotonic() > p, 5, "the moment")
            name = chance.choice(victims)
            world.cluster.kill(name)
            world.cluster.start_service(name, wait=False)
            kills += 1
        for name in victims:
            world.cluster[name].await_ready()  # none has ended by itself
    assert load.failures == []
    acked = dict(load.done)
    print(f"{seconds} s, {kills} kills, {len(acked)} acknowledged writes")
    assert kills >= 5
    assert len(acked) > 50
    assert len(set(acked.values())) == len(acked)
    check_log(world, acked)


def check_log(world, acked):
    """Each acknowledged write once as a row and once as an event; positions without a gap."""
    database = world.cluster.postgres.connect("samverka", "postgres")
    with database.cursor() as cursor:
        cursor.execute("SELECT id::text, text_values[1] FROM registry.need")
        rows = {text.removeprefix("Behov "): need for need, text in cursor.fetchall()}
        cursor.execute("SELECT count(*) FROM registry.need")
        assert cursor.fetchone()[0] == len(rows)  # no key made two needs
    assert {key: rows.get(key) for key in acked} == acked
    positions, subjects = follow_all(world)
    assert positions == list(range(1, len(positions) + 1))
    assert sorted(subjects) == sorted(rows.values())
    database.close()


def follow_all(world):
    """All positions, and the subjects of need.published, as a service's follower sees them."""
    import zmq
    from samverka_client import read_key
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    keys = world.cluster.key_folder
    socket.curve_serverkey = read_key(keys, "events", ".pub")
    socket.curve_publickey = read_key(keys, "operator", ".pub")
    socket.curve_secretkey = read_key(keys, "operator", ".key")
    socket.connect(world.cluster.stream_endpoint)
    frame = world.contract.message("events.v1.ClientFrame")()
    frame.follow.after, frame.follow.credit = 0, 100000
    socket.send(frame.SerializeToString())
    positions, subjects, through, head = [], [], 0, 1
    # The last events may still be on their way into the log: heads are asked until one stands.
    quiet = 0
    while through < head or quiet < 2:
        assert socket.poll(15000), f"silence at {through} of {head}"
        frames = socket.recv_multipart()
        server = world.contract.message("events.v1.ServerFrame").FromString(frames[0])
        kind = server.WhichOneof("frame")
        if kind == "heartbeat":
            quiet += 1
            through, head = server.heartbeat.through, server.heartbeat.head
            continue
        assert kind == "batch", server
        quiet = 0
        through, head = server.batch.through, server.batch.head
        batch = world.contract.message("io.cloudevents.v1.CloudEventBatch").FromString(frames[1])
        for event in batch.events:
            positions.append(int(event.attributes["sequence"].ce_string))
            if event.type == "org.samverka.need.published.v1":
                subjects.append(event.attributes["subject"].ce_string)
    socket.close()
    return positions, subjects


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

"""The event stream as an outside system sees it: a client written from proto/ and docs/ alone.

Only `events` runs, on a real Postgres; facts enter as the other services write them, by rows of
events.outbox.  The client is clients/python/follow.py, its modules are made by stock protoc.
"""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import uuid

import psycopg2
import pytest
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
TENANTS = ["0193a000-0000-7000-8000-000000000001", "0193a000-0000-7000-8000-000000000002"]
DEADLINE_S = 30


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    """The modules of the client, made from the contract."""
    out = tmp_path_factory.mktemp("client")
    proto = ROOT / "proto"
    ce = proto / "io/cloudevents/v1"
    for command in (["protoc", f"-I{proto}", f"--python_out={out}", "events/v1/stream.proto",
                     "events/v1/log.proto", "wire/v1/status.proto", "wire/v1/options.proto",
                     "wire/v1/envelope.proto"],
                    ["protoc", f"-I{ce}", f"--python_out={out}", "cloudevents.proto"]):
        subprocess.run(command, check=True, cwd=proto)
    sys.path[:0] = [str(out), str(ROOT / "clients/python")]
    import follow
    return follow


def start(make_cluster, **options):
    """A cluster of `events` alone, with rights as registry would publish them."""
    cluster = make_cluster(start=False, services=["events"], **options)
    cluster.start_servers()
    admin = cluster.postgres.connect("samverka")
    with admin.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE events.test_system (system_id uuid, key text, tenant_ids uuid[], "
            "types text[], expires_at timestamptz);"
            "GRANT SELECT ON events.test_system TO app_events;"
            "CREATE OR REPLACE FUNCTION events.systems() RETURNS TABLE (system_id uuid, key text, "
            "tenant_ids uuid[], types text[], expires_at timestamptz) LANGUAGE sql STABLE "
            "AS 'SELECT * FROM events.test_system'")
    admin.close()
    cluster.start()
    return cluster


@pytest.fixture(scope="module")
def servers(make_module_cluster):
    return start(make_module_cluster)


@pytest.fixture
def cluster(servers):
    """The module's cluster with an empty log."""
    servers["events"].stop()
    execute(servers, "TRUNCATE events.outbox, events.log, events.tenant_stream, events.parked, "
                     "events.append_source, events.test_system;"
                     "UPDATE events.head SET first_kept = 0, position = 0")
    servers.start_service("events")
    return servers


def execute(cluster, sql, *values, role="postgres"):
    connection = cluster.postgres.connect("samverka", role)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def event(client, tenant, kind="org.samverka.need.published.v1", audience="", subject="s"):
    made = client.cloudevents.CloudEvent(id=str(uuid.uuid4()), source="/samverka/tenants/x",
                                         spec_version="1.0", type=kind, binary_data=b"x" * 40)
    for name, text in (("tenantid", tenant), ("audience", audience), ("subject", subject)):
        if text:
            made.attributes[name].ce_string = text
    return made


def publish(connection, tenant, events, commit=True):
    """One transaction of a writer.  Commits, or takes everything back."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT set_config('app.tenant', %s, true)", (tenant,))
        for item in events:
            internal = item.attributes["audience"].ce_string == "internal"
            cursor.execute("INSERT INTO events.outbox (tenant_id, internal, event) "
                           "VALUES (%s, %s, %s)", (tenant, internal, item.SerializeToString()))
        cursor.execute("COMMIT" if commit else "ROLLBACK")


def writer(cluster):
    return cluster.postgres.connect("samverka", "app_registry")


def enrol(cluster, tenants, types=(), expires=None):
    """A key pair that registry has published, and the id of its system."""
    public, secret = zmq.curve_keypair()
    system = str(uuid.uuid4())
    execute(cluster, "INSERT INTO events.test_system VALUES (%s, %s, %s::uuid[], %s::text[], %s)",
            system, public.decode(), list(tenants), list(types), expires)
    return (public, secret), system


def own_key(cluster, name="matching"):
    return tuple((cluster.key_folder / f"{name}.{end}").read_bytes().strip()
                 for end in ("pub", "key"))


def follow(client, cluster, keys, after=0, endpoint=None, **wanted):
    server = (cluster.key_folder / "events.pub").read_bytes().strip()
    return client.follow(endpoint or cluster.stream_endpoint, server, *keys, after=after, **wanted)


def read_to(stream, position, deadline_s=DEADLINE_S):
    """Events up to the position; the ranges have been checked by the client."""
    end, found = time.monotonic() + deadline_s, []
    for through, events in stream:
        found += events
        if through >= position:
            return found
        assert time.monotonic() < end, f"only {through} of {position} came"
    return found


def number(item, name="sequence"):
    return int(item.attributes[name].ce_string)


def head(cluster):
    return execute(cluster, "SELECT position FROM events.head")[0][0]


def await_head(cluster, position, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while head(cluster) < position:
        assert time.monotonic() < end, f"the log ends at {head(cluster)}, not {position}"
        time.sleep(0.01)


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
    assert dealer.ask(b"", b"x").detail == "frame: a message is one frame, not 2"
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
        end = time.monotonic() + 60
        while self.acknowledged() < count:
            assert time.monotonic() < end, self.acknowledged()
            self.stop.wait(0.01)


def check_whole_log(client, cluster, writers):
    """Nothing lost, nothing twice, order kept, two readings equal, each number in its place."""
    end = time.monotonic() + DEADLINE_S
    while execute(cluster, "SELECT count(*) FROM events.outbox")[0][0]:
        assert time.monotonic() < end, "the outbox is not emptied"
        time.sleep(0.02)
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


def leader(cluster):
    """The instance that numbers, by its metric."""
    for instance in cluster.running():
        if "samverka_events_leader 1" in instance.get("/metrics")[1].splitlines():
            return instance
    return None


def await_leader(cluster, other_than=None, deadline_s=10):
    end = time.monotonic() + deadline_s
    while True:
        found = leader(cluster)
        if found is not None and found is not other_than:
            return found
        assert time.monotonic() < end, "nobody leads"
        time.sleep(0.02)


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
            at = time.monotonic()
            while head(cluster) < before + 100:  # whatever was under way, and then more
                assert time.monotonic() - at < 5, "nobody took over in 5 s"
                time.sleep(0.02)
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


class Rpc:
    """A caller of the Log service, as docs/protocol.md describes it."""

    def __init__(self, client, cluster, name="events", role=2, tenant="", kind=3, subject="test"):
        from events.v1 import log_pb2
        from wire.v1 import envelope_pb2
        self.log, self.wire = log_pb2, envelope_pb2
        server = (cluster.key_folder / "events.pub").read_bytes().strip()
        self.socket = client.connect(cluster.endpoint(name), server, *own_key(cluster, "gateway"))
        self.principal = envelope_pb2.Principal(kind=kind, subject_id=subject, tenant_id=tenant,
                                                roles=[role])

    def __call__(self, method, **fields):
        """The reply, or its head when the code is not OK."""
        head = self.wire.RequestHead(id=str(uuid.uuid4()), method=f"events.v1.Log/{method}",
                                     attempt=1, remaining_ms=5000, principal=self.principal)
        request = getattr(self.log, f"{method}Request")(**fields)
        head.body = request.SerializeToString()
        self.socket.send(head.SerializeToString())
        assert self.socket.poll(8000), "no answer"
        answer = self.wire.ReplyHead.FromString(self.socket.recv())
        assert answer.id == head.id
        if answer.code:
            return answer
        return getattr(self.log, f"{method}Reply").FromString(answer.body)


OFFICER, SYSTEM_ROLE, STUDENT = 4, 15, 14


def positions_read(client, reply):
    return [number(item) for item in client.cloudevents.CloudEventBatch.FromString(reply.batch).events]


def publish_mixed(client, cluster):
    """1 own, 2 own internal, 3 foreign, 4 foreign public, 5 foreign for both."""
    connection = writer(cluster)
    publish(connection, TENANTS[0], [event(client, TENANTS[0], subject="a"),
                                     event(client, TENANTS[0], audience="internal")])
    publish(connection, TENANTS[1], [event(client, TENANTS[1]),
                                     event(client, TENANTS[1], audience="public",
                                           kind="org.samverka.person.added.v1"),
                                     event(client, TENANTS[1], audience=",".join(TENANTS))])
    await_head(cluster, 5)


def test_a_page_holds_what_the_caller_may_see(cluster, client):
    publish_mixed(client, cluster)
    service = Rpc(client, cluster)
    officer = Rpc(client, cluster, role=OFFICER, tenant=TENANTS[0], kind=1)
    assert service("Head").position == 5
    assert positions_read(client, service("Read")) == [1, 2, 3, 4, 5]
    reply = officer("Read")
    assert positions_read(client, reply) == [1, 4, 5]
    assert (reply.through, reply.head) == (5, 5)
    reply = officer("Read", after=1, limit=1)
    assert positions_read(client, reply) == [4] and reply.through == 4
    filter_ = client.stream.Filter
    assert positions_read(client, officer("Read", filter=filter_(subjects=["a"]))) == [1]
    assert positions_read(client, officer("Read", filter=filter_(
        types=["org.samverka.person."]))) == [4]
    assert positions_read(client, officer("Read", filter=filter_(tenant_ids=[TENANTS[1]]))) == [4, 5]


def test_a_system_reads_by_the_rights_of_its_key(cluster, client):
    publish_mixed(client, cluster)
    _, system = enrol(cluster, TENANTS[:1], types=["org.samverka.need."])
    known = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[0], kind=2, subject=system)
    assert positions_read(client, known("Read")) == [1, 5]
    stranger = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[0], kind=2,
                   subject=str(uuid.uuid4()))
    assert stranger("Read").code == 7
    assert Rpc(client, cluster, role=STUDENT, tenant=TENANTS[0], kind=1)("Read").code == 7


def test_a_read_outside_the_limits_names_the_field(cluster, client):
    publish_mixed(client, cluster)
    service, filter_ = Rpc(client, cluster), client.stream.Filter
    for fields, field in (({"limit": 1001}, "limit"), ({"after": 6}, "after"),
                          ({"filter": filter_(tenant_ids=["x"])}, "filter.tenant_ids[0]"),
                          ({"filter": filter_(types=["a"] * 65)}, "filter.types")):
        answer = service("Read", **fields)
        assert (answer.code, answer.field) == (3, field)
    execute(cluster, "UPDATE events.head SET first_kept = 2")
    assert service("Read", after=1).code == 24
    assert service("Head").first_kept == 2


def batch_of(client, count, source="/import/people", **attributes):
    items = []
    for _ in range(count):
        item = event(client, "", subject="imported")
        item.source = source
        for name, text in attributes.items():
            item.attributes[name].ce_string = text
        items.append(item)
    return client.cloudevents.CloudEventBatch(events=items).SerializeToString()


def test_an_append_is_numbered_once_however_often_it_is_sent(cluster, client):
    rpc = Rpc(client, cluster, tenant=TENANTS[0])
    batch = batch_of(client, 700)
    first = rpc("Append", source="/import", batch_number=1, batch=batch)
    assert (first.first_position, first.last_position) == (1, 700)
    assert rpc("Append", source="/import", batch_number=1, batch=batch) == first
    assert rpc("Append", source="/import", batch_number=1, batch=batch_of(client, 700)).code == 19
    second = rpc("Append", source="/import", batch_number=2, batch=batch_of(client, 1))
    assert second.first_position == 701
    got = read_to(follow(client, cluster, own_key(cluster)), 701)
    assert [number(item, "tenantsequence") for item in got] == list(range(1, 702))
    assert {item.attributes["tenantid"].ce_string for item in got} == {TENANTS[0]}


@pytest.mark.parametrize("attributes, source, field", [
    ({"sequence": "1"}, "/import", "batch.events[0].attributes.sequence"),
    ({"tenantsequence": "1"}, "/import", "batch.events[0].attributes.sequence"),
    ({"tenantid": TENANTS[0]}, "/import", "batch.events[0].attributes.tenantid"),
    ({"audience": "public"}, "/import", "batch.events[0].attributes.audience"),
    ({}, "/elsewhere", "batch.events[0].source"),
])
def test_an_append_may_not_set_what_the_log_gives(cluster, client, attributes, source, field):
    rpc = Rpc(client, cluster, tenant=TENANTS[0])
    answer = rpc("Append", source=source, batch_number=1, batch=batch_of(client, 1, **attributes))
    assert (answer.code, answer.field) == (3, field)
    assert rpc("Head").position == 0


def test_a_broken_append_is_refused_whole(cluster, client):
    rpc = Rpc(client, cluster, tenant=TENANTS[0])
    good = batch_of(client, 2)
    for batch, field in ((b"", "batch"), (good[:-1], "batch"), (good + b"\x0a\x01\xff",
                                                               "batch.events[2]")):
        answer = rpc("Append", source="/import", batch_number=1, batch=batch)
        assert answer.code == 3 and answer.field.startswith(field)
    assert rpc("Append", source="/import", batch_number=0, batch=good).field == "batch_number"
    assert rpc("Append", source="", batch_number=1, batch=good).field == "source"
    officer = Rpc(client, cluster, role=OFFICER, tenant=TENANTS[0], kind=1)
    assert officer("Append", source="/import", batch_number=1, batch=good).code == 7
    assert rpc("Head").position == 0


def test_only_the_leader_takes_an_append(make_cluster, client):
    cluster = start(make_cluster, slots={"events": 2})
    cluster.start_service("events-2")
    await_leader(cluster)
    answer = Rpc(client, cluster, "events-2", tenant=TENANTS[0])(
        "Append", source="/import", batch_number=1, batch=batch_of(client, 1))
    assert (answer.code, answer.detail) == (14, "not_leader")

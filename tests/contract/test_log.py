"""The Log service as a caller sees it: Head, Read with the caller's rights, Append in bulk."""

import uuid

import pytest

from events_place import (  # noqa: F401
    alone, await_head, await_leader, client, cluster, enrol, event, execute, follow, head, number, own_key, publish, read_to, start, TENANTS, writer)


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

"""What of the log is kept, as a caller sees it: Trim, ListChains, VerifyBlocks, and who may call them."""

import hashlib

import pytest
import servers

from events_place import (  # noqa: F401
    alone, await_head, client, cluster, enrol, event, execute, follow, own_key, publish, read_to,
    roll, start, TENANTS, writer)
from test_log import OFFICER, positions_read, Rpc, STUDENT, SYSTEM_ROLE

OPERATOR = 3


def operator(client, cluster):
    return Rpc(client, cluster, role=OPERATOR)


def write(client, cluster, tenant, count):
    position = execute(cluster, "SELECT position FROM events.head")[0][0]
    publish(writer(cluster), tenant, [event(client, tenant) for _ in range(count)])
    await_head(cluster, position + count)


def three_partitions(client, cluster):
    """1-10 and 11-15 of the first tenant in partitions of their own, 16-20 of the second, open."""
    write(client, cluster, TENANTS[0], 10)
    roll(cluster)
    write(client, cluster, TENANTS[0], 5)
    roll(cluster)
    write(client, cluster, TENANTS[1], 5)


def test_trimmed_positions_are_gone_for_pages_and_for_followers(cluster, client):
    three_partitions(client, cluster)
    rpc = operator(client, cluster)
    assert rpc("Trim", through=9).first_kept == 0
    assert rpc("Trim", through=14).first_kept == 10
    assert rpc("Trim", through=14).first_kept == 10
    assert rpc("Head").first_kept == 10
    assert rpc("Read", after=9).code == 24
    assert positions_read(client, rpc("Read", after=10)) == list(range(11, 21))
    cluster["events"].stop()  # it may send what it has in memory still
    cluster.start_service("events")
    with pytest.raises(ConnectionError, match="^24: "):
        read_to(follow(client, cluster, own_key(cluster), after=3), 20)
    got = read_to(follow(client, cluster, own_key(cluster), after=10), 20)
    assert len(got) == 10


def test_the_open_partition_stays_and_the_log_goes_on(cluster, client):
    three_partitions(client, cluster)
    rpc = operator(client, cluster)
    assert rpc("Trim", through=20).first_kept == 15
    answer = rpc("Trim", through=21)
    assert (answer.code, answer.field) == (3, "through")
    write(client, cluster, TENANTS[0], 1)
    assert positions_read(client, rpc("Read", after=15)) == list(range(16, 22))


def links_of(client, rpc, chain, first_kept):
    """The chain's last link, made anew from what is kept."""
    batch = client.cloudevents.CloudEventBatch
    link, number, after = chain.first.link, chain.first.number, first_kept
    while after < rpc("Head").position:
        reply = rpc("Read", after=after, limit=1000)
        for packed in raw_events(reply.batch):
            item = batch.FromString(b"\x0a" + varint(len(packed)) + packed).events[0]
            if item.attributes["tenantid"].ce_string == chain.tenant_id:
                link = hashlib.blake2b(link + packed, digest_size=32).digest()
                number += 1
        after = reply.through
    return number, link


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def raw_events(batch):
    """The stored bytes of each event of a batch."""
    at = 0
    while at < len(batch):
        assert batch[at] == 0x0a
        at, size, shift = at + 1, 0, 0
        while True:
            byte = batch[at]
            at, size, shift = at + 1, size | (byte & 0x7f) << shift, shift + 7
            if byte < 0x80:
                break
        yield batch[at:at + size]
        at += size


def test_chains_lead_from_their_first_link_to_their_last_before_and_after_a_trim(cluster, client):
    three_partitions(client, cluster)
    rpc = operator(client, cluster)
    for through, numbers in ((0, [0, 0]), (10, [10, 0]), (15, [15, 0])):
        first_kept = rpc("Trim", through=through).first_kept
        chains = rpc("ListChains")
        assert (chains.head, chains.first_kept) == (20, first_kept) == (20, through)
        assert [chain.tenant_id for chain in chains.chains] == TENANTS
        assert [chain.first.number for chain in chains.chains] == numbers
        for chain in chains.chains:
            if not chain.first.number:
                assert chain.first.link == hashlib.blake2b(chain.tenant_id.encode(),
                                                           digest_size=32).digest()
            assert links_of(client, rpc, chain, first_kept) == (chain.last.number, chain.last.link)


def test_chains_are_listed_by_the_rights_of_the_caller(cluster, client):
    three_partitions(client, cluster)
    officer = Rpc(client, cluster, role=OFFICER, tenant=TENANTS[1], kind=1)
    assert [chain.tenant_id for chain in officer("ListChains").chains] == TENANTS[1:]
    _, system = enrol(cluster, TENANTS[:1])
    known = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[0], kind=2, subject=system)
    assert [chain.tenant_id for chain in known("ListChains").chains] == TENANTS[:1]
    rpc = operator(client, cluster)
    assert [chain.tenant_id for chain in rpc("ListChains", after_tenant_id=TENANTS[0]).chains] \
        == TENANTS[1:]
    assert rpc("ListChains", after_tenant_id="x").field == "after_tenant_id"


def test_only_operators_trim_and_verify(cluster, client):
    for role, kind in ((OFFICER, 1), (STUDENT, 1), (SYSTEM_ROLE, 2), (2, 3)):
        caller = Rpc(client, cluster, role=role, tenant=TENANTS[0], kind=kind)
        assert caller("Trim", through=0).code == 7
        assert caller("VerifyBlocks").code == 7
    assert Rpc(client, cluster, role=STUDENT, tenant=TENANTS[0], kind=1)("ListChains").code == 7


def test_verification_tells_where_a_block_was_changed_or_removed(cluster, client):
    three_partitions(client, cluster)
    rpc = operator(client, cluster)
    reply = rpc("VerifyBlocks")
    assert (reply.through, reply.head, list(reply.faults)) == (20, 20, [])
    assert reply.blocks == execute(cluster, "SELECT count(*) FROM events.log")[0][0]
    execute(cluster, "UPDATE events.log SET data = set_byte(data, 20, get_byte(data, 20) # 1) "
                     "WHERE position = 1; DELETE FROM events.log WHERE position = 11")
    faults = rpc("VerifyBlocks").faults
    assert [fault.position for fault in faults] == [1, 11]
    assert "checksum" in faults[0].reason and "no block holds positions 11" in faults[1].reason
    assert [fault.position for fault in rpc("VerifyBlocks", after=10).faults] == [11]
    assert list(rpc("VerifyBlocks", after=15).faults) == []
    assert rpc("VerifyBlocks", after=21).field == "after"


def metric(cluster, name):
    for line in cluster["events"].get("/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


def test_the_leader_rolls_by_its_settings_and_young_partitions_are_not_trimmed(make_cluster, client):
    cluster = start(make_cluster, extra={"events": {"partition_events": 5, "keep_days": 2}})
    write(client, cluster, TENANTS[0], 6)
    rolled = "SELECT array_agg(start ORDER BY start) FROM events.log_partition"
    servers.wait_for(lambda: execute(cluster, rolled)[0][0] == [1, 7], 20, "the leader to roll")
    rpc = operator(client, cluster)
    answer = rpc("Trim", through=6)
    assert answer.code == 9 and "keep_days (2 days)" in answer.detail
    assert rpc("Head").first_kept == 0
    execute(cluster, "UPDATE events.log_partition SET opened_at = now() - interval '3 days'")
    assert rpc("Trim", through=6).first_kept == 6
    servers.wait_for(lambda: metric(cluster, "samverka_events_log_first_kept") == 6, 20,
                     "the metric to follow")
    assert metric(cluster, "samverka_events_log_partitions") == 1

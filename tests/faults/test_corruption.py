"""A changed byte is seen, wherever it lies: in a stored event, in a page of the database."""

import time

import psycopg2
import pytest
from events_place import start

from faults.journal import read
from faults.raw import Sequence, follow
from faults.stored import (blocks, chains, external_spans, faulty, flip, flip_on_disk, kept_chains,
                           log_files)
from faults.traffic import Crowd, OutboxWriter, check_log, query


def written(make_cluster, client, folder, seed, events, **options):
    """A cluster of `events` with a log that has been checked."""
    cluster = start(make_cluster, **options)
    writers = [OutboxWriter(folder, f"writer-{n}", seed, cluster, client, 0.01) for n in range(4)]
    with Crowd(writers) as crowd:
        crowd.await_acked(events, 120)
    return cluster, check_log(client, cluster, read(folder))


@pytest.mark.promise("R22")
def test_every_changed_byte_of_a_stored_event_is_found(make_cluster, client, tmp_path, seed, chance,
                                                       full, figure):
    """By the block's checksum, and by whoever followed the tenant's events, from its chain."""
    flips = 2000 if full else 30
    cluster, _ = written(make_cluster, client, tmp_path, seed, 1500)
    good, kept = blocks(cluster), kept_chains(cluster)
    assert not faulty(good) and chains(client, good) == kept
    by_checksum = by_chain = in_events = 0
    for _ in range(flips):
        n = chance.randrange(len(good))
        block, at, mask = good[n], chance.randrange(len(good[n].data)), 1 << chance.randrange(8)
        flip(cluster, block.position, at, mask)
        spoilt = blocks(cluster)
        assert spoilt[n].data != block.data
        by_checksum += faulty(spoilt) == [block.position]
        if any(first <= at < last for first, last in external_spans(client, block)):
            in_events += 1
            by_chain += chains(client, spoilt) != kept
        flip(cluster, block.position, at, mask)
    assert blocks(cluster) == good
    assert by_checksum == flips and by_chain == in_events > 0
    figure("R22", flips=flips, found_by_checksum=by_checksum, flips_in_a_chain=in_events,
           found_by_chain=by_chain)


def readable(cluster):
    """Whether Postgres gives every byte of the log."""
    try:
        query(cluster, "SELECT count(*), min(md5(data)), min(md5(checksum)), "
                       "min(tenants::text), min(types::text) FROM events.log")
        return True
    except psycopg2.Error as error:
        assert "invalid page in block" in str(error) or "page verification failed" in str(error)
        return False


def followed(client, cluster, head, seconds):
    """What a follower gets of the log within the time."""
    got, end = Sequence(), time.monotonic() + seconds
    for through, _, events in follow(client, cluster):
        got.add(events)
        if through >= head or time.monotonic() > end:
            return got
    return got


@pytest.mark.promise("R22")
def test_every_changed_byte_of_a_page_is_found_and_none_is_served(make_cluster, client, tmp_path,
                                                                  seed, chance, full, figure):
    rounds = 100 if full else 3
    cluster, log = written(make_cluster, client, tmp_path, seed, 1500)
    head, found = log.sequence.count, 0
    for _ in range(rounds):
        path, size = chance.choice(log_files(cluster))
        at, mask = chance.randrange(size), 1 << chance.randrange(8)
        cluster["events"].stop()
        cluster.postgres.stop()
        flip_on_disk(path, at, mask)
        cluster.postgres.start()
        found += not readable(cluster)
        cluster["events"].start()
        cluster["events"].await_ready()
        got = followed(client, cluster, head, 1.5)
        assert got.count < head, "the whole log was served from a spoilt page"
        cluster["events"].stop()
        cluster.postgres.stop()
        flip_on_disk(path, at, mask)
        cluster.postgres.start()
        cluster.start_service("events")
    assert found == rounds
    assert followed(client, cluster, head, 30) == log.sequence
    figure("R22", pages_spoilt=rounds, found=found, served=0)

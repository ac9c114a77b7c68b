"""The stored log as bytes on a disk: what a block and a page hold, and how to spoil one byte."""

import hashlib
from collections import namedtuple

from faults.raw import Chains, split
from faults.traffic import query

Block = namedtuple("Block", "position count data checksum")
PAGE_BYTES = 8192


def blocks(cluster):
    rows = query(cluster, "SELECT position, count, data, checksum FROM events.log "
                          "ORDER BY position")
    return [Block(position, count, bytes(data), bytes(checksum))
            for position, count, data, checksum in rows]


def faulty(found):
    """Positions of the blocks whose bytes are not those that were written, by their checksum."""
    return [block.position for block in found
            if hashlib.blake2b(block.data, digest_size=32).digest() != block.checksum]


def chains(client, found):
    """Every tenant's link after the last event, from the blocks alone; None where they cannot even
    be read."""
    made = Chains()
    try:
        for block in found:
            for packed in split(block.data):
                event = client.cloudevents.CloudEvent.FromString(packed)
                if "tenantsequence" in event.attributes:
                    made.add(event.attributes["tenantid"].ce_string,
                             int(event.attributes["tenantsequence"].ce_string), packed)
    except Exception:  # noqa: BLE001: of any kind, because any byte may be spoiled
        return None
    return {tenant: link.hex() for tenant, link in made.links.items()}


def kept_chains(cluster):
    return dict(query(cluster, "SELECT tenant_id::text, encode(chain, 'hex') "
                               "FROM events.tenant_stream"))


def external_spans(client, block):
    """Byte ranges of the block that lie in events which have a tenant's number."""
    at, spans = 0, []
    for packed in split(block.data):
        at = block.data.index(packed, at)
        if "tenantsequence" in client.cloudevents.CloudEvent.FromString(packed).attributes:
            spans.append((at, at + len(packed)))
        at += len(packed)
    return spans


def flip(cluster, position, at, mask):
    """Spoils bits of one byte of a stored block; the same again mends it."""
    query(cluster, f"UPDATE events.log SET data = "
                   f"set_byte(data, {at}, get_byte(data, {at}) # {mask}) "
                   f"WHERE position = {position} RETURNING position")


def seal(cluster, position, data):
    """Other bytes for a block, and the checksum that fits them."""
    checksum = hashlib.blake2b(data, digest_size=32).hexdigest()
    query(cluster, f"UPDATE events.log SET data = '\\x{data.hex()}', checksum = '\\x{checksum}' "
                   f"WHERE position = {position} RETURNING position")


def log_files(cluster):
    """Paths and sizes of what the log's rows lie in, also in partitions and out of line."""
    query(cluster, "CHECKPOINT")
    rows = query(cluster, """
        SELECT pg_relation_filepath(part.oid), pg_relation_size(part.oid)
        FROM (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'events'::regnamespace
                AND c.relkind = 'r' AND c.relname ~ '^log_[0-9]+$'
              UNION SELECT c.reltoastrelid FROM pg_class c
              WHERE c.relnamespace = 'events'::regnamespace
                AND c.relkind = 'r' AND c.relname ~ '^log_[0-9]+$' AND c.reltoastrelid <> 0) AS part""")
    return [(cluster.postgres.data / path, size) for path, size in rows if size]


def flip_on_disk(path, at, mask):
    """As `flip`, in a page of a file; Postgres must be down."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ mask]))

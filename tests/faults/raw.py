"""The stream as bytes: a follower that keeps every event as it lies in the batch, and the check of
a whole log that needs nothing of the server's but what docs/protocol.md says."""

import hashlib
import threading
import time

import zmq
from events_place import own_key

CREDIT = 5000
SILENCE_MS = 3500
AGAIN = (8, 14)  # RESOURCE_EXHAUSTED, UNAVAILABLE: follow again


def split(batch):
    """The events of a packed CloudEventBatch, without tag and length."""
    events, at = [], 0
    while at < len(batch):
        assert batch[at] == 0x0a, "a batch holds events alone"
        at, size, shift = at + 1, 0, 0
        while True:
            byte = batch[at]
            size |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                break
        events.append(batch[at:at + size])
        at += size
    return events


class Connection:
    """One DEALER and what comes over it."""

    def __init__(self, client, cluster, keys=None, endpoint=None, **options):
        self.stream = client.stream
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.curve_serverkey = (cluster.key_folder / "events.pub").read_bytes().strip()
        self.socket.curve_publickey, self.socket.curve_secretkey = keys or own_key(cluster)
        for name, value in {"linger": 0, "heartbeat_ivl": 1000, **options}.items():
            setattr(self.socket, name, value)  # before it connects: later they would do nothing
        self.socket.connect(endpoint or cluster.stream_endpoint)

    def send(self, **frame):
        self.socket.send(self.stream.ClientFrame(**frame).SerializeToString())

    def follow(self, after=0, credit=CREDIT, **wanted):
        self.send(follow=self.stream.Follow(after=after, credit=credit,
                                            filter=self.stream.Filter(**wanted)))

    def receive(self, timeout_ms=SILENCE_MS):
        """(kind, frame, body); (None, None, None) when nothing came."""
        if not self.socket.poll(timeout_ms):
            return None, None, None
        head, *body = self.socket.recv_multipart()
        frame = self.stream.ServerFrame.FromString(head)
        kind = frame.WhichOneof("frame")
        return kind, getattr(frame, kind), body[0] if body else b""

    def close(self):
        self.socket.close()


def follow(client, cluster, after=0, stop=None, endpoint=None, keys=None):
    """Yields (through, head, packed events), also of heartbeats; follows again when it must."""
    while not (stop and stop.is_set()):
        connection, unpaid = Connection(client, cluster, keys, endpoint), 0
        connection.follow(after)
        try:
            while not (stop and stop.is_set()):
                kind, frame, body = connection.receive()
                if kind is None or (kind == "ended" and frame.code in AGAIN):
                    break
                assert kind != "ended", f"{frame.code}: {frame.detail}"
                if kind == "heartbeat":
                    yield after, frame.head, []
                    continue
                assert frame.after == after, f"{frame.after} follows {after}"
                events = split(body)
                assert len(events) == frame.count
                after, unpaid = frame.through, unpaid + frame.count
                if unpaid >= CREDIT // 2:
                    connection.send(credit=connection.stream.Credit(events=unpaid))
                    unpaid = 0
                yield after, frame.head, events
        finally:
            connection.close()


class Sequence:
    """The digest of a sequence of events, however it was cut into batches."""

    def __init__(self):
        self.count = 0
        self._hash = hashlib.blake2b(digest_size=32)

    def add(self, events):
        for event in events:
            self._hash.update(len(event).to_bytes(4, "big"))
            self._hash.update(event)
        self.count += len(events)

    def __eq__(self, other):
        return self.count == other.count and self._hash.digest() == other._hash.digest()

    def __repr__(self):
        return f"{self.count} events, {self._hash.hexdigest()}"


class Reader(threading.Thread):
    """Follows from the start until the position it is told; keeps the sequence, not the events."""

    def __init__(self, client, cluster, endpoint=None):
        super().__init__(daemon=True)
        self.sequence, self.through = Sequence(), 0
        self.target, self.failure = None, None
        self._stop_reading = threading.Event()
        self._follow = follow(client, cluster, 0, self._stop_reading, endpoint)

    def run(self):
        try:
            for through, _head, events in self._follow:
                self.sequence.add(events)
                self.through = through
                if self.target is not None and through >= self.target:
                    return
        except Exception as failure:  # noqa: BLE001: told by finish()
            self.failure = failure

    def finish(self, position, deadline_s):
        self.target = position
        self.join(deadline_s)
        self._stop_reading.set()
        if self.failure:
            raise self.failure
        assert not self.is_alive(), f"a reader stands at {self.through} of {position}"


class Chains:
    """Every tenant's hash chain, computed from what was followed."""

    def __init__(self):
        self.links, self.numbers = {}, {}

    def add(self, tenant, tenant_number, packed):
        before = self.numbers.get(tenant, 0)
        assert tenant_number == before + 1, f"{tenant}: {tenant_number} follows {before}"
        link = self.links.get(tenant)
        if link is None:
            link = hashlib.blake2b(tenant.encode(), digest_size=32).digest()
        self.links[tenant] = hashlib.blake2b(link + packed, digest_size=32).digest()
        self.numbers[tenant] = tenant_number


class Log:
    """A whole log, read from the start: ids and subjects in order; numbers and chains checked."""

    def __init__(self, client, cluster, position, deadline_s=120, endpoint=None):
        self.sequence, self.chains, self.events = Sequence(), Chains(), []
        self._place = {}
        self._parse = client.cloudevents.CloudEvent.FromString
        end = time.monotonic() + deadline_s
        if not position:
            return
        for through, _head, events in follow(client, cluster, 0, None, endpoint):
            for packed in events:
                self._add(packed)
            if through >= position:
                break
            assert time.monotonic() < end, f"only {through} of {position} came"
        assert self.sequence.count == position

    def _add(self, packed):
        event = self._parse(packed)
        attributes = {name: value.ce_string for name, value in event.attributes.items()}
        position = self.sequence.count + 1
        assert int(attributes["sequence"]) == position, f"{attributes['sequence']} at {position}"
        before = self._place.setdefault(event.id, position)
        assert before == position, f"{event.source} {event.id} at {before} and {position}"
        self.events.append((event.id, event.type, attributes.get("subject", "")))
        self.sequence.add([packed])
        if "tenantsequence" in attributes:
            self.chains.add(attributes["tenantid"], int(attributes["tenantsequence"]), packed)

    def position(self, event_id):
        """None: it is not in the log."""
        return self._place.get(event_id)

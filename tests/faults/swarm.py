"""Many readers on one thread, and how late each event came to them.

The writer notes when it committed which positions; a reader's batch is as late as its oldest event.
"""

import bisect
import selectors
import socket
import threading
import time

import zmq
from events_place import TENANTS, event

from faults.raw import CREDIT, Connection, split


class Clockwork(threading.Thread):
    """One writer: `events` at once, `per_second` times; knows when each position was committed."""

    def __init__(self, cluster, client, events, per_second, size, after):
        super().__init__(daemon=True)
        self.cluster, self.client, self.events, self.size = cluster, client, events, size
        self.pause_s, self.last = 1 / per_second, after
        self.ends, self.times = [], []
        self.stopping = threading.Event()

    def run(self):
        connection = self.cluster.postgres.connect("samverka", "app_registry")
        due = time.monotonic()
        while not self.stopping.is_set():
            items = [made(self.client, self.size) for _ in range(self.events)]
            self.last += len(items)
            self.times.append(time.monotonic())
            self.ends.append(self.last)
            insert(connection, items)
            due = max(due + self.pause_s, time.monotonic() - 1)
            self.stopping.wait(max(0, due - time.monotonic()))
        connection.close()

    def stop(self):
        self.stopping.set()
        self.join(30)
        return self.last

    def committed(self, position):
        """When it was, or None for what was there before."""
        at = bisect.bisect_left(self.ends, position)
        return self.times[at] if at < len(self.times) else None


def made(client, size):
    """A public event of about `size` bytes."""
    item = event(client, TENANTS[0], "com.example.tick.v1", audience="public")
    item.binary_data = b"x" * max(1, size - 300)
    return item


def insert(connection, items):
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT set_config('app.tenant', %s, true)", (TENANTS[0],))
        cursor.execute("INSERT INTO events.outbox (tenant_id, internal, event) "
                       "SELECT %s, false, unnest(%s::bytea[])",
                       (TENANTS[0], [item.SerializeToString() for item in items]))
        cursor.execute("COMMIT")


class Swarm(threading.Thread):
    """Base of both kinds: `through` of each reader, and (when, lateness) of each batch."""

    def __init__(self, writer, count, after):
        super().__init__(daemon=True)
        self.writer, self.through, self.late = writer, [after] * count, []
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.turn()
        except Exception as failure:  # noqa: BLE001: told by stop()
            self.failure = failure
        finally:
            self.close()

    def stop(self):
        self.stopping.set()
        self.join(30)
        if self.failure:
            raise self.failure

    def note(self, oldest):
        written, now = self.writer.committed(oldest), time.monotonic()
        if written is not None:
            self.late.append((now, now - written))

    def all_at(self, position):
        if self.failure:
            raise self.failure
        return min(self.through) >= position

    def p99(self, since, until):
        lates = sorted(late for when, late in self.late if since <= when < until)
        assert len(lates) > 100, f"only {len(lates)} batches came"
        return lates[int(len(lates) * 0.99)]


class ZmqSwarm(Swarm):
    def __init__(self, client, cluster, writer, count, after, keys=None):
        super().__init__(writer, count, after)
        self.connections = [Connection(client, cluster, keys and keys[n]) for n in range(count)]
        self.poller, self.index, self.unpaid = zmq.Poller(), {}, [0] * count
        for n, connection in enumerate(self.connections):
            self.poller.register(connection.socket, zmq.POLLIN)
            self.index[connection.socket] = n
            connection.follow(after)

    def turn(self):
        for readable, _ in self.poller.poll(200):
            n = self.index[readable]
            kind, frame, body = self.connections[n].receive(0)
            assert kind != "ended", f"reader {n}: {frame.code}: {frame.detail}"
            if kind != "batch":
                continue
            assert frame.after == self.through[n] and len(split(body)) == frame.count
            self.note(frame.after + 1)
            self.through[n] = frame.through
            self.unpaid[n] += frame.count
            if self.unpaid[n] >= CREDIT // 2:
                stream = self.connections[n].stream
                self.connections[n].send(credit=stream.Credit(events=self.unpaid[n]))
                self.unpaid[n] = 0

    def close(self):
        for connection in self.connections:
            connection.close()


class Sse:
    """One client of /v1/events/stream, as bytes; counts ids, which must rise."""

    def __init__(self, port, after, receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:  # before it connects: it bounds the window that is offered
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET /v1/events/stream?after={after} HTTP/1.1\r\n"
                            "Host: localhost\r\n\r\n".encode())
        self.socket.settimeout(30)
        self.rest, self.ids, self.ended = b"", [], False

    def take(self, room=1 << 18):
        """Reads what is there; gives the new ids."""
        try:
            chunk = self.socket.recv(room)
        except ConnectionError:
            chunk = b""
        self.ended = not chunk
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        found = [int(line[4:]) for line in lines if line.startswith(b"id: ")]
        self.ids += found
        return found

    def close(self):
        self.socket.close()


class SseSwarm(Swarm):
    def __init__(self, port, writer, count, after):
        super().__init__(writer, count, after)
        self.clients = [Sse(port, after) for _ in range(count)]
        self.selector = selectors.DefaultSelector()
        for n, one in enumerate(self.clients):
            self.selector.register(one.socket, selectors.EVENT_READ, n)

    def turn(self):
        for key, _ in self.selector.select(0.2):
            one = self.clients[key.data]
            found = one.take()
            assert not one.ended, f"client {key.data} was ended: {one.rest[:300]}"
            if found:
                self.note(found[0])
                assert found[0] == self.through[key.data] + 1
                self.through[key.data] = found[-1]

    def close(self):
        self.selector.close()
        for one in self.clients:
            one.close()

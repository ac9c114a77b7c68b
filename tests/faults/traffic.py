"""Writers of every way into the log, each with a journal: rows of the outbox, Append in bulk, needs
over HTTP.  A request whose outcome is unknown is repeated with its key, and many a one whose
outcome is known as well."""

import base64
import random
import threading
import time
import uuid

import psycopg2
from events_place import TENANTS, event

from faults.journal import Journal
from faults.raw import Log
from samverka_client import Problem, Rpc, RpcError, Web, wait_for

REPEATABLE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED")
PATIENCE_S = 60


class Writer(threading.Thread):
    """One client: `step()` again and again until it is told to stop."""

    def __init__(self, folder, name, seed):
        super().__init__(daemon=True, name=name)
        self.journal = Journal(folder, name)
        self.chance = random.Random(f"{seed} {name}")
        self.stopping, self.held, self.rests = threading.Event(), threading.Event(), False
        self.acked, self.failure = 0, None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.rests = self.held.is_set()
                if self.rests:
                    self.stopping.wait(0.02)
                else:
                    self.step()
        except Exception as failure:  # noqa: BLE001: told by Crowd
            self.failure = failure
        finally:
            self.journal.close()

    def step(self):
        raise NotImplementedError


class OutboxWriter(Writer):
    """Transactions of up to `hold_s` straight into the outbox, as a service writes them; one of
    twenty is taken back."""

    def __init__(self, folder, name, seed, cluster, client, hold_s=0.05, events=8):
        super().__init__(folder, name, seed)
        self.cluster, self.client, self.hold_s, self.most = cluster, client, hold_s, events
        self.connection = None

    def step(self):
        tenant = self.chance.choice(TENANTS)
        items = [event(self.client, tenant, audience=self.chance.choice(["", "public", "internal"]))
                 for _ in range(self.chance.randint(1, self.most))]
        ids = [item.id for item in items]
        commit = self.chance.random() >= 0.05
        try:
            if self.connection is None:
                self.connection = self.cluster.postgres.connect("samverka", "app_registry")
            cursor = self.connection.cursor()
            cursor.execute("BEGIN; SELECT set_config('app.tenant', %s, true)", (tenant,))
            half = len(items) // 2
            self._insert(cursor, tenant, items[:half])
            self.stopping.wait(self.chance.uniform(0, self.hold_s))
            self._insert(cursor, tenant, items[half:])
            if commit:
                self.journal.intent(ids)
                cursor.execute("COMMIT")
                self.journal.ack(ids)
                self.acked += len(ids)
            else:
                for one in ids:
                    self.journal.taken_back(one)
                cursor.execute("ROLLBACK")
        except psycopg2.Error:  # the server is away: whether it was committed is not known
            self.connection = None
            self.stopping.wait(0.05)

    @staticmethod
    def _insert(cursor, tenant, items):
        if items:
            cursor.execute(
                "INSERT INTO events.outbox (tenant_id, internal, event) "
                "SELECT %s, * FROM unnest(%s::boolean[], %s::bytea[])",
                (tenant, [is_internal(item) for item in items],
                 [item.SerializeToString() for item in items]))


def is_internal(item):
    # Asking a map for what it lacks would put it there.
    return "audience" in item.attributes and item.attributes["audience"].ce_string == "internal"


class Appender(Writer):
    """Batches by Append, at whichever instance leads; repeats a known answer up to twice."""

    def __init__(self, folder, name, seed, cluster, client, contract, tenant, events=20):
        super().__init__(folder, name, seed)
        self.cluster, self.client, self.contract = cluster, client, contract
        self.tenant, self.events = tenant, events
        self.endpoints = cluster.endpoints("events").split(",")
        self.rpc, self.at, self.number = None, 0, 0

    def step(self):
        self.number += 1
        items = [event(self.client, "") for _ in range(self.events)]
        for item in items:
            item.source = f"/import/{self.name}"
        batch = self.client.cloudevents.CloudEventBatch(events=items).SerializeToString()
        ids = [item.id for item in items]
        self.journal.intent(ids)
        for _ in range(self.chance.randint(1, 3)):
            answer = self._append(batch)
            if answer is None:
                return  # told to stop: the outcome is not known
            self.journal.ack(ids, [answer["firstPosition"], answer["lastPosition"]])
        self.acked += len(ids)

    def _append(self, batch):
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._once(batch)
            except (RpcError, TimeoutError) as failure:
                if getattr(failure, "code", "UNAVAILABLE") not in REPEATABLE:
                    raise
                self._elsewhere()
                if self.stopping.is_set():
                    return None
                if time.monotonic() > until:
                    raise
                self.stopping.wait(0.05)

    def _once(self, batch):
        if self.rpc is None:
            self.rpc = Rpc(self.contract, self.endpoints[self.at], self.cluster.key_folder,
                           "events", tenant=self.tenant)
        return self.rpc.call("events.v1.Log/Append", {
            "source": f"/import/{self.name}", "batchNumber": self.number,
            "batch": base64.b64encode(batch).decode()}, deadline_ms=1500)

    def _elsewhere(self):
        self.rpc.close()
        self.rpc, self.at = None, (self.at + 1) % len(self.endpoints)


class NeedWriter(Writer):
    """Needs over HTTP at any gateway; repeats each request up to twice with its key."""

    def __init__(self, folder, name, seed, urls, origin, company):
        super().__init__(folder, name, seed)
        self.company = company
        self.webs = [Web(url, language=origin.language, patience=0) for url in urls]
        for web in self.webs:
            web.cookie = origin.cookie

    def step(self):
        key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        self.journal.intent(key)
        for _ in range(self.chance.randint(1, 3)):
            need = self._write(key)
            if need is None:
                return
            self.journal.ack(key, need)
        self.acked += 1

    def _write(self, key):
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.chance.choice(self.webs).post("/v1/needs", {
                    "organisationId": self.company, "visibility": "PRIVATE", "publish": True,
                    "text": [{"lang": "sv", "value": f"Behov {key}"}]}, key=key)["need"]["needId"]
            except (Problem, OSError) as failure:
                if isinstance(failure, Problem) and failure.status not in (503, 504, 429, 409):
                    raise
                if self.stopping.is_set():
                    return None
                if time.monotonic() > until:
                    raise
                self.stopping.wait(0.05)


class Crowd:
    """    with Crowd(writers) as crowd:
               crowd.await_acked(1000, 60)
    """

    def __init__(self, writers):
        self.writers = writers

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, kind, *_):
        for writer in self.writers:
            writer.stopping.set()
        for writer in self.writers:
            writer.join(PATIENCE_S + 30)
        if kind is None:
            self.check()

    def check(self):
        for writer in self.writers:
            assert writer.failure is None, f"{writer.name}: {writer.failure!r}"

    def hold(self):
        """Until release() nothing is written; back when nothing is under way."""
        for writer in self.writers:
            writer.held.set()
        wait_for(lambda: all(writer.rests for writer in self.writers), 30, "the writers to rest")

    def release(self):
        for writer in self.writers:
            writer.held.clear()

    def acked(self, kind=Writer):
        return sum(writer.acked for writer in self.writers if isinstance(writer, kind))

    def await_acked(self, count, deadline_s, kind=Writer):
        def there():
            self.check()
            return self.acked(kind) >= count
        wait_for(there, deadline_s, f"{count} acknowledged writes")


def query(cluster, sql):
    return cluster.postgres.execute(sql, "samverka")


def await_drained(cluster, deadline_s=60):
    """Until everything that was committed is in the log; gives the log's end."""
    wait_for(lambda: query(cluster, "SELECT count(*) = 0 FROM events.outbox")[0][0], deadline_s,
             "the outbox to be emptied")
    return query(cluster, "SELECT position FROM events.head")[0][0]


def check_blocks(cluster):
    """The table itself: blocks that join, from 1 to the head, and chains as they were followed."""
    joined = query(cluster, """
        SELECT count(*) FILTER (WHERE position <> before + 1), coalesce(max(last), 0)
        FROM (SELECT position, last, lag(last, 1, 0::bigint) OVER (ORDER BY position) AS before
              FROM events.log) AS block""")[0]
    head = query(cluster, "SELECT position FROM events.head")[0][0]
    assert joined == (0, head), f"{joined[0]} gaps; the blocks end at {joined[1]} of {head}"


def check_log(client, cluster, truth, endpoint=None):
    """Nothing acknowledged is lost, nothing is there twice, what was taken back is not there, each
    transaction's order is kept; a second reading gives the same bytes, the tenants' chains end
    where the server says.  Gives the log."""
    head = await_drained(cluster)
    check_blocks(cluster)
    log = Log(client, cluster, head, endpoint=endpoint)
    for ids in truth.acks:
        if not isinstance(ids, str):  # a batch of the outbox or of Append
            positions = [log.position(one) for one in ids]
            assert None not in positions, f"lost: {ids}: {positions}"
            assert positions == sorted(positions), f"order of {ids}: {positions}"
    back = [one for one in truth.taken_back if log.position(one)]
    assert not back, f"taken back, and in the log: {back}"
    again = Log(client, cluster, head, endpoint=endpoint)
    assert again.sequence == log.sequence, "two readings differ"
    chains = query(cluster, "SELECT tenant_id::text, last, encode(chain, 'hex') "
                            "FROM events.tenant_stream")
    assert {tenant: (last, link) for tenant, last, link in chains} == {
        tenant: (log.chains.numbers[tenant], link.hex())
        for tenant, link in log.chains.links.items()}
    return log

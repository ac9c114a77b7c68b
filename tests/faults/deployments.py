"""Two deployments that follow each other: whole clusters in namespaces of their own."""

import itertools
import json
import threading
import uuid

from events_place import leader
from samverka_client import uuid7
from servers import wait_for

NEED = "org.samverka.need.published.v1"


class Deployment:
    """A cluster with two instances of events, a host tenant, and a writer of facts."""

    def __init__(self, name, space, make_cluster, contract):
        self.name = name
        self.space = space
        self.contract = contract
        self.root = f"https://{name}.samverka.example"
        self.written = {"public": [], "private": [], "internal": [], "shared": []}
        self._numbers = itertools.count(1)
        with space.inside():
            self.cluster = make_cluster(start=False, slots={"events": 2}, stream_host="0.0.0.0",
                                        extra={"*": {"event_source": self.root}})
        self.cluster.make_keys()

    # the two together

    @property
    def as_peer(self):
        """What the other writes into its settings."""
        ports = self.cluster.ports
        endpoints = ",".join(f"tcp://{self.space.address}:{ports[name]}"
                             for name in ("stream", "events-2.stream"))
        return f"{self.name}={endpoints}#{self.public_key}@{self.root}"

    @property
    def public_key(self):
        return (self.cluster.key_folder / "events.pub").read_text().strip()

    def start(self, peer):
        self.cluster.extra["events"] = {"federation_peers": peer.as_peer}
        with self.space.inside():
            self.cluster.start()
            self.cluster.scale("events", 2)
            self.tenant = self.operator("registry.v1.Tenants/CreateTenant", {
                "slug": f"university-{self.name}", "name": f"University of {self.name}",
                "locale": "en", "host": True})["tenant"]["tenantId"]
            self.operator("registry.v1.Systems/EnrolSystem", {
                "name": f"samverka in {peer.name}", "curvePublicKey": peer.public_key,
                "publicOnly": True}, self.tenant)

    def operator(self, method, fields, tenant=None):
        """A call by the command line; inside the namespace."""
        place = ["--tenant", tenant] if tenant else []
        return json.loads(self.cluster.command_line(*place, "call", method,
                                                    json.dumps(fields)).stdout)

    # facts

    def event(self, audience):
        make = self.contract.message
        number = next(self._numbers)
        data = make("registry.v1.NeedPublished")(need_id=uuid7())
        made = make("io.cloudevents.v1.CloudEvent")(
            id=uuid7(), source=f"{self.root}/tenants/{self.tenant}", spec_version="1.0", type=NEED)
        made.proto_data.type_url = "type.googleapis.com/registry.v1.NeedPublished"
        made.proto_data.value = data.SerializeToString()
        for name, text in (("tenantid", self.tenant), ("audience", audience),
                           ("subject", f"{self.name}-{number}")):
            made.attributes[name].ce_string = text
        return made

    def write(self, connection, kinds):
        """One transaction with an event of each of these kinds."""
        audiences = {"public": "public", "private": self.tenant, "internal": "internal",
                     "shared": f"{self.tenant},{uuid.uuid4()}"}
        made = [(kind, self.event(audiences[kind])) for kind in kinds]
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT set_config('app.tenant', %s, true)", (self.tenant,))
            for kind, event in made:
                cursor.execute("INSERT INTO events.outbox (tenant_id, internal, event) "
                               "VALUES (%s, %s, %s)",
                               (self.tenant, kind == "internal", event.SerializeToString()))
            cursor.execute("COMMIT")
        for kind, event in made:
            self.written[kind].append(event.id)

    def writer(self):
        return self.cluster.postgres.connect("samverka", "app_registry")

    # what is there

    def execute(self, sql, *values):
        connection = self.cluster.postgres.connect("samverka")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def log(self):
        """Every event of the log, in order; fails where positions do not join."""
        batch = self.contract.message("io.cloudevents.v1.CloudEventBatch")
        found = []
        for position, data in self.execute("SELECT position, data FROM events.log "
                                           "ORDER BY position"):
            assert position == len(found) + 1, "the log has a gap"
            found += batch.FromString(bytes(data)).events
        for i, event in enumerate(found, start=1):
            assert int(text(event, "sequence")) == i
        return found

    def public(self):
        """The public events that happened here, in order."""
        return [event for event in self.log()
                if text(event, "audience") == "public" and not text(event, "originsequence")]

    def received(self, peer):
        """How many of the peer's events are here: they are numbered in their tenant's stream."""
        rows = self.execute("SELECT last FROM events.tenant_stream WHERE tenant_id = %s",
                            peer.tenant)
        return rows[0][0] if rows else 0

    def taken(self, peer):
        """How far the peer's log has been looked at here."""
        rows = self.execute("SELECT position FROM events.federation_peer WHERE source = %s",
                            peer.root)
        return rows[0][0] if rows else 0

    def leader(self):
        with self.space.inside():
            return leader(self.cluster)

    def metric(self, name, **labels):
        """The sum over the instances of events that run: one of them leads."""
        wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
        start = f"samverka_events_{name}{{{wanted}}} "
        with self.space.inside():
            pages = [instance.get("/metrics")[1] for instance in self.cluster.running()
                     if instance.service == "events"]
        return sum(float(line[len(start):]) for page in pages for line in page.splitlines()
                   if line.startswith(start))


def text(event, name):
    """An attribute's text; asking a map for what it lacks would put it there."""
    return event.attributes[name].ce_string if name in event.attributes else ""


class Writing(threading.Thread):
    """Facts of every kind, one transaction after the other, until told to stop."""

    KINDS = (["public"], ["public", "private"], ["internal", "public", "public"], ["shared"])

    def __init__(self, deployment):
        super().__init__(daemon=True)
        self.deployment = deployment
        self.connection = deployment.writer()
        self.failure = None
        self._pause = threading.Event()
        self._stopping = False

    def run(self):
        try:
            for kinds in itertools.cycle(self.KINDS):
                if self._stopping:
                    return
                self.deployment.write(self.connection, kinds)
                self._pause.wait(0.005)
        except Exception as failure:  # noqa: BLE001  shown by the one who waits
            self.failure = failure

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stopping = True
        self.join(30)
        self.connection.close()
        assert not self.is_alive()
        if self.failure:
            raise self.failure


def await_writing(deployments, more, deadline_s=60):
    """Until each has written so many public events more."""
    wanted = [len(one.written["public"]) + more for one in deployments]
    wait_for(lambda: all(len(one.written["public"]) >= count
                         for one, count in zip(deployments, wanted)), deadline_s, "more facts")


def await_settled(deployments, deadline_s=30):
    """Until all that was written is in the writer's own log."""
    wait_for(lambda: all(one.execute("SELECT count(*) FROM events.outbox") == [(0,)]
                         for one in deployments), deadline_s, "the outboxes to be empty")


def await_complete(one, other, deadline_s):
    """Until each has as many events of the other as that one's log holds public ones now."""
    wanted = [(other, one, len(one.public())), (one, other, len(other.public()))]
    wait_for(lambda: all(here.received(there) >= count for here, there, count in wanted),
             deadline_s, "each to have the other's public events")

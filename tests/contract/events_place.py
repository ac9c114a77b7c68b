"""What the contract tests of `events` share: the service alone on a real Postgres, and a client made
from proto/ and docs/ by stock protoc.

Facts enter as the other services write them, by rows of events.outbox; rights stand in a table of
the test's in the place of registry's view.
"""

import pathlib
import subprocess
import sys
import time
import uuid

import pytest
import servers
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
            "types text[], expires_at timestamptz, tenant_id uuid, append_types text[], "
            "follows_limit integer, events_per_second integer, appends_per_second integer);"
            "GRANT SELECT ON events.test_system TO app_events;"
            "CREATE OR REPLACE FUNCTION events.systems() RETURNS TABLE (system_id uuid, key text, "
            "tenant_ids uuid[], types text[], expires_at timestamptz, tenant_id uuid, "
            "append_types text[], follows_limit integer, events_per_second integer, "
            "appends_per_second integer) LANGUAGE sql STABLE "
            "AS 'SELECT * FROM events.test_system'")
    admin.close()
    cluster.start()
    return cluster


@pytest.fixture(scope="module")
def alone(make_module_cluster):
    return start(make_module_cluster)


@pytest.fixture
def cluster(alone):
    """The module's cluster with an empty log."""
    alone["events"].stop()
    execute(alone, "TRUNCATE events.outbox, events.log, events.tenant_stream, events.parked, "
                     "events.append_source, events.test_system;"
                     "UPDATE events.head SET first_kept = 0, position = 0")
    alone.start_service("events")
    return alone


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
            # Asking a map for what it lacks would put it there.
            internal = ("audience" in item.attributes
                        and item.attributes["audience"].ce_string == "internal")
            cursor.execute("INSERT INTO events.outbox (tenant_id, internal, event) "
                           "VALUES (%s, %s, %s)", (tenant, internal, item.SerializeToString()))
        cursor.execute("COMMIT" if commit else "ROLLBACK")


def writer(cluster):
    return cluster.postgres.connect("samverka", "app_registry")


def enrol(cluster, tenants, types=(), expires=None, appends=(), limits=(0, 0, 0)):
    """A key pair that registry has published, and the id of its system.  `appends`: prefixes of the
    types that it may append; `limits`: follows, events and appended events a second, 0: none."""
    public, secret = zmq.curve_keypair()
    system = str(uuid.uuid4())
    execute(cluster, "INSERT INTO events.test_system VALUES (%s, %s, %s::uuid[], %s::text[], %s, %s, "
            "%s::text[], %s, %s, %s)", system, public.decode(), list(tenants), list(types), expires,
            tenants[0], list(appends), *limits)
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
    servers.wait_for(lambda: head(cluster) >= position, deadline_s, f"position {position}")


def leader(cluster):
    """The instance that numbers, by its metric."""
    for instance in cluster.running():
        if "samverka_events_leader 1" in instance.get("/metrics")[1].splitlines():
            return instance
    return None


def await_leader(cluster, other_than=None, deadline_s=10):
    def found():
        one = leader(cluster)
        return one if one is not other_than else None
    return servers.wait_for(found, deadline_s, "a leader")

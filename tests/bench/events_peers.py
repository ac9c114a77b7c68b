"""The event log and its peers for events_bench.py: private servers in one temporary folder, all on
loopback, and the programs of tests/bench/events that publish to them and follow them.

Every system has: start(), stop(), cpu_us() and switches() of its servers so far, publish(...) and
follow(...), which give command lines.  follow(fresh=True) begins with an empty log, or at its end.
"""

import contextlib
import os
import pathlib
import select
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import cluster as house_cluster  # noqa: E402
import servers  # noqa: E402

SEGMENTS = 64  # 1 GiB, the min_wal_size of our settings
READY_S = 60
RUN_S = 300
# What a writer of events_write writes beside its event.
ROW = [
    "CREATE TABLE notifications.bench_row (tenant_id uuid NOT NULL, id uuid PRIMARY KEY,"
    " kind integer NOT NULL, note text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())",
    "CREATE INDEX ON notifications.bench_row (tenant_id, created_at)",
    "ALTER TABLE notifications.bench_row ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE notifications.bench_row FORCE ROW LEVEL SECURITY",
    "CREATE POLICY tenant ON notifications.bench_row TO app_notifications"
    " USING (tenant_id = current_setting('app.tenant')::uuid)"
    " WITH CHECK (tenant_id = current_setting('app.tenant')::uuid)",
    "GRANT SELECT, INSERT ON notifications.bench_row TO app_notifications",
]
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


class Absent(Exception):
    """Why a peer cannot be measured here."""


def cpu_us(pids):
    """CPU that the processes and those of their children that have ended used so far."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:15]))  # own and waited-for, user and system
    return total * TICK_US


def switches(pids):
    """Times that a thread of the processes was put on or off a CPU, as far as they still run."""
    total = 0
    for pid in pids:
        for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
            with contextlib.suppress(OSError):
                total += sum(int(line.split()[1]) for line in status.read_text().splitlines()
                             if "ctxt_switches" in line)
    return total


def values(text):
    """The lines "name<TAB>value" of a program."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("\t")
        if value:
            found[name] = float(value)
    return found


class Program:
    """A running publisher or follower; its errors go to ours."""

    def __init__(self, command):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)

    def await_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], READY_S)
        line = self.process.stdout.readline() if readable else ""
        if line != "ready\n":
            raise RuntimeError(f"{' '.join(self.command)}: not ready")

    def result(self, tell=""):
        out, _ = self.process.communicate(tell, timeout=RUN_S)
        if self.process.returncode:
            raise RuntimeError(f"{' '.join(self.command)}: exit code {self.process.returncode}")
        return values(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class System:
    """What is measured."""

    def cpu_us(self):
        return cpu_us(self.pids())

    def switches(self):
        return switches(self.pids())


class Samverka(System):
    """Our `events` with a Postgres that syncs every commit."""

    name = "samverka"

    def __init__(self, folder, build, curve=False):
        self.programs = build / "bench"
        self.cluster = house_cluster.Cluster(
            folder, build, ports="free", services=["events"], die_with_parent=True,
            extra={"*": {"curve": "true" if curve else "false"}})
        self.curve = curve

    def start(self):
        self.cluster.start()
        self.await_leader()
        for statement in ROW:
            self.sql(statement)
        self.age()

    def age(self):
        """As a Postgres that has run for an hour: segments of its log are there to be used again."""
        for _ in range(SEGMENTS):
            self.sql("SELECT pg_logical_emit_message(false, 'bench', 'x'), pg_switch_wal()")
        self.sql("CHECKPOINT")

    def await_leader(self):
        """Ready is whoever can be followed; only the leader takes what is appended."""
        servers.wait_for(lambda: "\nsamverka_events_leader 1\n" in
                         self.cluster["events"].get("/metrics")[1], READY_S, "events to lead")

    def stop(self):
        self.cluster.stop()

    def use_curve(self, curve):
        self.curve = curve
        self.cluster.extra["*"]["curve"] = "true" if curve else "false"
        self.restart()

    def restart(self):
        """The tail in memory is gone after this."""
        self.cluster.restart("events")
        self.await_leader()

    def pids(self):
        return [self.cluster["events"].pid, *self.cluster.postgres.family()]

    def sql(self, text, user=servers.SUPERUSER):
        return self.cluster.postgres.execute(text, "samverka", user)

    def head(self):
        return self.sql("SELECT position FROM events.head")[0][0]

    def keys(self, name):
        return [f"key_folder={self.cluster.key_folder}", f"key={name}"] if self.curve else []

    def publish(self, **arguments):
        arguments.setdefault("batch", 1)
        return [self.programs / "events_append", f"endpoint={self.cluster.stream_endpoint}",
                *self.keys("registry"), *pairs(arguments)]

    def follow(self, fresh=True, followers=1, threads=0, **arguments):
        after = self.head() if fresh else 0
        return [self.programs / "events_follow", f"endpoint={self.cluster.stream_endpoint}",
                f"after={after}", f"followers={followers}",
                f"threads={threads or min(followers, 10)}", *self.keys("matching"),
                *pairs(arguments)]

    def write(self, mode, **arguments):
        """Writers of the outbox; see tests/bench/events/write.c."""
        return [self.programs / "events_write", mode,
                f"dsn={self.cluster.dsn('app_notifications')}",
                f"bell=tcp://127.0.0.1:{self.cluster.ports['doorbell']}", *pairs(arguments)]


class SamverkaRpc(Samverka):
    """The same, appending by rpc."""

    def publish(self, **arguments):
        return [self.programs / "events_append_rpc", f"endpoint={self.cluster.endpoint('events')}",
                *pairs(arguments)]


def pairs(arguments):
    return [f"{name}={value}" for name, value in arguments.items()]


class Peer(System):
    """One server process in its folder."""

    def __init__(self, folder, build):
        self.folder = pathlib.Path(folder)
        self.programs = build / "bench"
        self.port = servers.free_port()
        self.process = None

    def spawn(self, command):
        self.process = servers.spawn([str(part) for part in command], self.folder / "log", True)

    def wait_until_open(self):
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                servers.socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.02)
        words = (self.folder / "log").read_text(errors="replace").splitlines()[-5:]
        raise Absent(f"{self.name} does not start: {' '.join(words)}")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=READY_S)
            self.process = None

    def pids(self):
        return [self.process.pid]


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise Absent(f"{name} is not installed: scripts/install-packages bench")
    return found


class JetStream(Peer):
    """NATS JetStream as it comes: a file store, acknowledged before it is synced."""

    name = "jetstream"

    def prepare(self, store):
        """What a subclass does with the folder of the store."""

    def start(self):
        store = servers.own_folder(servers.own_folder(self.folder) / "store")
        self.prepare(store)
        self.spawn([program("nats-server"), "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", store])
        self.wait_until_open()

    def publish(self, **arguments):
        return [self.programs / "events_jetstream_pub", f"endpoint=nats://127.0.0.1:{self.port}",
                *pairs(arguments)]

    def follow(self, fresh=True, followers=1, **arguments):
        return [self.programs / "events_jetstream_sub", f"endpoint=nats://127.0.0.1:{self.port}",
                f"threads={followers}", f"fresh={int(fresh)}", *pairs(arguments)]


class JetStreamSync(JetStream):
    """The same on a folder where every write is synchronous."""

    name = "jetstream_sync"

    def prepare(self, store):
        result = subprocess.run(["chattr", "+S", store], capture_output=True, text=True)
        flags = subprocess.run(["lsattr", "-d", store], capture_output=True, text=True).stdout
        if result.returncode or "S" not in flags.split(" ")[0]:
            raise Absent(f"the file system knows no synchronous folders: {result.stderr.strip()}")


class RedisAlways(Peer):
    """Redis Streams, its append-only file synced before every answer.  It never rewrites the file
    meanwhile, which would slow it down."""

    name = "redis_always"

    def start(self):
        servers.own_folder(self.folder)
        self.spawn([program("redis-server"), "--bind", "127.0.0.1", "--port", self.port, "--dir",
                    self.folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                    "--auto-aof-rewrite-percentage", "0"])
        self.wait_until_open()

    def publish(self, **arguments):
        return [self.programs / "events_redis_pub", f"port={self.port}", *pairs(arguments)]

    def follow(self, fresh=True, followers=1, **arguments):
        return [self.programs / "events_redis_sub", f"port={self.port}", f"threads={followers}",
                f"fresh={int(fresh)}", *pairs(arguments)]


class RabbitStream(Peer):
    """RabbitMQ's stream queue, which is not synced; AMQP 0.9.1."""

    name = "rabbitmq"

    def start(self):
        home = servers.own_folder(self.folder)
        launcher = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        if not launcher.exists():
            raise Absent("rabbitmq-server is not installed: scripts/install-packages bench")
        names_port, distribution_port = servers.free_port(), servers.free_port()
        configuration = home / "rabbitmq.conf"
        configuration.write_text(f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
                                 "loopback_users.guest = true\n")
        configuration.chmod(0o644)
        # Its name server is a child of ours too, so that nothing stays behind.
        self.names = servers.spawn([program("epmd"), "-port", str(names_port), "-address",
                                    "127.0.0.1"], home / "epmd.log", True)
        environment = {"HOME": home, "RABBITMQ_NODENAME": "bench@localhost",
                       "RABBITMQ_CONFIG_FILE": configuration, "RABBITMQ_MNESIA_BASE": home / "data",
                       "RABBITMQ_LOG_BASE": home / "logs", "RABBITMQ_LOGS": "-",
                       "RABBITMQ_PID_FILE": home / "pid", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                       "RABBITMQ_ENABLED_PLUGINS_FILE": "/dev/null",
                       "RABBITMQ_DIST_PORT": distribution_port, "ERL_EPMD_PORT": names_port,
                       "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.spawn(["env", *pairs(environment), launcher])
        self.wait_until_open()

    def pids(self):
        found = [self.process.pid]
        for pid in found:  # grows while it is read: all descendants
            with contextlib.suppress(OSError):
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found

    def stop(self):
        below = self.pids()[1:] if self.process is not None else []
        super().stop()
        for pid in below:  # the launcher does not always take them along
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 15)
        if getattr(self, "names", None) is not None:
            self.names.terminate()
            self.names.wait(timeout=READY_S)
            self.names = None

    def publish(self, **arguments):
        return [self.programs / "events_rabbit", "publish", f"port={self.port}", *pairs(arguments)]

    def follow(self, fresh=True, followers=1, **arguments):
        return [self.programs / "events_rabbit", "follow", f"port={self.port}",
                f"threads={followers}", f"fresh={int(fresh)}", *pairs(arguments)]

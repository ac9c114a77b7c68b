"""A whole Samverka on this machine: Postgres, Redis, keys, settings, the services.

    cluster = Cluster(build="build/release")           the one under .samverka, on the usual ports
    cluster = Cluster(folder, build, ports="free")     one of several, for tests
    cluster.start()                                    back when every service says ready
    cluster.url, cluster.call_operator(...)            where it is, and the command line beside it
    cluster.kill("registry"); cluster.start_service("registry")
    cluster.stop()

Everything lies in one folder: keys/, settings/, log/, run/ (pids), postgres/, redis/ and
cluster.json (ports), so that another process (scripts/stop) finds what this one started.  start()
is idempotent: what runs with the same program and settings stays, what differs is restarted.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import servers  # noqa: E402

READY_DEADLINE_S = 60
STOP_DEADLINE_S = 20
PINNED = {"postgres": 5453, "redis": 6400, "http": 8080, "stream": 5570,
          "doorbell": 5571}


class ClusterError(Exception):
    """What went wrong, with the last words of the process concerned."""


def service_table():
    """name -> last two digits of its usual ports; the names that others call."""
    text = (ROOT / "common/service/services.def").read_text()
    names = {name: int(port) for name, port in re.findall(r"^SERVICE\((\w+), (\d+)\)", text, re.M)}
    return names, re.findall(r"^CALLED\((\w+)\)", text, re.M)


SERVICES, CALLED = service_table()


def setting_names(service):
    """The settings a service knows, so that a file names no other."""
    text = (ROOT / "common/service/settings.def").read_text()
    own = ROOT / "services" / service / "settings.def"
    if own.exists():
        text += own.read_text()
    return set(re.findall(r"^SETTING_\w+\((\w+)", text, re.M))


def free_ports(count):
    """Ports nobody listens on, below the range the kernel gives to connections."""
    found = []
    for port in secrets.SystemRandom().sample(range(20000, 32000), 12000):
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
        if len(found) == count:
            return found
    raise ClusterError("no free ports")


def write_private(path, text):
    """Writes the file for its owner only; says whether it differs from what was there."""
    with contextlib.suppress(OSError):
        if path.read_text() == text:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w",
              encoding="utf-8") as file:
        file.write(text)
    return True


class Instance:
    """One process of a service."""

    def __init__(self, cluster, service, number):
        self.cluster = cluster
        self.service = service
        self.number = number
        self.name = service if number == 1 else f"{service}-{number}"
        self.settings_path = cluster.folder / "settings" / f"{self.name}.conf"
        self.pid_path = cluster.folder / "run" / f"{self.name}.pid"
        self.log = cluster.folder / "log" / f"{self.name}.log"
        self.rpc_port = cluster.ports[f"{self.name}.rpc"]
        self.admin_port = cluster.ports[f"{self.name}.admin"]
        self.environment = {}  # beside the caller's, at the next start
        self.process = None

    @property
    def program(self):
        return self.cluster.build / "bin" / f"samverka-{self.service}"

    @property
    def pid(self):
        """The pid while it runs, also when an earlier run started it."""
        if self.process is not None:
            return self.process.pid if self.process.poll() is None else None
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.pid_path.read_text())
            if servers.alive(pid, self.settings_path):
                return pid
        return None

    def stale(self):
        """Whether it runs an older program than the one built last."""
        with contextlib.suppress(OSError):
            return self.program.stat().st_mtime > self.pid_path.stat().st_mtime
        return True

    def settings(self):
        cluster, ports = self.cluster, self.cluster.ports
        values = {
            "rpc_bind": f"tcp://127.0.0.1:{self.rpc_port}",
            "admin_bind": f"127.0.0.1:{self.admin_port}",
            "key_folder": cluster.folder / "keys",
            "pg_dsn": cluster.dsn(f"app_{self.service}"),
            "redis_port": ports["redis"],
            "cursor_secret": cluster.secret("cursor"),
            "webhook_keys": cluster.secret("webhooks"),
            "stream_endpoints": f"tcp://127.0.0.1:{ports['stream']}",
            "doorbell_endpoints": f"tcp://127.0.0.1:{ports['doorbell']}",
            "stream_bind": f"tcp://{cluster.stream_host}:{ports['stream']}",
            "doorbell_bind": f"tcp://127.0.0.1:{ports['doorbell']}",
            "http_bind": f"127.0.0.1:{ports['http']}",
            "public_url": f"http://127.0.0.1:{ports['http']}",
            "event_source": f"http://127.0.0.1:{ports['http']}",
        }
        if self.number > 1 and self.service == "events":
            for name in ("stream", "doorbell"):
                host = cluster.stream_host if name == "stream" else "127.0.0.1"
                values[f"{name}_bind"] = f"tcp://{host}:{ports[f'{self.name}.{name}']}"
        if self.number > 1 and self.service == "gateway":
            values["http_bind"] = f"127.0.0.1:{ports[f'{self.name}.http']}"
        for name in ("stream", "doorbell"):
            values[f"{name}_endpoints"] = ",".join(
                [f"tcp://127.0.0.1:{ports[name]}"]
                + [f"tcp://127.0.0.1:{ports[f'events-{n}.{name}']}"
                   for n in range(2, cluster.slots.get("events", 1) + 1)])
        for name in CALLED:
            values[f"{name}_endpoints"] = cluster.endpoints(name)
        shards = cluster.shards.get(self.service, 1)
        values["shard"] = f"{(self.number - 1) % shards + 1}/{shards}"
        for name in ("*", self.service, self.name):
            values.update(cluster.extra.get(name, {}))
        known = setting_names(self.service)
        return {name: value for name, value in values.items() if name in known}

    def write_settings(self):
        lines = [f"{name} = {value}" for name, value in sorted(self.settings().items())]
        return write_private(self.settings_path, "\n".join(lines) + "\n")

    def start(self):
        """Starts the process unless it runs; does not wait for it to be ready."""
        changed = self.write_settings()
        if self.pid is not None:
            if not changed and not self.stale():
                return
            self.stop()
        if not self.program.exists():
            raise ClusterError(f"{self.program} is not built")
        for path in (self.log, self.pid_path):
            path.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SAMVERKA_")}
        environment.update(self.environment)
        libc, die = ctypes.CDLL(None), self.cluster.die_with_parent
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [self.program, "--settings-file", self.settings_path], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, cwd=self.cluster.folder, env=environment,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(1, signal.SIGTERM) if die else None)
        self.pid_path.write_text(f"{self.process.pid}\n")

    def send(self, number):
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, number=signal.SIGTERM):
        """Ends it, at last by SIGKILL; says whether it ended by itself.  0: it has been asked
        already, and a second signal would cut its drain short."""
        willing = True
        if number:
            self.send(number)
        self.send(signal.SIGCONT)
        try:
            servers.wait_for(lambda: self.pid is None, STOP_DEADLINE_S, f"{self.name} to end")
        except servers.ServerError:
            willing = False
            self.send(signal.SIGKILL)
            servers.wait_for(lambda: self.pid is None, STOP_DEADLINE_S, f"{self.name} to end")
        self.process = None
        self.pid_path.unlink(missing_ok=True)
        return willing

    def get(self, path, timeout=2):
        """Status and text of a page of the admin port; (0, "") when there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}",
                                        timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self):
        return self.get("/readyz")[0] == 200

    def last_words(self, lines=15):
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def await_ready(self, deadline_s=READY_DEADLINE_S):
        def there():
            if self.pid is None:
                raise ClusterError(f"{self.name} has ended:\n{self.last_words()}")
            return self.ready()
        try:
            servers.wait_for(there, deadline_s, f"{self.name} to be ready")
        except servers.ServerError as error:
            # Often it waits for another, which has ended.
            ended = "".join(f"\n{one.name} has ended:\n{one.last_words()}"
                            for one in self.cluster.instances.values()
                            if one.process is not None and one.pid is None)
            raise ClusterError(f"{error}: {self.get('/readyz')[1].strip() or 'no answer'}\n"
                               f"{self.last_words()}{ended}") from None


class Cluster:
    """`slots`: how many instances of a service there may be ({"matching": 3}); start() starts one
    of each, scale() the rest.  `shards`: how many shards they are ({"matching": 2}), dealt out in
    turn.  `extra`: settings by service or instance, "*" for all.  `stream_host`: where the event
    stream listens; for a cluster in a network of its own."""

    def __init__(self, folder=ROOT / ".samverka", build=None, ports="usual", slots=None, extra=None,
                 services=None, die_with_parent=False, durable=True, stream_host="127.0.0.1",
                 shards=None):
        self.folder = pathlib.Path(folder).absolute()
        self.build = pathlib.Path(build or ROOT / "build/release").absolute()
        self.slots = dict(slots or {})
        self.shards = dict(shards or {})
        self.extra = extra or {}
        self.services = list(services or SERVICES)
        self.die_with_parent = die_with_parent
        self.stream_host = stream_host
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = self._ports(ports)
        place = servers.place(self.folder / "servers")
        self.postgres = servers.Postgres(place / "postgres", self.ports["postgres"],
                                         durable=durable, die_with_parent=die_with_parent)
        self.redis = servers.Redis(place / "redis", self.ports["redis"],
                                   die_with_parent=die_with_parent)
        self.instances = {}
        for service in self.services:
            for number in range(1, self.slots.get(service, 1) + 1):
                instance = Instance(self, service, number)
                self.instances[instance.name] = instance

    # ports and secrets

    def _wanted_ports(self):
        names = list(PINNED)
        for service in SERVICES:
            for number in range(1, self.slots.get(service, 1) + 1):
                name = service if number == 1 else f"{service}-{number}"
                names += [f"{name}.rpc", f"{name}.admin"]
                if number > 1 and service == "events":
                    names += [f"{name}.stream", f"{name}.doorbell"]
                if number > 1 and service == "gateway":
                    names.append(f"{name}.http")
        return names

    def _ports(self, kind):
        """Those of an earlier start, and new ones where it had none."""
        path = self.folder / "cluster.json"
        ports = {}
        with contextlib.suppress(OSError, ValueError):
            ports = json.loads(path.read_text())["ports"]
        if kind == "usual":
            ports = dict(PINNED)
            for service, digits in SERVICES.items():
                ports[f"{service}.rpc"] = 5500 + digits
                ports[f"{service}.admin"] = 5520 + digits
        missing = [name for name in self._wanted_ports() if name not in ports]
        ports.update(zip(missing, free_ports(len(missing)) if missing else []))
        write_private(path, json.dumps({"ports": ports}, indent=1) + "\n")
        return ports

    def secret(self, name):
        """32 bytes as hexadecimal digits, made once."""
        path = self.folder / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_hex(32) + "\n")
        return path.read_text().strip()

    def make_keys(self, *names):
        """CURVE key pairs as common/wire/keys.h describes the files; what exists is kept."""
        import zmq  # only here, so that scripts/stop needs no pyzmq
        folder = self.folder / "keys"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names or [*SERVICES, "operator"]:
            if (folder / f"{name}.key").exists():
                continue
            public, secret = zmq.curve_keypair()
            for suffix, text, mode in ((".key", secret, 0o400), (".pub", public, 0o444)):
                with open(os.open(folder / f"{name}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                                  mode), "wb") as file:
                    file.write(text + b"\n")

    # addresses

    @property
    def url(self):
        return f"http://127.0.0.1:{self.ports['http']}"

    @property
    def key_folder(self):
        return self.folder / "keys"

    def endpoint(self, name):
        return f"tcp://127.0.0.1:{self.ports[f'{name}.rpc']}"

    def endpoints(self, service):
        names = [service] + [f"{service}-{n}" for n in range(2, self.slots.get(service, 1) + 1)]
        shards = self.shards.get(service, 1)
        return ";".join(",".join(self.endpoint(name) for name in names[first::shards])
                        for first in range(shards))

    @property
    def stream_endpoint(self):
        return f"tcp://127.0.0.1:{self.ports['stream']}"

    def dsn(self, role, database="samverka"):
        """libpq keywords; the unix socket asks for no password."""
        return (f"host={self.postgres.socket_folder} port={self.ports['postgres']} "
                f"dbname={database} user={role}")

    # the whole

    def start(self, wait=True):
        self.start_servers()
        for instance in self.first_instances():
            instance.start()
        if wait:
            self.await_ready()

    def start_servers(self):
        """Keys, Postgres with its migrations, Redis."""
        self.make_keys()
        self.postgres.start()
        self.redis.start()
        self.migrate()

    def migrate(self):
        result = subprocess.run(
            [ROOT / "scripts/migrate", "--admin-dsn", self.postgres.dsn(), "--database", "samverka",
             "--quiet"], capture_output=True, text=True, timeout=120)
        if result.returncode:
            raise ClusterError(f"scripts/migrate: {result.stderr.strip()}")

    def first_instances(self):
        """One of each service, and of each shard."""
        return [self.instances[service if number == 1 else f"{service}-{number}"]
                for service in self.services
                for number in range(1, self.shards.get(service, 1) + 1)]

    def running(self):
        return [instance for instance in self.instances.values() if instance.pid is not None]

    def await_ready(self, deadline_s=READY_DEADLINE_S):
        for instance in self.running():
            instance.await_ready(deadline_s)

    def stop(self):
        """Ends everything; says whether all services ended by themselves."""
        instances = self.running()
        for instance in instances:
            instance.send(signal.SIGTERM)
        willing = all([instance.stop(0) for instance in instances])
        self.redis.stop()
        self.postgres.stop()
        return willing

    # one service

    def __getitem__(self, name):
        return self.instances[name]

    def start_service(self, name, wait=True):
        self[name].start()
        if wait:
            self[name].await_ready()

    def stop_service(self, name):
        return self[name].stop()

    def kill(self, name):
        self[name].stop(signal.SIGKILL)

    def restart(self, name):
        willing = self.stop_service(name)
        self.start_service(name)
        return willing

    def freeze(self, name):
        self[name].send(signal.SIGSTOP)

    def thaw(self, name):
        self[name].send(signal.SIGCONT)

    def scale(self, service, count):
        """Runs `count` instances, at most as many as the service has slots."""
        if count > self.slots.get(service, 1):
            raise ClusterError(f"{service} has {self.slots.get(service, 1)} slots")
        for number in range(1, self.slots.get(service, 1) + 1):
            instance = self[service if number == 1 else f"{service}-{number}"]
            if number <= count:
                instance.start()
            elif instance.pid is not None:
                instance.stop()
        self.await_ready()

    # the command line

    def operator_settings(self):
        """A settings file for the command line, with what it knows of."""
        values = {"key_folder": self.key_folder, "gateway_url": self.url,
                  "stream_endpoints": self.stream_endpoint,
                  "state_folder": self.folder / "imports"}
        values.update({f"{name}_endpoints": self.endpoints(name) for name in CALLED})
        known = setting_names("cli")
        path = self.folder / "settings" / "operator.conf"
        write_private(path, "".join(f"{name} = {value}\n" for name, value in sorted(values.items())
                                    if name in known))
        return path

    def command_line(self, *arguments, check=True, timeout=120, **options):
        """Runs `samverka` as the operator of this cluster."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SAMVERKA_")}
        result = subprocess.run(
            [self.build / "bin/samverka", "--settings-file", self.operator_settings(), *arguments],
            capture_output=True, text=True, timeout=timeout, env=environment, cwd=self.folder,
            **options)
        if check and result.returncode:
            raise ClusterError(f"samverka {' '.join(map(str, arguments))}: exit code "
                               f"{result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def load_demo(self):
        """The demonstration data; what it prints (logins) is kept for later starts."""
        logins = self.folder / "demo.txt"
        if not (self.build / "bin/samverka").exists():
            return ""
        if not logins.exists():
            output = self.command_line("demo", "load", timeout=300).stdout
            write_private(logins, output)
        return logins.read_text()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

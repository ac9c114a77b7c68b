"""A private Postgres and a private Redis, for the cluster and for the tests.

    pg = Postgres("/var/tmp/x/postgres")        keeps its data there; made at the first start
    pg.start()                                  back when it answers
    pg.connect("samverka", "app_registry")      a psycopg2 connection over the unix socket
    pg.stop()

The unix socket lies in a folder only the servers' account (and root) may enter and needs no
password; on loopback a password is asked for.  Nothing here sleeps blindly: every wait is for a
condition and has a deadline.

Postgres will not run as root.  Started by root, both servers run as the account `postgres`
that comes with Debian's package; otherwise as the caller.
"""

import contextlib
import ctypes
import glob
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

import psycopg2

SUPERUSER = "postgres"
ACCOUNT = "postgres"
SOCKET_PATH_MAX = 107  # sun_path without its NUL
START_DEADLINE_S = 60
STOP_DEADLINE_S = 20
POLL_S = 0.01

POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    # A stopped process must not keep its locks, nor a vanished one its statement.
    "idle_in_transaction_session_timeout": "3s",
    "client_connection_check_interval": "1s",
    "tcp_user_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "shared_buffers": "256MB",  # at least: shared_buffers()
    # Segments of the log that were used are used again: a new one is filled with zeros and synced
    # first, while the sequencer's commit waits.
    "min_wal_size": "1GB",
    "max_wal_size": "4GB",
    # The outbox lives on rows that come and go at once: what is dead is cleaned up soon.
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
    # Values can be personal data: a failing statement is logged without them.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "unix_socket_permissions": "0700",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def shared_buffers():
    """An eighth of the machine's memory, 256 MB to 2 GB: what a replay reads lies there, and is
    neither copied from the kernel nor checked again."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return f"{min(max(memory // 8, 256), 2048)}MB"


NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerError(Exception):
    """A server that did not start or stop; the text ends with its own last words."""


def wait_for(condition, deadline_s, what):
    """Polls until `condition()` is true and returns its value."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise ServerError(f"{what}: not within {deadline_s} s")
        time.sleep(POLL_S)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def account():
    """The passwd entry the servers run under."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError as error:
        raise ServerError(f"no account {ACCOUNT}: is postgresql-15 installed?") from error


def place(folder):
    """`folder`, or where the servers' account cannot get to it (a checkout in /root), a folder of
    the same purpose under /var/lib/samverka whose name is derived from it."""
    folder = pathlib.Path(folder).absolute()
    owner = account()
    for parent in folder.parents:
        if not parent.exists():
            continue
        stat = parent.stat()
        shift = 6 if stat.st_uid == owner.pw_uid else 3 if stat.st_gid == owner.pw_gid else 0
        if not stat.st_mode >> shift & 1:
            name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            return pathlib.Path("/var/lib/samverka") / f"{folder.name}-{name}"
    return folder


def own_folder(folder, mode=0o700):
    """Makes `folder` and gives it to the servers' account."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    owner = account()
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    elif folder.stat().st_uid != owner.pw_uid:
        raise ServerError(f"{folder} belongs to somebody else")
    folder.chmod(mode)
    return folder


def spawn(command, log, die_with_parent):
    """Starts a server under the account, in a session of its own, its output going to `log`."""
    owner = account()
    libc = ctypes.CDLL(None)

    def last_step():  # after the change of account, which would clear it
        if die_with_parent:
            libc.prctl(1, signal.SIGQUIT)

    identity = {}
    if os.geteuid() == 0:
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                cwd="/", start_new_session=True, preexec_fn=last_step,
                                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                                     "LC_ALL": "C.UTF-8", "HOME": "/"}, **identity)


def alive(pid, command_has):
    """Whether `pid` runs and its command line holds `command_has` (pids are used again)."""
    try:
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z" and str(command_has) in line


class Server:
    """What both have in common: a folder, a process that is known by its pid."""

    name = "server"
    stop_signals = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, folder, port, die_with_parent):
        self.folder = pathlib.Path(folder).absolute()
        self.port = port
        self.die_with_parent = die_with_parent
        self.process = None

    @property
    def log(self):
        return self.folder / f"{self.name}.log"

    def last_words(self):
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return ""

    def find_pid(self):
        """The pid of the process that serves this folder, also one started by an earlier run."""
        raise NotImplementedError

    @property
    def pid(self):
        return self.find_pid()

    def running(self):
        if self.process is not None:
            self.process.poll()  # reaps it
        return self.find_pid() is not None

    def await_ready(self, ready):
        def there():
            if self.process.poll() is not None:
                raise ServerError(f"{self.name} ended with {self.process.returncode}:\n"
                                  f"{self.last_words()}")
            return ready()
        try:
            wait_for(there, START_DEADLINE_S, f"{self.name} to answer")
        except ServerError as error:
            raise ServerError(f"{error}\n{self.last_words()}") from None

    def stop(self, signals=None):
        """Asks ever more firmly until it has ended.  Nothing to do when it does not run."""
        for number in signals or self.stop_signals:
            pid = self.find_pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
            with contextlib.suppress(ServerError):
                wait_for(lambda: not self.running(), STOP_DEADLINE_S, f"{self.name} to end")
        if self.running():
            raise ServerError(f"{self.name} does not end")
        self.process = None

    def family(self):
        """The pids of the server and its children."""
        pid = self.find_pid()
        if pid is None:
            return []
        children = []
        for stat in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = pathlib.Path(stat).read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == pid:
                    children.append(int(stat.split("/")[2]))
        return [pid, *children]

    def freeze(self):
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class Postgres(Server):
    """folder/data holds the cluster; folder/socket (or a short folder in /tmp) the unix socket."""

    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # fast, immediate, last

    def __init__(self, folder, port=0, durable=True, die_with_parent=False, settings=None):
        super().__init__(folder, port, die_with_parent)
        self.durable = durable
        self.settings = settings or {}
        self.data = self.folder / "data"
        self.socket_folder = self.folder / "socket"
        if len(f"{self.socket_folder}/.s.PGSQL.65535.lock") > SOCKET_PATH_MAX:
            name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
            self.socket_folder = pathlib.Path(f"/tmp/samverka-pg-{name}")
        pid_file = self._pid_file()
        if not port and len(pid_file) > 3:
            self.port = int(pid_file[3])

    @staticmethod
    def program(name):
        found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"),
                       key=lambda path: int(path.split("/")[4]))
        path = found[-1] if found else shutil.which(name)
        if not path:
            raise ServerError(f"{name} is not installed: apt-get install postgresql-15")
        return path

    def _pid_file(self):
        with contextlib.suppress(OSError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def find_pid(self):
        lines = self._pid_file()
        if lines and alive(int(lines[0]), self.data):
            return int(lines[0])
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        return None

    def initialise(self):
        """Makes the cluster, with checksums, unless it is there."""
        if (self.data / "PG_VERSION").exists():
            return
        own_folder(self.folder)
        command = [self.program("initdb"), "-k", "-E", "UTF8", "--locale=C.UTF-8", "-U", SUPERUSER,
                   "--auth-local=trust", "--auth-host=scram-sha-256", "-D", str(self.data)]
        if not self.durable:
            command.append("--no-sync")
        process = spawn(command, self.log, True)
        if process.wait(timeout=START_DEADLINE_S) != 0:
            raise ServerError(f"initdb failed:\n{self.last_words()}")

    def start(self):
        if self.running():
            return
        own_folder(self.folder)
        own_folder(self.socket_folder)
        self.initialise()
        fixed = self.port
        for attempt in range(5):  # a free port may be taken between the look and the bind
            self.port = fixed or free_port()
            try:
                self._start_once()
                return
            except ServerError:
                self.stop()
                if fixed or attempt == 4:
                    raise

    def _start_once(self):
        settings = dict(POSTGRES_SETTINGS)
        settings.update({"shared_buffers": shared_buffers()} if self.durable else NOT_DURABLE)
        settings.update(self.settings)
        settings["unix_socket_directories"] = str(self.socket_folder)
        settings["port"] = str(self.port)
        command = [self.program("postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.process = spawn(command, self.log, self.die_with_parent)
        self.await_ready(self.answers)

    def answers(self):
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop_immediately(self):
        """As a crash: no checkpoint, recovery at the next start."""
        self.stop((signal.SIGQUIT, signal.SIGKILL))

    def dsn(self, database="postgres", user=SUPERUSER):
        return (f"host={self.socket_folder} port={self.port} dbname={database} user={user} "
                "connect_timeout=5")

    def connect(self, database="postgres", user=SUPERUSER):
        connection = psycopg2.connect(self.dsn(database, user))
        connection.autocommit = True  # mind: `with connection` opens a transaction all the same
        return connection

    def execute(self, sql, database="postgres", user=SUPERUSER):
        """Runs one statement outside any transaction; its rows, if it has any."""
        connection = self.connect(database, user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


class Redis(Server):
    """A cache: nothing is saved, and the least used keys go when memory is short."""

    name = "redis"

    def __init__(self, folder, port=0, password="", maxmemory="64mb", die_with_parent=False):
        super().__init__(folder, port, die_with_parent)
        self.password = password
        self.maxmemory = maxmemory
        self.pid_path = self.folder / "redis.pid"
        if not port:
            with contextlib.suppress(OSError, ValueError, IndexError):
                self.port = int(self.pid_path.read_text().split()[1])

    def find_pid(self):
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        with contextlib.suppress(OSError, ValueError):
            pid, port = map(int, self.pid_path.read_text().split())
            if alive(pid, f"127.0.0.1:{port}"):  # redis shows its address in its title
                return pid
        return None

    def start(self):
        if self.running():
            return
        own_folder(self.folder)
        fixed = self.port
        for attempt in range(5):
            self.port = fixed or free_port()
            try:
                self._start_once()
                return
            except ServerError:
                self.stop()
                if fixed or attempt == 4:
                    raise

    def _start_once(self):
        lines = ["bind 127.0.0.1", f"port {self.port}", "protected-mode yes", 'save ""',
                 "appendonly no", f"maxmemory {self.maxmemory}", "maxmemory-policy allkeys-lfu",
                 f"dir {self.folder}", "daemonize no"]
        if self.password:
            lines.append(f"requirepass {self.password}")
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:
            os.chown(configuration, account().pw_uid, account().pw_gid)
        program = shutil.which("redis-server")
        if not program:
            raise ServerError("redis-server is not installed: apt-get install redis-server")
        self.process = spawn([program, str(configuration)], self.log, self.die_with_parent)
        self.pid_path.write_text(f"{self.process.pid} {self.port}\n")
        self.await_ready(self.answers)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

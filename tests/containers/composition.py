"""The cluster of compose.yaml under a project name and free ports of its own.

    composition = Composition(folder, smtp_url=...)
    composition.build(); composition.up(); composition.await_ready()
    composition.url, composition.stream_endpoint      through the published ports
    composition.endpoint("registry")                  straight to a container, as its neighbours do
    composition.down()                                containers, networks and volumes

It offers what scripts/cluster.py offers, so that the journeys run on both.
"""

import io
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
import cluster as clusters  # noqa: E402
from samverka_client import wait_for  # noqa: E402

TAG = "test"  # so that a test never replaces the images that somebody runs
BUILD_DEADLINE_S = 1800
UP_DEADLINE_S = 300
READY_DEADLINE_S = 90
LOG_LINES = 15


class CompositionError(Exception):
    """What was run and its last words."""


def engine_missing():
    """Why there can be no containers here, or ""."""
    if not shutil.which("docker"):
        return "docker is not installed"
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return "the docker engine does not answer"
    if answer.returncode:
        return "no docker engine answers"
    return "" if compose_command() else "docker-compose is not installed"


def compose_command():
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    probe = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=20)
    return ["docker", "compose"] if probe.returncode == 0 else None


def bridge_address():
    """This machine as containers see it."""
    text = run(["docker", "network", "inspect", "bridge", "--format",
                "{{(index .IPAM.Config 0).Gateway}}"]).stdout.strip()
    return text or "172.17.0.1"


def run(command, deadline_s=60, check=True, **options):
    done = subprocess.run([str(word) for word in command], timeout=deadline_s,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=not options.pop("raw", False), **options)
    if check and done.returncode:
        words = done.stdout[-2000:] + done.stderr[-4000:]
        raise CompositionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                               f"{words}")
    return done


class Composition:
    def __init__(self, folder, smtp_url):
        self.folder = pathlib.Path(folder)
        self.project = f"samverka-test-{secrets.token_hex(3)}"
        http, stream = clusters.free_ports(2)
        self.url = f"http://127.0.0.1:{http}"
        self.stream_endpoint = f"tcp://127.0.0.1:{stream}"
        self.key_folder = self.folder / "operator/keys"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("SAMVERKA_", "COMPOSE_"))}
        self.environment |= {
            "COMPOSE_PROJECT_NAME": self.project,
            "SAMVERKA_TAG": TAG,
            "SAMVERKA_HTTP_PUBLISH": f"127.0.0.1:{http}",
            "SAMVERKA_STREAM_PUBLISH": f"127.0.0.1:{stream}",
            "SAMVERKA_PUBLIC_URL": self.url,
            "SAMVERKA_SMTP_URL": smtp_url,
            "SAMVERKA_MAIL_FROM": "no-reply@samverka.example",
        }

    def compose(self, *words, deadline_s=UP_DEADLINE_S, **options):
        # The developer's own .env is no part of the test.
        nothing = self.folder / "empty.env"
        nothing.touch()
        return run([*compose_command(), "--env-file", nothing, *words], deadline_s, cwd=ROOT,
                   env=self.environment, **options)

    # the whole

    def build(self):
        run([ROOT / "scripts/base-image"], BUILD_DEADLINE_S)
        self.compose("--profile", "tools", "build", deadline_s=BUILD_DEADLINE_S)
        # What later builds have replaced; a day's worth stays, because it is the builder's cache.
        run(["docker", "image", "prune", "-f", "--filter", "label=org.samverka.image",
             "--filter", "until=24h"], BUILD_DEADLINE_S)

    def up(self, *words):
        self.compose("up", "-d", *words)

    def down(self):
        self.compose("--profile", "tools", "--profile", "demo", "down", "-v", "--remove-orphans",
                     "-t", "20", check=False)

    def status(self):
        """What the gateway tells everybody; {} while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/v1/status", timeout=3) as answer:
                return json.loads(answer.read())
        except (OSError, urllib.error.HTTPError):
            return {}

    def ready(self):
        services = self.status().get("services", [])
        return bool(services) and all(service["ready"] for service in services)

    def await_ready(self):
        try:
            wait_for(self.ready, READY_DEADLINE_S, "every service to be ready")
        except AssertionError as error:
            raise CompositionError(f"{error}: {self.status()}\n{self.last_words()}") from None

    def last_words(self):
        return self.compose("logs", "--no-color", "--tail", LOG_LINES, check=False).stdout

    # containers

    def containers(self, service, every=False):
        words = ["ps", "-q", *(["-a"] if every else []), service]
        return self.compose(*words).stdout.split()

    def inspect(self, *names):
        return json.loads(run(["docker", "inspect", *names]).stdout)

    def address(self, container):
        networks = self.inspect(container)[0]["NetworkSettings"]["Networks"]
        return networks[f"{self.project}_inside"]["IPAddress"]

    def endpoints(self, service):
        port = 5500 + clusters.SERVICES[service]
        return [f"tcp://{self.address(container)}:{port}" for container in self.containers(service)]

    def endpoint(self, service):
        return self.endpoints(service)[0]

    # secrets

    def copy_out(self, container, path):
        """A folder of a container as a tar file in memory."""
        done = run(["docker", "cp", f"{container}:{path}", "-"], raw=True)
        return tarfile.open(fileobj=io.BytesIO(done.stdout))

    def volume_files(self, volume):
        """path -> (mode, uid, content) of a volume's files."""
        name = f"samverka-look-{secrets.token_hex(3)}"
        run(["docker", "create", "--name", name, "-v", f"{self.project}_{volume}:/look:ro",
             f"samverka/tools:{TAG}"])
        try:
            with self.copy_out(name, "/look") as tar:
                return {entry.name.removeprefix("look/"):
                        (entry.mode & 0o777, entry.uid, tar.extractfile(entry).read())
                        for entry in tar if entry.isfile()}
        finally:
            run(["docker", "rm", "-f", name])

    def fetch_operator_keys(self):
        """The operator's keys, for a client that runs on this machine."""
        self.key_folder.mkdir(parents=True, exist_ok=True)
        for path, (_, _, content) in self.volume_files("secrets-operator").items():
            if path.startswith("keys/"):
                target = self.key_folder / pathlib.Path(path).name
                target.unlink(missing_ok=True)
                target.write_bytes(content)
                target.chmod(0o400)

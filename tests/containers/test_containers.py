"""The cluster of compose.yaml: it works through its published ports, grows, keeps its data, and its
containers hold no more than they need."""

import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request

import pytest
import zmq

import composition as compositions
from journeys.test_ktp import Journey
from journeys.world import PASSWORD
from samverka_client import Rpc, Web, wait_for

# The first test waits for the images, which takes minutes where none has been built yet.
pytestmark = pytest.mark.timeout(compositions.BUILD_DEADLINE_S + 600)

SERVICES = sorted(compositions.clusters.SERVICES)
LONG_RUNNING = [*SERVICES, "edge", "postgres", "redis"]
UID = 10001
PACE_S = 0.02  # a credential may ask 200 times a second


def all_containers(composition):
    return {service: composition.containers(service)[0] for service in LONG_RUNNING}


def secret_values(composition):
    """name -> value of every secret of the deployment."""
    found = {}
    for name in [*SERVICES, "operator", "tools", "postgres", "redis"]:
        for path, (_, _, content) in composition.volume_files(f"secrets-{name}").items():
            if not path.endswith(".pub") and content.strip():
                found[f"{name}/{path}"] = content.strip().decode()
    return found


# What it is for.

def test_the_journey_goes_through_the_published_ports(world):
    journey = Journey(world)
    for step in journey.steps():
        step()
    journey.check_events()  # the subscriber came by the edge's stream port
    journey.check_mail()


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_every_container_says_it_is_healthy(composition, service):
    def healthy():
        states = composition.inspect(*composition.containers(service))
        return states and all(s["State"]["Health"]["Status"] == "healthy" for s in states)
    wait_for(healthy, 60, f"{service} to be healthy")


# Scaling.

def calls_answered(contract, composition, endpoint, method):
    """How many calls of a method this very instance has answered."""
    rpc = Rpc(contract, endpoint, composition.key_folder, "matching")
    try:
        methods = rpc.call("wire.v1.Admin/Stats")["methods"]
    finally:
        rpc.close()
    return sum(int(m["calls"]) for m in methods if m["method"].endswith(method))


class Asking(threading.Thread):
    """Somebody who asks for matches all the time, as often as a person may, and keeps what fails."""

    def __init__(self, web, need_id):
        super().__init__(daemon=True)
        self.web = web
        self.need_id = need_id
        self.answered = 0
        self.failures = []
        self.stopping = threading.Event()

    def run(self):
        self.web.patience = 0
        while not self.stopping.wait(PACE_S):
            try:
                self.web.post("/v1/matches/find",
                              {"subject": {"kind": "NEED", "id": self.need_id}, "limit": 5})
                self.answered += 1
            except Exception as error:  # noqa: BLE001  # every kind of failure is one
                self.failures.append(f"{time.strftime('%X')} {error!r}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(30)


@pytest.fixture
def asking(world):
    company = world.add_organisation("Dubbla Instanser AB", headcount=20)
    address, _ = world.add_account("asker", "PARTNERSHIP_OFFICER")
    web = world.web(address)
    need = web.post("/v1/needs", {
        "organisationId": company, "visibility": "PRIVATE", "publish": True,
        "text": [{"lang": "sv", "value": "Vi söker hjälp med energikartläggning."}]})["need"]
    return Asking(web, need["needId"])


def test_a_second_matching_takes_its_share_and_leaves_without_a_failure(composition, contract,
                                                                        asking):
    composition.up("--no-recreate", "--scale", "matching=2")
    composition.await_ready()
    endpoints = composition.endpoints("matching")
    assert len(endpoints) == 2

    def answered():
        return [calls_answered(contract, composition, e, "/FindMatches") for e in endpoints]
    with asking:
        before = wait_for(lambda: answered() if asking.answered else None, 20, "a first answer")
        wait_for(lambda: all(now >= was + 20 for now, was in zip(answered(), before)), 60,
                 "both instances to answer")
        composition.up("--no-recreate", "--scale", "matching=1")
        assert len(composition.containers("matching")) == 1
        at_the_end = asking.answered
        wait_for(lambda: asking.answered >= at_the_end + 20, 30, "the one left to answer all")
    assert asking.failures == []


def test_a_second_gateway_and_a_second_log_serve_through_the_edge(composition, world):
    composition.up("--no-recreate", "--scale", "gateway=2", "--scale", "events=2")
    try:
        gateways = composition.containers("gateway")
        assert len(gateways) == 2 and len(composition.containers("events")) == 2

        def served():
            composition.status()
            return all(requests_served(composition, gateway) >= 5 for gateway in gateways)
        wait_for(served, 60, "both gateways to serve")
        composition.await_ready()
        world.add_organisation("Skrivs Under Tiden AB")
    finally:
        composition.up("--no-recreate")
    composition.await_ready()


def requests_served(composition, gateway):
    """By the gateway's own metrics, asked at its admin port."""
    page = f"http://{composition.address(gateway)}:5585/metrics"
    with urllib.request.urlopen(page, timeout=3) as answer:
        text = answer.read().decode()
    counts = re.findall(r"^samverka_gateway_http_requests_total\{[^}]*\} (\d+)", text, re.M)
    return sum(map(int, counts))


# What a container may do.

@pytest.mark.parametrize("service", [*LONG_RUNNING, "prepare", "migrate"])
def test_a_container_has_no_rights_it_does_not_need(composition, service):
    for container in composition.inspect(*composition.containers(service, every=True)):
        host = container["HostConfig"]
        assert container["Config"]["User"] == f"{UID}:{UID}"
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"]
        assert not host["Privileged"] and "no-new-privileges:true" in host["SecurityOpt"]
        assert host["NetworkMode"] not in ("host", "bridge") and not host["PidMode"]
        assert not any(mount["Type"] == "bind" for mount in container["Mounts"])
        published = {port for port, to in (host["PortBindings"] or {}).items() if to}
        assert published == ({"8080/tcp", "5570/tcp"} if service == "edge" else set())


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_the_kernel_confirms_it(composition, service):
    container = composition.containers(service)[0]
    for pid in processes(container):
        words = dict(line.split(":", 1) for line in
                     pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        assert words["Uid"].split() == [str(UID)] * 4
        assert int(words["CapEff"], 16) == int(words["CapBnd"], 16) == 0
        assert words["NoNewPrivs"].strip() == "1"
        assert words["Seccomp"].strip() == "2"


def processes(container):
    lines = compositions.run(["docker", "top", container, "-eo", "pid"]).stdout.splitlines()[1:]
    assert lines
    return [int(line) for line in lines]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_container_has_nothing_to_run_but_the_service(composition, service):
    container = composition.containers(service)[0]
    for program in ("/bin/sh", "/usr/bin/sh", "/bin/bash", "/usr/bin/perl", "/usr/bin/apt-get"):
        done = compositions.run(["docker", "exec", container, program, "-c", "exit 0"],
                                check=False)
        assert done.returncode in (126, 127), done.stdout + done.stderr
    with composition.copy_out(container, "/usr/bin") as tar:
        assert [e.name for e in tar if not e.isdir()] == [f"bin/samverka-{service}"]


@pytest.mark.parametrize("place", ["/", "/etc/samverka", "/usr/bin", "/run"])
def test_nothing_can_be_written_where_programs_are(composition, place):
    for service in ("postgres", "redis", "edge"):  # those with a shell
        done = composition.compose("exec", "-T", service, "sh", "-c", f"echo x >{place}/planted",
                                   check=False)
        assert done.returncode and "Read-only file system" in done.stdout + done.stderr


def test_only_mail_and_the_edge_may_leave(composition):
    for service, container in all_containers(composition).items():
        networks = composition.inspect(container)[0]["NetworkSettings"]["Networks"]
        leaves = f"{composition.project}_outside" in networks
        assert leaves == (service in ("notifications", "edge")), service
    inside = json.loads(compositions.run(
        ["docker", "network", "inspect", f"{composition.project}_inside"]).stdout)[0]
    assert inside["Internal"]


# Secrets.

@pytest.mark.parametrize("service", SERVICES)
def test_a_service_holds_its_own_secrets_and_public_keys(composition, service):
    files = composition.volume_files(f"secrets-{service}")
    assert {uid for _, uid, _ in files.values()} == {UID}
    assert {mode for mode, _, _ in files.values()} <= {0o400, 0o444}
    secret_keys = {path for path in files if path.endswith(".key")}
    assert secret_keys == {f"keys/{service}.key"}
    assert {path for path in files if path.endswith(".pub")} == {
        f"keys/{name}.pub" for name in [*SERVICES, "operator"]}
    for path in [*secret_keys, "cursor_secret", "redis_password"]:
        assert files[path][0] == 0o400 and files[path][2].strip()
    mounted = composition.inspect(composition.containers(service)[0])[0]["Mounts"]
    assert [(m["Name"], m["Destination"], m["RW"]) for m in mounted] == [
        (f"{composition.project}_secrets-{service}", "/run/secrets", False)]


def test_no_secret_stands_in_an_environment_an_argument_or_a_log(composition):
    values = secret_values(composition)
    assert len(set(values.values())) >= 15
    containers = composition.compose("ps", "-q", "-a").stdout.split()
    told = {"inspect": json.dumps(composition.inspect(*containers)),
            "logs": composition.compose("logs", "--no-color").stdout}
    for container in all_containers(composition).values():
        for pid in processes(container):
            for what in ("environ", "cmdline"):
                try:
                    text = pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
                except PermissionError:  # a process that hides its memory hides this too
                    continue
                told[f"{what} of {pid}"] = text.decode(errors="replace")
    for place, text in told.items():
        for name, value in values.items():
            assert value not in text, f"{name} stands in {place}"


@pytest.mark.parametrize("image", [*SERVICES, "cli", "tools"])
def test_no_secret_stands_in_an_image(composition, image):
    values = {value.encode() for value in secret_values(composition).values()}
    with tempfile.TemporaryFile() as file:
        subprocess.run(["docker", "save", f"samverka/{image}:{compositions.TAG}"], stdout=file,
                       check=True, timeout=120)
        file.seek(0)
        with tarfile.open(fileobj=file) as saved:
            for layer in saved:
                if layer.isfile() and layer.name.endswith("layer.tar"):
                    check_layer(tarfile.open(fileobj=saved.extractfile(layer)), values)
                elif layer.isfile():
                    text = saved.extractfile(layer).read()
                    assert not any(value in text for value in values), layer.name


def check_layer(layer, values):
    """A key or password may lie in an image by name or by value; both are looked for."""
    for entry in layer:
        assert not re.search(r"\.key$|\.password$|(^|/)\.env$|(^|/)secrets/.+", entry.name) or \
            entry.isdir(), entry.name
        if entry.isfile() and entry.size < 65536:
            content = layer.extractfile(entry).read()
            assert not any(value in content for value in values), entry.name


def test_a_second_preparation_changes_no_secret(composition):
    before = secret_values(composition)
    composition.compose("run", "--rm", "-T", "prepare")
    assert secret_values(composition) == before


def test_a_secret_is_set_from_standard_input(composition):
    composition.compose("run", "--rm", "-T", "prepare", "--set", "notifications", "smtp_password",
                        input="correct horse\n")
    files = composition.volume_files("secrets-notifications")
    assert files["smtp_password"] == (0o400, UID, b"correct horse\n")
    composition.compose("run", "--rm", "-T", "prepare", "--set", "notifications", "smtp_password",
                        input="")


def test_the_bus_is_closed_to_a_stranger(composition, contract, tmp_path):
    for name in ("registry.pub", "operator.pub"):
        shutil.copy(composition.key_folder / name, tmp_path)
    public, secret = zmq.curve_keypair()
    (tmp_path / "stranger.key").write_bytes(secret)
    (tmp_path / "stranger.pub").write_bytes(public)
    rpc = Rpc(contract, composition.endpoint("registry"), tmp_path, "registry", name="stranger")
    try:
        with pytest.raises(TimeoutError):
            rpc.call("wire.v1.Admin/Ping", deadline_ms=1000)
    finally:
        rpc.close()


# The command line, and the end.

def test_the_operator_asks_from_a_container(composition):
    done = composition.compose("run", "--rm", "-T", "samverka", "call",
                               "registry.v1.Tenants/ListTenants", "{}")
    assert "hogskolan-dalarna" in done.stdout


def test_the_operator_sees_every_instance_by_its_name(composition):
    lines = composition.compose("run", "--rm", "-T", "samverka", "status").stdout.splitlines()
    told = {line.split("\t")[0]: line.split("\t")[4] for line in lines if "\t" in line}
    assert told == {name: "ready" for name in compositions.clusters.CALLED}


def test_the_operator_follows_the_log_through_quiet_and_news(composition, world):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        following = pool.submit(composition.compose, "run", "--rm", "-T", "samverka", "events",
                                "follow", "--count", "1", deadline_s=90)
        wait_for(lambda: following.done() or not world.add_organisation("Nyhetens AB"), 60,
                 "an event to be followed")
        assert json.loads(following.result().stdout)["type"].startswith("org.samverka.")


def test_data_outlives_the_containers_and_all_end_by_themselves(composition, world):
    address, _ = world.add_account("keeper", "PARTNERSHIP_OFFICER")
    started = composition.containers("registry")
    composition.compose("stop", "-t", "30")
    for service in [*SERVICES, "postgres", "redis"]:
        for state in composition.inspect(*composition.containers(service, every=True)):
            assert state["State"]["ExitCode"] == 0, \
                f"{service}: {state['State']}\n{composition.last_words()}"
    composition.compose("down")
    composition.up()
    composition.await_ready()
    assert composition.containers("registry") != started
    web = Web(composition.url)
    web.sign_in(address, PASSWORD, world.tenant)
    assert web.get("/v1/session")

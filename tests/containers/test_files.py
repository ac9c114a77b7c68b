"""What the files of the containers must agree about with the rest of the house; needs no engine."""

import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import cluster as clusters  # noqa: E402
import servers  # noqa: E402

yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
PREPARE = (ROOT / "docker/prepare").read_text()
SERVICES = sorted(clusters.SERVICES)
SERVER_SETTINGS_OF_ONE_MACHINE = {"listen_addresses"}  # here it is the network that is closed


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def setting_names(service):
    return {f"SAMVERKA_{name.upper()}" for name in clusters.setting_names(service)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_its_image_its_ports_and_its_secrets(compose, service):
    digits = clusters.SERVICES[service]
    stanza = compose["services"][service]
    assert f"\nFROM scratch AS {service}\n" in DOCKERFILE
    assert stanza["build"]["target"] == service
    assert stanza["environment"]["SAMVERKA_RPC_BIND"] == f"tcp://0.0.0.0:{5500 + digits}"
    assert stanza["environment"]["SAMVERKA_ADMIN_BIND"] == f"0.0.0.0:{5520 + digits}"
    assert stanza["volumes"] == [f"secrets-{service}:/run/secrets:ro"]
    assert f"secrets-{service}" in compose["volumes"]
    assert f"secrets-{service}:/secrets/{service}" in compose["services"]["prepare"]["volumes"]
    assert service in re.search(r'^services="([^"]*)"', PREPARE, re.M)[1].split()
    assert "container_name" not in stanza and "ports" not in stanza


@pytest.mark.parametrize("service", [*SERVICES, "samverka"])
def test_a_container_is_told_only_what_its_program_knows(compose, service):
    known = setting_names("cli" if service == "samverka" else service)
    for name in compose["services"][service]["environment"]:
        assert name in known or name.removesuffix("_FILE") in known, name


@pytest.mark.parametrize("service", [*SERVICES, "samverka"])
def test_every_service_that_is_called_is_found_by_its_name(compose, service):
    environment = compose["services"][service]["environment"]
    for called in clusters.CALLED:
        assert environment[f"SAMVERKA_{called.upper()}_ENDPOINTS"] == \
            f"tcp://{called}:{5500 + clusters.SERVICES[called]}"


def test_postgres_is_set_as_on_one_machine():
    text = (ROOT / "docker/postgres/postgres.conf").read_text()
    here = dict(re.findall(r"^(\w+) = '?([^'\n]*)'?$", text, re.M))
    for name, value in servers.POSTGRES_SETTINGS.items():
        if name not in SERVER_SETTINGS_OF_ONE_MACHINE:
            assert here.get(name) == value, name


def test_only_the_edge_is_published_and_only_to_this_machine(compose):
    for name, stanza in compose["services"].items():
        ports = stanza.get("ports", [])
        assert bool(ports) == (name == "edge"), name
        assert all(re.match(r"\$\{SAMVERKA_\w+:-127\.0\.0\.1:", port) for port in ports)


def test_the_build_sees_nothing_but_sources():
    """An allow-list: what nobody named cannot get into an image."""
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:].split("/")[0] for line in lines if line.startswith("!")}
    assert not allowed & {".git", ".samverka", ".env", "build"}

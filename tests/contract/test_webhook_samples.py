"""What docs/webhooks.md tells a stranger, as it stands there: the receivers and checks take our real
requests and refuse tampered ones."""

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest
from samverka_client import Contract, wait_for
from webhook_place import PINGS, Place

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/webhooks.md"
SETTINGS = {"webhook_insecure_loopback": "true", "webhook_retry_thousandths": "1"}


def sample(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def hooks(make_module_cluster):
    cluster = make_module_cluster(services=["registry", "events", "notifications", "gateway"],
                                  extra={"notifications": SETTINGS})
    place = Place(cluster, Contract())
    yield place
    place.close()


@pytest.fixture(scope="module")
def request_of_ours(hooks):
    """(request, secret, public key) of a real event."""
    path, webhook, secret = hooks.active()
    hooks.await_events(path, hooks.emit())
    return hooks.receiver.at(path)[-1], secret, webhook["publicKey"]


def test_the_python_receiver_takes_what_we_send(hooks, tmp_path):
    program = tmp_path / "receiver.py"
    program.write_text(sample("python"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = hooks.officer.post("/v1/webhooks", {"url": f"http://127.0.0.1:{port}/in"})
    out = open(tmp_path / "out", "w+b")
    receiver = subprocess.Popen([sys.executable, program], stdout=out, stderr=subprocess.DEVNULL,
                                env={**os.environ, "SECRET": made["secret"], "PORT": str(port)})
    try:
        hooks.await_state(made["webhook"], "WEBHOOK_ACTIVE")
        hooks.emit(3)
        lines = wait_for(lambda: (tmp_path / "out").read_text().count("\n") == 4 and
                         (tmp_path / "out").read_text().splitlines(), 30, "four lines")
    finally:
        receiver.kill()
        receiver.wait()
        out.close()
        hooks.delete(made["webhook"])
    assert lines[0] == f"{PINGS[0]} -"
    assert all(re.fullmatch(r"org\.samverka\.need\.published\.v1 \d{19}", line)
               for line in lines[1:])


def test_the_check_in_sh_makes_the_signature_that_we_sent(request_of_ours, tmp_path):
    request, secret, _ = request_of_ours
    (tmp_path / "body").write_bytes(request.body)
    environment = {"PATH": os.environ["PATH"], "SECRET": secret, "ID": request.id,
                   "STAMP": request.headers["webhook-timestamp"], "BODY": str(tmp_path / "body")}

    def made():
        return subprocess.run(["sh", "-euc", sample("sh")], env=environment, check=True,
                              capture_output=True, text=True).stdout.strip()
    signatures = request.headers["webhook-signature"].split(" ")
    assert made() in signatures
    (tmp_path / "body").write_bytes(request.body + b" ")
    assert made() not in signatures


def test_the_check_in_c_needs_only_the_public_key(request_of_ours, tmp_path):
    request, _, public = request_of_ours
    source, program = tmp_path / "check.c", tmp_path / "check"
    source.write_text(sample("c"))
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-lsodium"],
                   check=True)
    signature = [one for one in request.headers["webhook-signature"].split(" ")
                 if one.startswith("v1a,")][0]

    def check(body, stamp=request.headers["webhook-timestamp"], key=public, mark=signature):
        return subprocess.run([program, key, request.id, stamp, mark], input=body).returncode
    assert check(request.body) == 0
    assert check(request.body + b" ") == 1
    assert check(request.body[:-1]) == 1
    assert check(request.body, stamp="1") == 1
    assert check(request.body, mark=signature[:10] + ("A" if signature[10] != "A" else "B")
                 + signature[11:]) == 1
    assert check(request.body, key=public[:10] + ("A" if public[10] != "A" else "B")
                 + public[11:]) == 1

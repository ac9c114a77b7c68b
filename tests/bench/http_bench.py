#!/usr/bin/python3
"""http.cached_get.bare: GET of one organisation from the gateway's stored answers, against a bare
libmicrohttpd answer of the same size, by wrk on loopback.

Prints `name<TAB>value<TAB>unit<TAB>peer<TAB>ratio`: the medians of ours and of the peer over
alternating runs, and the median of the ratios (ours divided by the peer's in the same round).
usage: http_bench.py BUILD_FOLDER [ROUNDS [SECONDS]]
"""

import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
import cluster as clusters  # noqa: E402
from samverka_client import Contract, Rpc, Web, wait_for  # noqa: E402

ROUNDS = 7
SECONDS = 2.0
CONNECTIONS = 32
PASSWORD = "en lång lösenfras för mätning"
WIDE = {"rate_per_second": "1000000", "rate_burst": "1000000",
        "http_connections_per_address": "0"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_organisation(cluster):
    """The path of an organisation, and the token of a system that may read it."""
    operator = Rpc(Contract(), cluster.endpoint("registry"), cluster.key_folder, "registry")
    tenant = operator.call("registry.v1.Tenants/CreateTenant",
                           {"slug": "bench", "name": "Mätskolan", "locale": "sv"})
    tenant = tenant["tenant"]["tenantId"]
    operator.call("registry.v1.Accounts/CreateAccount",
                  {"email": "officer@bench.example", "displayName": "Mätare",
                   "password": PASSWORD, "language": "sv", "roles": ["PARTNERSHIP_OFFICER"]},
                  tenant=tenant)
    operator.close()
    web = Web(cluster.url)
    web.sign_in("officer@bench.example", PASSWORD, tenant)
    token = web.post("/v1/systems", {"name": "wrk"})["bearerToken"]
    made = web.post("/v1/organisations", {
        "names": [{"lang": "sv", "value": "Dalarnas Verkstad AB"}], "type": "COMPANY",
        "ownership": "PRIVATE_OWNED", "country": "SE", "nuts": "SE312"})
    return f"/v1/organisations/{made['organisation']['organisationId']}", token


def rate(url, seconds, *headers):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", url]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run(command, check=True, capture_output=True, text=True,
                         timeout=seconds + 60).stdout
    if "Non-2xx" in out:
        sys.exit(f"http_bench: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def answer_size(url, token):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return len(answer.read())


def start_bare(build, size):
    port = free_port()
    process = subprocess.Popen([build / "bench" / "http_bare", str(port), str(size)])

    def listens():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False
    wait_for(listens, 10, "the bare server")
    return process, f"http://127.0.0.1:{port}/"


def measure(build, rounds, seconds):
    with tempfile.TemporaryDirectory(prefix="samverka-bench-") as folder:
        pathlib.Path(folder).chmod(0o711)
        with clusters.Cluster(folder, build, ports="free", extra={"gateway": WIDE},
                              die_with_parent=True, durable=False) as cluster:
            path, token = make_organisation(cluster)
            bare, bare_url = start_bare(build, answer_size(cluster.url + path, token))
            try:
                rate(cluster.url + path, 1, f"Authorization: Bearer {token}")
                rate(bare_url, 1)
                return [(rate(cluster.url + path, seconds, f"Authorization: Bearer {token}"),
                         rate(bare_url, seconds)) for _ in range(rounds)]
            finally:
                bare.terminate()
                bare.wait(timeout=10)


def main():
    build = pathlib.Path(sys.argv[1]).absolute()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    pairs = measure(build, rounds, seconds)
    ratios = [ours / peer for ours, peer in pairs]
    print(f"http.cached_get.bare\t{statistics.median(a for a, _ in pairs):.0f}\t1/s\t"
          f"{statistics.median(b for _, b in pairs):.0f}\t{statistics.median(ratios):.3f}")
    print(f"http.cached_get.bare: ratios {min(ratios):.3f} to {max(ratios):.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()

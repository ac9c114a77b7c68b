#!/usr/bin/python3
"""rpc.*.nats: our requests and replies against NATS's, 200-byte payloads, everything on loopback.

Prints `name<TAB>value<TAB>unit<TAB>peer<TAB>ratio`: the medians of ours and of NATS over alternating
runs, and the median of the ratios (ours divided by NATS's in the same round).  The range of the
ratios goes to standard error.  usage: rpc_bench.py BUILD_FOLDER [ROUNDS [SECONDS]]
"""

import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = 7
SECONDS = 2.0
RATE, MEDIAN = 0, 1
# name, who answers, window, transport, what is compared, unit
FIGURES = [
    ("rpc.latency.nats", "loop", 1, "clear", MEDIAN, "us"),
    ("rpc.pipelined.nats", "loop", 64, "clear", RATE, "1/s"),
    ("rpc.pipelined.curve.nats", "loop", 64, "curve", RATE, "1/s"),
    ("rpc.worker.latency.nats", "worker", 1, "clear", MEDIAN, "us"),
    ("rpc.worker.pipelined.nats", "worker", 64, "clear", RATE, "1/s"),
]


def run(*command):
    out = subprocess.run([str(part) for part in command], check=True, capture_output=True,
                         text=True, timeout=120).stdout
    return [float(value) for value in out.split()]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def start_nats():
    program = shutil.which("nats-server") or "/usr/sbin/nats-server"
    port = free_port()
    server = subprocess.Popen([program, "-a", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not wait_until_open(port):
        server.kill()
        sys.exit("nats-server does not listen")
    return server, f"nats://127.0.0.1:{port}"


def measure(build, url, rounds, seconds):
    """Each round measures NATS beside ours, so that both see the same neighbours."""
    values = {name: [] for name, *_ in FIGURES}
    for _ in range(rounds):
        for name, where, window, transport, column, _ in FIGURES:
            peer = run(build / "bench/nats_bench", url, window, seconds)[column]
            ours = run(build / "bench/rpc_bench", where, window, transport, seconds)[column]
            values[name].append((ours, peer, ours / peer))
    return values


def main():
    build = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    server, url = start_nats()
    try:
        values = measure(build, url, rounds, seconds)
    finally:
        server.terminate()
        server.wait()
    for name, _, _, _, _, unit in FIGURES:
        ours, peer, ratios = zip(*values[name])
        print(f"{name}\t{statistics.median(ours):.1f}\t{unit}\t{statistics.median(peer):.1f}\t"
              f"{statistics.median(ratios):.2f}")
        print(f"# {name}: ratios {min(ratios):.2f} to {max(ratios):.2f}", file=sys.stderr)


main()

#!/usr/bin/python3
"""events.*: the event log against JetStream, Redis Streams and RabbitMQ streams, 300-byte events,
everything on loopback, each system's servers private to this run.

usage: events_bench.py BUILD_FOLDER [--rounds=N] [--quick] [--only=NAME]... [--append=rpc]
                       [--record=FILE]

Prints `name<TAB>value<TAB>unit<TAB>peer<TAB>ratio`: the medians of ours and of the peer over
alternating rounds, and the median of the ratios (ours divided by the peer's of the same round);
"-" where there is no peer.  Ranges, and what was skipped and why, go to standard error.  --only
takes a figure or the beginning of one.  --quick: one short round, to see that it works.
--append=rpc: by the rpc Append instead of the stream.  --record: writes the lines to a file as
well, each with its ranges, under what is known of the machine.
"""

import argparse
import collections
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import events_peers as peers  # noqa: E402
import record  # noqa: E402

ROUNDS = 5
SECONDS = 4
WINDOW = 256  # events of one publisher that wait for their acknowledgement
BATCH = 64  # of them in one Append
PUBLISHERS = 4
WRITERS = 8  # of the outbox
REPLAYED = 1_000_000
FILES = 65536


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def span(values):
    return f"{min(values):.2f}..{max(values):.2f}"


class Bench:
    """The systems that run, and the rounds."""

    def __init__(self, folder, options):
        quick = options.quick
        kind = peers.Samverka if options.append == "stream" else peers.SamverkaRpc
        self.folder = folder
        self.build = options.build.absolute()
        self.rounds = 1 if quick else options.rounds
        self.seconds = 1 if quick else SECONDS
        self.replayed = REPLAYED // 10 if quick else REPLAYED
        self.ours = kind(folder / "samverka", self.build)
        self.results = collections.defaultdict(list)  # (figure, system) -> values by round
        self.lines = []

    @contextlib.contextmanager
    def running(self, *kinds):
        """Those of the peers that can be had here."""
        started = []
        try:
            for kind in kinds:
                peer = kind(self.folder / kind.name, self.build)
                try:
                    peer.start()
                    started.append(peer)
                except peers.Absent as reason:
                    peer.stop()
                    say(f"skipped {kind.name}: {reason}")
            yield started
        finally:
            for peer in started:
                peer.stop()
                shutil.rmtree(peer.folder, ignore_errors=True)

    def note(self, figure, system, value):
        self.results[figure, system].append(value)

    def print(self, figure, unit, system="-", ours="samverka"):
        """One line of result; nothing when the peer was skipped."""
        values = self.results[figure, ours]
        others = self.results[figure, system]
        if not values or (system != "-" and not others):
            return
        line = [figure, f"{statistics.median(values):.2f}", unit, "-", "-"]
        spans = [span(values), "-", "-"]
        if system != "-":
            ratios = [value / other for value, other in zip(values, others)]
            line[3:] = [f"{statistics.median(others):.2f}", f"{statistics.median(ratios):.2f}"]
            spans[1:] = [span(others), span(ratios)]
        print("\t".join(line), flush=True)
        say(f"{figure}: {spans[0]} {unit}, {system} {spans[1]}, ratios {spans[2]}; "
            f"{len(values)} rounds")
        self.lines.append("\t".join([*line, *spans, str(len(values))]))


def end_to_end(system, publish, follow=(), follow_arguments=None):
    """Publishes until its end, follows to the last event.  What both print, the rate and the CPU."""
    followers = (follow_arguments or {}).get("followers", 1)
    with peers.Program(follow or system.follow(**(follow_arguments or {}))) as follower:
        follower.await_ready()
        cpu, switches = system.cpu_us(), system.switches()
        with peers.Program(publish) as publisher:
            sent = publisher.result()
        received = follower.result(f"{sent['sent']:.0f}\n")
        cpu, switches = system.cpu_us() - cpu, system.switches() - switches
    if received["received"] != sent["sent"]:
        raise RuntimeError(f"{system.name}: {sent['sent']:.0f} events were sent and "
                           f"{received['received']:.0f} received")
    elapsed = (received["last_ns"] - sent["begun_ns"]) / 1e9
    return {"rate": sent["sent"] / elapsed, "deliveries": followers * sent["sent"] / elapsed,
            "held": sent["sent"] / ((sent["ended_ns"] - sent["begun_ns"]) / 1e9),
            "latency_p50": received["latency_p50_us"], "latency_p99": received["latency_p99_us"],
            "ack_p50": sent["ack_p50_us"], "ack_p99": sent["ack_p99_us"],
            "server_cpu": cpu / sent["sent"], "switches": switches / sent["sent"],
            "client_cpu": (sent["cpu_us"] + received["cpu_us"]) / sent["sent"]}


def bulk(bench, system, followers=1):
    arguments = {"batch": BATCH} if isinstance(system, peers.Samverka) else {}
    return end_to_end(system, system.publish(publishers=PUBLISHERS, window=WINDOW,
                                             seconds=bench.seconds, **arguments),
                      follow_arguments={"followers": followers})


def append(bench):
    """Bulk Append, synced, four publishers with a window, one follower that gets everything."""
    with bench.running(peers.JetStream, peers.RedisAlways, peers.JetStreamSync) as others:
        for _ in range(bench.rounds):
            for peer in others:
                for system in (bench.ours, peer):
                    result = bulk(bench, system)
                    bench.note(f"events.append.{peer.name}", system.name, result["rate"])
                    for side in ("server", "client"):
                        bench.note(f"events.append.{peer.name}.{side}_cpu_us", system.name,
                                   result[f"{side}_cpu"])
    for peer in others:
        bench.print(f"events.append.{peer.name}", "1/s", peer.name)
        for side in ("server", "client"):
            bench.print(f"events.append.{peer.name}.{side}_cpu_us", "us", peer.name)


def append_curve(bench):
    """As append, encrypted; the peers are not."""
    if isinstance(bench.ours, peers.SamverkaRpc):
        say("skipped events.append.curve: only the stream is measured encrypted")
        return
    for _ in range(bench.rounds):
        for curve in (True, False):
            bench.ours.use_curve(curve)
            bench.note("events.append.curve", "curve" if curve else "plain",
                       bulk(bench, bench.ours)["rate"])
    bench.print("events.append.curve", "1/s", "plain", ours="curve")


def fanout(bench):
    """The same with ten followers; deliveries count."""
    with bench.running(peers.JetStream, peers.RedisAlways) as others:
        for _ in range(bench.rounds):
            for peer in others:
                for system in (bench.ours, peer):
                    result = bulk(bench, system, followers=10)
                    bench.note(f"events.fanout10.{peer.name}", system.name, result["deliveries"])
    for peer in others:
        bench.print(f"events.fanout10.{peer.name}", "1/s", peer.name)


def commit_latency(bench):
    """1,000 transactions a second, each with a row and an event: from the commit's sending to the
    follower; Redis gets 1,000 XADD a second, from its sending."""
    load = {"publishers": WRITERS, "rate": 1000 // WRITERS, "seconds": bench.seconds}
    with bench.running(peers.RedisAlways) as others:
        for _ in range(bench.rounds):
            for system in (bench.ours, *others):
                command = (system.write("outbox", per=1, **load) if system is bench.ours
                           else system.publish(window=1, **load))
                result = end_to_end(system, command)
                bench.note("events.commit_latency.redis_always", system.name, result["latency_p50"])
                bench.note("events.commit_latency.p99", system.name, result["latency_p99"])
                bench.note("events.commit_latency.acknowledged", system.name, result["ack_p50"])
    for figure in ("redis_always", "p99", "acknowledged"):
        bench.print(f"events.commit_latency.{figure}", "us", "redis_always")


def outbox(bench):
    """Eight writers, 20 events a transaction, to a follower."""
    for _ in range(bench.rounds):
        result = end_to_end(bench.ours, bench.ours.write("outbox", publishers=WRITERS, per=20,
                                                         seconds=bench.seconds))
        bench.note("events.outbox.rate", "samverka", result["rate"])
        for side in ("server", "client"):
            bench.note(f"events.outbox.{side}_cpu_us", "samverka", result[f"{side}_cpu"])
    bench.print("events.outbox.rate", "1/s")
    for side in ("server", "client"):
        bench.print(f"events.outbox.{side}_cpu_us", "us")


def publishers10(bench):
    """Ten publishers that wait for each acknowledgement and want 1,000 events a second each."""
    with bench.running(peers.RedisAlways) as others:
        for _ in range(bench.rounds):
            for system in (bench.ours, *others):
                result = end_to_end(system, system.publish(publishers=10, rate=1000, window=1,
                                                           seconds=bench.seconds))
                bench.note("events.publishers10.rate", system.name, result["held"])
                for share in ("p50", "p99"):
                    bench.note(f"events.publishers10.{share}", system.name, result[f"ack_{share}"])
                bench.note("events.publishers10.server_cpu_us", system.name, result["server_cpu"])
                bench.note("events.publishers10.switches", system.name, result["switches"])
    bench.print("events.publishers10.rate", "1/s", "redis_always")
    for figure in ("p50", "p99", "server_cpu_us"):
        bench.print(f"events.publishers10.{figure}", "us", "redis_always")
    bench.print("events.publishers10.switches", "1", "redis_always")


def replay_once(bench, system):
    before = system.cpu_us()
    with peers.Program(system.follow(fresh=False, total=bench.replayed)) as follower:
        follower.await_ready()
        result = follower.result()
    used = system.cpu_us() - before
    elapsed = (result["last_ns"] - result["begun_ns"]) / 1e9
    return result["received"] / elapsed, used / result["received"]


def fill(bench, system):
    """The events that are to be replayed; the peers' streams are made by a follower."""
    arguments = {"batch": BATCH} if system is bench.ours else {}
    publish = system.publish(publishers=PUBLISHERS, window=WINDOW,
                             events=bench.replayed // PUBLISHERS, **arguments)
    end_to_end(system, publish)


def replay(bench):
    """A stored log from its first event; ours has just been started, so that nothing of it is in
    its memory."""
    with bench.running(peers.JetStream, peers.RabbitStream, peers.RedisAlways) as others:
        for system in (bench.ours, *others):
            fill(bench, system)
        for _ in range(bench.rounds):
            for peer in others:
                bench.ours.restart()
                for system in (bench.ours, peer):
                    rate, used = replay_once(bench, system)
                    figure = f"events.replay.{peer.name.removesuffix('_always')}"
                    bench.note(figure, system.name, rate)
                    bench.note(f"{figure}.server_cpu_us", system.name, used)
    for peer in others:
        figure = f"events.replay.{peer.name.removesuffix('_always')}"
        bench.print(figure, "1/s", peer.name)
        bench.print(f"{figure}.server_cpu_us", "us", peer.name)


def followers1000(bench):
    """A thousand live followers in four processes while 100 events a second are appended."""
    count = 4
    for _ in range(bench.rounds):
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(peers.Program(bench.ours.follow(followers=250, threads=1)))
                     for _ in range(count)]
            for follower in crowd:
                follower.await_ready()
            before = bench.ours.cpu_us()
            with peers.Program(bench.ours.publish(rate=100, window=64,
                                                  seconds=bench.seconds)) as publisher:
                sent = publisher.result()
            results = [follower.result(f"{sent['sent']:.0f}\n") for follower in crowd]
            used = bench.ours.cpu_us() - before
        # The worst process's: at least that of all of them together.
        bench.note("events.followers1000.p99_ms", "samverka",
                   max(result["latency_p99_us"] for result in results) / 1000)
        bench.note("events.followers1000.delivery_cpu_us", "samverka",
                   used / sent["sent"] / 1000)
    bench.print("events.followers1000.p99_ms", "ms")
    bench.print("events.followers1000.delivery_cpu_us", "us")


def writer_overhead(bench):
    """What the event adds to a handler's transaction, of which every other one goes without it: to
    the median at 200/s, and to the mean when four writers do what they can; `events` runs and
    empties the outbox meanwhile."""
    for _ in range(bench.rounds):
        for figure, load in (("paced", {"rate": 200 // PUBLISHERS}), ("busy", {})):
            with peers.Program(bench.ours.write("effect", publishers=PUBLISHERS,
                                                seconds=bench.seconds, **load)) as writers:
                result = writers.result()
            for share in ("p50_us", "mean_us"):
                bench.note(f"events.writer.{figure}.{share}", "with", result[f"ack_{share}"])
                bench.note(f"events.writer.{figure}.{share}", "without", result[f"other_{share}"])
            if figure == "paced":
                bench.note("events.writer.overhead", "samverka",
                           100 * (result["ack_p50_us"] / result["other_p50_us"] - 1))
    bench.print("events.writer.overhead", "%")
    for figure in ("paced.p50_us", "busy.mean_us"):
        bench.print(f"events.writer.{figure}", "us", "without", ours="with")


# The replay comes first: it wants a log that holds nothing but a bulk import.
GROUPS = [
    (replay, ["events.replay.jetstream", "events.replay.rabbitmq", "events.replay.redis"]),
    (append, ["events.append.jetstream", "events.append.redis_always",
              "events.append.jetstream_sync"]),
    (append_curve, ["events.append.curve"]),
    (fanout, ["events.fanout10.jetstream", "events.fanout10.redis_always"]),
    (commit_latency, ["events.commit_latency.redis_always"]),
    (outbox, ["events.outbox.rate"]),
    (publishers10, ["events.publishers10.rate"]),
    (followers1000, ["events.followers1000.p99_ms"]),
    (writer_overhead, ["events.writer.overhead"]),
]


def wanted(names, only):
    return not only or any(name.startswith(prefix) for name in names for prefix in only)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--append", choices=["stream", "rpc"], default="stream")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    return parser.parse_args()


def main():
    options = arguments()
    groups = [group for group, names in GROUPS if wanted(names, options.only)]
    if not groups:
        sys.exit("there is no such figure; there are: "
                 + " ".join(name for _, names in GROUPS for name in names))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="samverka-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # the servers' account passes through
    bench = Bench(folder, options)
    before = record.machine()
    say(before)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # by way of what is in `finally`
    try:
        bench.ours.start()
        for group in groups:
            group(bench)
    finally:
        bench.ours.stop()
        shutil.rmtree(folder, ignore_errors=True)
    after = record.machine()
    say(after)
    if options.record:
        record.write(options.record, bench.lines, before, after)


main()

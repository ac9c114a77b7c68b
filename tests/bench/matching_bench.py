#!/usr/bin/python3
"""matching.*: the matching engine against Lucene and Postgres, each on one core, a million people who
never were, the same score: what each finds is compared before it is measured; and the solvers.

usage: matching_bench.py BUILD_FOLDER [--rounds=N] [--people=N] [--published=N] [--quick]
                         [--only=NAME]... [--keep=FOLDER] [--record=FILE]

Prints `name<TAB>value<TAB>unit<TAB>peer<TAB>ratio`: medians of alternating rounds, and the median of
the ratios (ours divided by the peer's of the same round); "-" where there is no peer.  Ranges go to
standard error.  --quick: a tenth of the people, one round.  --keep: a folder whose files are used
again.  --record: writes the lines to a file as well, each with its ranges.
"""

import argparse
import collections
import functools
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import matching_peers as peers  # noqa: E402
import record  # noqa: E402
from matching_product import Product  # noqa: E402

ROUNDS = 5
PEOPLE = 1_000_000
QUERIES = 1000  # that ours is asked for its own figures
ASKED = {"lucene": {"soft": 20, "strict": 40}, "postgres": {"strict": 20}}  # beside a peer
COMPARED = 100  # with a look at everybody, in each mode
REPEATED = 25  # ours, beside a peer
PUBLISHED = 100_000  # of the people, in the product's own Postgres
LOADS, WORKERS, IN_FLIGHT, RPC_SECONDS = 3, 4, 64, 3  # the product's usual workers
UPDATES = 10_000  # a second
SECONDS = 5
SEARCHES, EVENTS, SEARCH_ROUNDS = 1_000_000, 500, 2  # Lucene reads the searches anew each round


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def span(values):
    return f"{min(values):.2f}..{max(values):.2f}"


class Bench:
    """The people, ours with all of them, and the rounds."""

    def __init__(self, folder, options):
        self.folder = folder
        self.build = options.build.absolute()
        self.rounds = 1 if options.quick else options.rounds
        self.searches = SEARCHES // 10 if options.quick else SEARCHES
        self.people = options.people // 10 if options.quick else options.people
        self.published = min(self.people, options.published // (10 if options.quick else 1))
        self.results = collections.defaultdict(list)  # (figure, system) -> values by round
        self.lines = []

    def make_people(self):
        if not (self.folder / "people.tsv").exists():
            subprocess.run([self.build / "bench/matching_generate", self.folder, str(self.people),
                            "table"], check=True)

    @functools.cached_property
    def ours(self):
        """Made when a figure first needs the people."""
        self.make_people()
        engine = peers.Engine(self.folder, self.build)
        self.loaded = engine.load()
        return engine

    def stop(self):
        if "ours" in self.__dict__:
            self.ours.stop()

    def note(self, figure, system, value):
        self.results[figure, system].append(value)

    def print(self, figure, unit, system="-"):
        values, others = self.results[figure, "samverka"], self.results[figure, system]
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


def beside(bench, kind):
    """The same queries in turn, once both have given the same answers to them."""
    try:
        peer = kind(bench.folder, bench.build)
    except peers.Absent as reason:
        say(f"skipped {kind.name}: {reason}")
        return
    try:
        seconds, size = peer.load()
        say(f"{peer.name}: loaded in {seconds:.1f} s, {size:.0f} bytes a profile")
        for mode, count in ASKED[peer.name].items():
            if bench.ours.answers(mode, count) != peer.answers(mode, count):
                sys.exit(f"{peer.name} and ours find different people ({mode})")
            say(f"{peer.name}: the same answers to {count} queries ({mode})")
            peer.ask(mode, count, 1)  # so that it is warm
            for _ in range(bench.rounds):
                for system, repeat in ((bench.ours, REPEATED), (peer, 1)):
                    rate, _, _ = system.ask(mode, count, repeat)
                    bench.note(f"matching.{mode}.{peer.name}", system.name, rate)
            bench.print(f"matching.{mode}.{peer.name}", "1/s", peer.name)
    finally:
        peer.stop()


def identity(bench):
    """What the engine finds by each kernel, against a look at everybody: not a name nor a point may
    differ."""
    compared = 0
    for mode in ("soft", "strict"):
        path = bench.folder / f"oracle.{mode}"
        bench.ours.tell("oracle", mode, COMPARED, path)
        there = path.read_text().splitlines()
        if len(there) != COMPARED:
            sys.exit(f"the oracle has answered {len(there)} of {COMPARED} queries ({mode})")
        for kernel in ("avx512", "avx2", "scalar"):
            if bench.ours.tell("kernel", kernel) == ["-"]:
                say(f"skipped {kernel}: not on this machine")
                continue
            found = bench.ours.answers(mode, COMPARED)
            wrong = [number for number, pair in enumerate(zip(found, there)) if pair[0] != pair[1]]
            if wrong or len(found) != COMPARED:
                sys.exit(f"{kernel} finds other people than there are ({mode}): queries {wrong}")
            compared += COMPARED
        bench.ours.tell("kernel", "best")
    say(f"{compared} answers over {bench.people} people: those of a look at everybody")
    bench.note("matching.identical", "samverka", compared)
    bench.print("matching.identical", "answers")


def lucene(bench):
    beside(bench, peers.Lucene)


def postgres(bench):
    beside(bench, peers.Postgres)


def alone(bench):
    """All queries, each once a round; with explanations of all results; by each kernel."""
    for _ in range(bench.rounds):
        plain = {}
        for mode in ("soft", "strict"):
            rate, p50, p99 = plain[mode] = bench.ours.ask(mode, QUERIES, 1)
            for figure, value in (("rate", rate), ("p50_us", p50), ("p99_us", p99)):
                bench.note(f"matching.{mode}.{figure}", "samverka", value)
        _, p50, _ = bench.ours.numbers("explain", QUERIES, 1)
        bench.note("matching.explain.overhead", "samverka", 100 * (p50 / plain["soft"][1] - 1))
        for kernel in ("avx2", "scalar"):
            if bench.ours.tell("kernel", kernel) != ["-"]:
                rate, _, _ = bench.ours.ask("soft", QUERIES, 1)
                bench.note(f"matching.soft.rate.{kernel}", "samverka", rate)
        bench.ours.tell("kernel", "best")
    for mode in ("soft", "strict"):
        for figure, unit in (("rate", "1/s"), ("p50_us", "us"), ("p99_us", "us")):
            bench.print(f"matching.{mode}.{figure}", unit)
    for kernel in ("avx2", "scalar"):
        if bench.results[f"matching.soft.rate.{kernel}", "samverka"]:
            bench.print(f"matching.soft.rate.{kernel}", "1/s")
    bench.print("matching.explain.overhead", "%")
    bench.note("matching.bytes_per_profile", "samverka", bench.loaded[1])
    bench.print("matching.bytes_per_profile", "B")


def updates(bench):
    """Soft queries on one core while the other replaces profiles, each in the next query."""
    for _ in range(bench.rounds):
        idle = bench.ours.numbers("updates", 0, SECONDS)[1]
        _, busy, _, rate, put, _, waited = bench.ours.numbers("updates", UPDATES, SECONDS)
        for figure, value in (("p50_ratio", busy / idle), ("rate", rate), ("insert_p50_us", put),
                              ("waited", waited)):
            bench.note(f"matching.update.{figure}", "samverka", value)
        bench.ours.tell("settle")
    for figure, unit in (("p50_ratio", "1"), ("rate", "1/s"), ("insert_p50_us", "us"),
                         ("waited", "1")):
        bench.print(f"matching.update.{figure}", unit)


def product(bench):
    """The process of matching: until it is ready, and what is left of its rate beyond ZeroMQ."""
    bench.make_people()
    made = Product(bench.folder, bench.build, bench.published)
    try:
        made.start()
        for _ in range(min(bench.rounds, LOADS)):
            bench.note("matching.load.seconds", "samverka", made.load())
            bench.note("matching.load.peak_bytes", "samverka",
                       made.memory()[1] / bench.published)
        runner = made.runner(WORKERS, QUERIES)
        runner.load()
        for _ in range(bench.rounds):
            there, _ = runner.numbers("rpc", IN_FLIGHT, RPC_SECONDS)
            for figure, word in (("matching.rpc.share", "call"),
                                 ("matching.rpc.share.search", "search")):
                bench.note(figure, "samverka", there)
                bench.note(figure, "in process", runner.numbers(word, RPC_SECONDS)[0])
        runner.stop()
    finally:
        made.stop()
    bench.print("matching.load.seconds", "s")
    bench.print("matching.load.peak_bytes", "B")
    for figure in ("matching.rpc.share", "matching.rpc.share.search"):
        bench.print(figure, "1/s", "in process")


def percolate(bench):
    """Profiles against saved searches; both have written what they found of each profile."""
    if reason := peers.lucene_absent("core", "analyzers-common", "sandbox"):
        say(f"skipped lucene: {reason}")
        return
    for _ in range(min(bench.rounds, SEARCH_ROUNDS)):
        rates = peers.percolate(bench.folder, bench.build, bench.searches, EVENTS, SECONDS)
        if (bench.folder / "percolate.ours").read_bytes() != (
                bench.folder / "percolate.lucene").read_bytes():
            sys.exit("lucene and ours find different searches")
        for system, rate in zip(("samverka", "lucene"), rates):
            bench.note("matching.percolate.lucene", system, rate)
    bench.print("matching.percolate.lucene", "1/s", "lucene")


def assignment(bench):
    """100,000 students, 20,000 topics, 4,000 supervisors; the same without supervisors."""
    for name, supervisors in (("spa", 4000), ("hr", 0)):
        for _ in range(bench.rounds):
            found = json.loads(subprocess.check_output(
                [bench.build / "bench/matching_spa", "100000", "20000", str(supervisors)]))
            bench.note(f"matching.{name}.seconds", "samverka", found[f"matching.{name}.seconds"])
        bench.print(f"matching.{name}.seconds", "s")


def composer(bench):
    """The share of pools, typical and hard ones, whose best set was proven within a second."""
    printed = subprocess.check_output([bench.build / "bench/matching_compose"], text=True)
    figures = dict(line.split("\t") for line in printed.splitlines())
    for size in (500, 5000, 50000):
        for kind in ("typical", "hard"):
            for figure in ("proven", "median_ms", "longest_ms"):
                name = f"matching.compose.{figure}_{size}"
                bench.note(f"{name}.{kind}", "samverka", float(figures[f"{name}.{kind}"]))
                bench.print(f"{name}.{kind}", "ms" if "ms" in figure else "1")
        bench.note(f"matching.compose.proven_{size}", "samverka",
                   sum(bench.results[f"matching.compose.proven_{size}.{kind}", "samverka"][0]
                       for kind in ("typical", "hard")) / 2)
        bench.print(f"matching.compose.proven_{size}", "1")


GROUPS = [
    (product, ["matching.load.seconds", "matching.rpc.share"]),
    (identity, ["matching.identical"]),
    (alone, ["matching.soft.p50_us", "matching.soft.p99_us", "matching.strict.p50_us",
             "matching.bytes_per_profile", "matching.explain.overhead"]),
    (lucene, ["matching.soft.lucene", "matching.strict.lucene"]),
    (postgres, ["matching.strict.postgres"]),
    (percolate, ["matching.percolate.lucene"]),
    (updates, ["matching.update.p50_ratio"]),
    (assignment, ["matching.spa.seconds", "matching.hr.seconds"]),
    (composer, ["matching.compose.proven_5000", "matching.compose.proven_50000"]),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--published", type=int, default=PUBLISHED)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--record", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = arguments()
    groups = [group for group, names in GROUPS
              if not options.only or any(name.startswith(prefix) for name in names
                                         for prefix in options.only)]
    if not groups:
        sys.exit("there is no such figure; there are: "
                 + " ".join(name for _, names in GROUPS for name in names))
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="samverka-bench-",
                                                           dir="/var/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the servers' account passes through
    bench = Bench(folder.absolute(), options)
    before = record.machine()
    say(before)
    try:
        for group in groups:
            group(bench)
    finally:
        bench.stop()
        after = record.machine()
        say(after)
        if options.record and bench.lines:  # also of a run that was cut short
            record.write(options.record, bench.lines, before, after)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


main()

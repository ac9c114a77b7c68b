"""The matching engine and its peers for matching_bench.py: programs that are told what to do line by
line (tests/bench/matching), and a Postgres of its own.

Every system has: load(), which gives seconds and bytes a profile; ask(mode, count, repeat), which
gives queries/s and the latencies p50 and p99 in microseconds; answers(mode, count), which gives the
best fifty of each query as lines of text.
"""

import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import servers  # noqa: E402


def jars(*parts):
    return [f"/usr/share/java/lucene-{part}-8.7.0.jar" for part in parts]


JARS = jars("core", "analyzers-common")
HEAP = "-Xmx2g"
BEST = 50
# As struct sought of population.h: regions, their points, points of years, languages, latest day,
# count of terms, terms, points, required.
SOUGHT = struct.Struct("<Q40H32HHHH64H64H5H")


class Absent(Exception):
    """Why a peer cannot be measured here."""


class Told:
    """A program that answers each line with a line of numbers."""

    def __init__(self, folder, command):
        self.folder = folder
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def tell(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended at: {words}")
        return line.split()

    def numbers(self, *words):
        return [float(word) for word in self.tell(*words)]

    def load(self):
        return self.numbers("load")

    def ask(self, mode, count, repeat):
        return self.numbers("ask", mode, count, repeat)

    def answers(self, mode, count):
        path = self.folder / f"{self.name}.{mode}"
        self.tell("answers", mode, count, path)
        return path.read_text().splitlines()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def lucene_absent(*parts):
    """What is missing of Java and Lucene, or nothing."""
    if not shutil.which("java"):
        return "there is no java"
    missing = [jar for jar in jars(*parts) if not pathlib.Path(jar).exists()]
    return f"there is no {missing[0]}" if missing else ""


def percolate(folder, build, searches, events, seconds):
    """Events/s of ours and of Lucene, one after the other: matching/percolate.c, Percolate.java."""
    ours = subprocess.run([build / "bench/matching_percolate", folder, str(searches), str(events),
                           str(seconds)], check=True, stdout=subprocess.PIPE, text=True)
    program = ROOT / "tests/bench/matching/Percolate.java"
    path = ":".join(jars("core", "analyzers-common", "sandbox"))
    theirs = subprocess.run(["java", HEAP, "-cp", path, program, folder, str(seconds)], check=True,
                            stdout=subprocess.PIPE, text=True)
    for index in folder.glob("lucene*[0-9]"):
        shutil.rmtree(index)
    return float(ours.stdout.split()[0]), float(theirs.stdout.split()[0])


class Engine(Told):
    name = "samverka"

    def __init__(self, folder, build):
        super().__init__(folder, [build / "bench/matching_engine_run", folder])


class Lucene(Told):
    """Lucene 8.7 of Debian, one segment."""

    name = "lucene"

    def __init__(self, folder, _build):
        if not shutil.which("javac") or not all(pathlib.Path(jar).exists() for jar in JARS):
            raise Absent("liblucene8-java or a JDK is not installed")
        classes = folder / "classes"
        path = ":".join(JARS)
        subprocess.run(["javac", "-cp", path, "-d", classes,
                        ROOT / "tests/bench/matching/LuceneRun.java"], check=True)
        super().__init__(folder, ["java", HEAP, "-cp", f"{path}:{classes}", "LuceneRun", folder])


class Postgres:
    """Columns for filters, an array of terms with a GIN index, points summed by intarray."""

    name = "postgres"
    settings = {"shared_buffers": "2GB", "work_mem": "128MB", "maintenance_work_mem": "1GB",
                "max_parallel_workers_per_gather": "0", "max_parallel_maintenance_workers": "0",
                "jit": "off", "autovacuum": "off"}

    def __init__(self, folder, _build):
        self.folder = folder
        self.server = servers.Postgres(folder / "postgres", durable=False, die_with_parent=True,
                                       settings=self.settings)
        data = (folder / "queries.bin").read_bytes()
        self.sought = list(SOUGHT.iter_unpack(data))
        self.connection = None

    def load(self):
        self.server.start()
        self.connection = self.server.connect()
        self.connection.autocommit = True
        begun = time.monotonic()
        with self.connection.cursor() as cursor, open(self.folder / "people.tsv") as table:
            cursor.execute("CREATE EXTENSION intarray")
            cursor.execute("CREATE UNLOGGED TABLE person (id int, region int, languages int,"
                           " day int, year int, terms int[])")
            cursor.copy_expert("COPY person FROM STDIN", table)
            cursor.execute("CREATE INDEX ON person USING gin (terms gin__int_ops)")
            cursor.execute("CREATE INDEX ON person (region, day)")
            cursor.execute("ANALYZE person")
            cursor.execute("SELECT pg_total_relation_size('person') / count(*) FROM person")
            size = float(cursor.fetchone()[0])
        return [time.monotonic() - begun, size]

    def query(self, number, mode):
        sought = self.sought[number]
        count = sought[75]
        parameters = {
            "regions": [region for region in range(40) if sought[0] >> region & 1],
            "region_points": list(sought[1:41]), "year_points": list(sought[41:73]),
            "languages": sought[73], "latest": sought[74], "terms": list(sought[76:76 + count]),
            "points": list(sought[140:140 + count]), "required": sorted(sought[204:209])}
        required = " AND terms @> %(required)s" if mode == "strict" else ""
        return (
            "SELECT id, (%(region_points)s::int[])[region + 1]"
            " + (%(year_points)s::int[])[year + 1]"
            " + (SELECT coalesce(sum((%(points)s::int[])[idx(%(terms)s, term)]), 0)"
            " FROM unnest(person.terms & %(terms)s) u(term)) AS points FROM person"
            " WHERE region = ANY(%(regions)s) AND languages & %(languages)s <> 0"
            f" AND day <= %(latest)s{required} ORDER BY points DESC, id LIMIT {BEST}", parameters)

    def rows(self, number, mode):
        with self.connection.cursor() as cursor:
            cursor.execute(*self.query(number, mode))
            return cursor.fetchall()

    def ask(self, mode, count, repeat):
        taken = []
        for number in list(range(count)) * repeat:
            begun = time.monotonic()
            self.rows(number, mode)
            taken.append((time.monotonic() - begun) * 1e6)
        taken.sort()
        return [1e6 / statistics.mean(taken), statistics.median(taken),
                taken[int(len(taken) * 0.99)]]

    def answers(self, mode, count):
        return [" ".join([str(number), *(f"{person}:{points}" for person, points
                                         in self.rows(number, mode))])
                for number in range(count)]

    def stop(self):
        if self.connection:
            self.connection.close()
        self.server.stop()

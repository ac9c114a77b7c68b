"""The product's own matching for matching_bench.py: a cluster of events, registry and matching, with
the people and the needs of the population published in a Postgres of its own.
"""

import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import cluster as house_cluster  # noqa: E402
import servers  # noqa: E402
from matching_peers import SOUGHT, Told  # noqa: E402

READY_S = 300
LOG_S = 10
LEAVES, FIRST_WORD = 13900, 14620
NEED = ("INSERT INTO registry.need (tenant_id, id, organisation_id, text_langs, text_values,"
        " text_translated, concept_ids, concept_weights, languages, visibility, state)"
        " SELECT bench_id('000f', 0), bench_id('0002', %(number)s), bench_id('000a', 0), '{sv}',"
        " ARRAY[(SELECT string_agg(bench_word(word), ' ') FROM unnest(%(words)s::int[]) word)],"
        " '{f}', array_agg(bench_id('000c', leaf)), array_agg(1000::bigint), '{}', 3, 2"
        " FROM unnest(%(leaves)s::int[]) leaf")


class Product:
    """`people` of those in folder/people.tsv are published."""

    def __init__(self, folder, build, people):
        self.folder, self.people = folder, people
        self.cluster = house_cluster.Cluster(
            folder / f"product-{people}", build, ports="free", durable=False, die_with_parent=True,
            services=["events", "registry", "matching"])
        self.programs = build / "bench"

    def start(self):
        self.cluster.start_servers()
        self.publish()
        for name in ("events", "registry"):
            self.cluster.start_service(name)

    def stop(self):
        self.cluster.stop()

    def publish(self):
        connection = self.cluster.postgres.connect("samverka")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM registry.need")
            if cursor.fetchone()[0]:
                return  # kept from before
            cursor.execute("CREATE UNLOGGED TABLE bench_person (id bigint, region int,"
                           " languages int, day int, year int, terms int[])")
            with open(self.folder / "people.tsv") as table:
                cursor.copy_expert("COPY bench_person FROM STDIN", table)
            sql = (ROOT / "tests/bench/matching/product.sql").read_text()
            cursor.execute(sql, {"people": self.people})
            data = (self.folder / "queries.bin").read_bytes()
            for number, sought in enumerate(SOUGHT.iter_unpack(data)):
                terms = sought[76:76 + sought[75]]
                cursor.execute(NEED, {"number": number,
                                      "leaves": [term for term in terms if term < LEAVES],
                                      "words": [term for term in terms if term >= FIRST_WORD]})
            cursor.execute("DROP TABLE bench_person")
            cursor.execute("VACUUM ANALYZE registry.person, registry.need")
            cursor.execute("CHECKPOINT")
        connection.close()

    def load(self):
        """Seconds from the start of the process until it says ready."""
        self.cluster.stop_service("matching")
        log = self.cluster["matching"].log
        size = log.stat().st_size if log.exists() else 0
        begun = time.monotonic()
        self.cluster.start_service("matching", wait=False)
        self.cluster["matching"].await_ready(READY_S)
        seconds = time.monotonic() - begun
        servers.wait_for(lambda: self.profiles_read(size) >= self.people, LOG_S, "what was read")
        return seconds

    def profiles_read(self, after):
        """What its log says behind so many bytes."""
        read = re.findall(rb'"profiles":(\d+)', self.cluster["matching"].log.read_bytes()[after:])
        return int(read[-1]) if read else 0

    def memory(self):
        """Bytes that the process holds now, and held at most."""
        status = pathlib.Path(f"/proc/{self.cluster['matching'].pid}/status").read_text()
        return [int(re.search(rf"{name}:\s+(\d+)", status)[1]) * 1024 for name in ("VmRSS", "VmHWM")]

    def runner(self, threads, needs):
        """matching_product_run beside the process: told what to do line by line."""
        return Runner(self.folder, [self.programs / "matching_product_run",
                                    self.cluster.dsn("app_matching"),
                                    self.cluster.endpoint("matching"), self.cluster.key_folder,
                                    threads, needs])


class Runner(Told):
    name = "samverka"

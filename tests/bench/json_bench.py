#!/usr/bin/python3
"""json.map.python: a 1 kB message to JSON and back, ours against Python's json_format.

Prints `name<TAB>value<TAB>unit<TAB>peer<TAB>ratio`: the medians of ours and of Python's over
alternating runs, in messages mapped both ways a second of processor time, and the median of the
ratios (ours divided
by Python's in the same round).
usage: json_bench.py BUILD_FOLDER
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "registry.v1.GetPersonReply"
RUNS = 7
ROUNDS = 100_000
PEER_ROUNDS = 300


def load_pool():
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{ROOT}/proto", "-I/usr/include", "--include_imports",
                        f"--descriptor_set_out={out.name}", "registry/v1/people.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def make_message(pool):
    """A believable profile whose JSON is about 1 kB."""
    factory = message_factory.MessageFactory(pool)
    reply = factory.GetPrototype(pool.FindMessageTypeByName(NAME))()
    person = reply.person
    person.person_id = "0193a5f1-7c1e-7b3a-9d2e-5f1c2b3a4d5e"
    person.kind = 1
    person.display_name = "Ingrid Håkansson-Mäkelä"
    person.languages.extend(["sv", "fi", "en"])
    person.nuts = "SE312"
    person.available_from = "2027-01-01"
    person.capacity = 2
    person.reference = "hda-4711"
    person.version = 17
    for lang, text in (("sv", "Arbetar med energieffektiva produktionslinjer och värmeåtervinning."),
                       ("en", "Works on energy-efficient production lines and heat recovery.")):
        person.about.add(lang=lang, value=text)
    for number in range(5):
        person.skills.add(concept_id=f"0193a5f1-7c1e-7b3a-9d2e-5f1c2b3a4d{number:02x}",
                          weight=1000 - number * 50)
    return reply


def peer_once(pool, message):
    cls = type(message)
    start = time.process_time_ns()
    for _ in range(PEER_ROUNDS):
        text = json_format.MessageToJson(message, including_default_value_fields=True, indent=None)
    for _ in range(PEER_ROUNDS):
        json_format.Parse(text, cls(), descriptor_pool=pool)
    return (time.process_time_ns() - start) / PEER_ROUNDS


def ours_once(tool, packed):
    out = subprocess.run([tool, "bench", NAME, str(ROUNDS)], input=packed, check=True,
                         capture_output=True)
    _, write_ns, read_ns = (float(word) for word in out.stdout.split())
    return write_ns + read_ns


def main():
    tool = pathlib.Path(sys.argv[1]) / "test" / "json_tool"
    pool = load_pool()
    message = make_message(pool)
    packed = message.SerializeToString()
    pairs = [(ours_once(tool, packed), peer_once(pool, message)) for _ in range(RUNS)]
    ours = statistics.median(1e9 / a for a, _ in pairs)
    peer = statistics.median(1e9 / b for _, b in pairs)
    ratios = [b / a for a, b in pairs]
    print(f"json.map.python\t{ours:.0f}\t1/s\t{peer:.0f}\t{statistics.median(ratios):.1f}")
    print(f"json.map.python: ratios {min(ratios):.1f} to {max(ratios):.1f}", file=sys.stderr)


main()

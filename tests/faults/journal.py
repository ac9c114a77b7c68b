"""What clients meant and what they were told, in files that outlive them.

    journal = Journal(folder, "writer-3")
    journal.intent(key)                 before the attempt
    journal.ack(key, value)             the answer that the promise counts from
    journal.taken_back(key)             it was rolled back: it must never be seen
    truth = read(folder)                truth.intents, truth.acks, truth.taken_back

The clock in the lines is the monotonic one: a jump of the wall's does not reorder them.
"""

import json
import pathlib
import time
from collections import namedtuple

Truth = namedtuple("Truth", "intents acks taken_back")


class Journal:
    def __init__(self, folder, name):
        self._file = open(pathlib.Path(folder) / f"{name}.jsonl", "a", encoding="utf-8")

    def _note(self, kind, key, value=None):
        self._file.write(json.dumps([time.monotonic(), kind, key, value]) + "\n")
        self._file.flush()

    def intent(self, key, value=None):
        self._note("intent", key, value)

    def ack(self, key, value=None):
        self._note("ack", key, value)

    def taken_back(self, key):
        self._note("taken back", key)

    def close(self):
        self._file.close()


def read(folder):
    """Acks: key -> list of every value that was told for it."""
    truth = Truth({}, {}, set())
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            _, kind, key, value = json.loads(line)
            key = tuple(key) if isinstance(key, list) else key  # a batch: the ids of its events
            if kind == "intent":
                truth.intents[key] = value
            elif kind == "ack":
                truth.acks.setdefault(key, []).append(value)
            else:
                truth.taken_back.add(key)
    return truth

"""What the faults share: the world of the journeys, a seed that is printed, and figures.

    chance      a random generator; SAMVERKA_TEST_SEED repeats a run
    full        whether the full figures are wanted (--full), or the short form of CI
    figure      figure("R3", events=20000, gaps=0): printed, and kept for scripts/faults
"""

import json
import os
import pathlib
import random
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/contract")]

from events_place import client  # noqa: E402,F401
from journeys.conftest import contract, mail_sink, settings, world  # noqa: E402,F401


@pytest.fixture
def seed():
    """It stands in the output of a test that fails."""
    number = int(os.environ.get("SAMVERKA_TEST_SEED", random.randrange(1 << 32)))
    print(f"SAMVERKA_TEST_SEED={number}")
    return number


@pytest.fixture
def chance(seed):
    return random.Random(seed)


@pytest.fixture
def full(request):
    return request.config.getoption("--full")


@pytest.fixture
def figure(request, seed, full):
    """Notes what a promise's test has seen, with its seed and how long it took."""
    began = time.monotonic()

    def note(promise, **numbers):
        line = {"promise": promise, "test": request.node.name, "seed": seed,
                "form": "full" if full else "short",
                "seconds": round(time.monotonic() - began, 1), **numbers}
        print(" ".join(f"{name}={value}" for name, value in line.items()))
        path = os.environ.get("SAMVERKA_FAULT_FIGURES")
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    return note

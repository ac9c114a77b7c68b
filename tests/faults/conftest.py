"""What the faults share: the world of the journeys, and a seed that is printed."""

import os
import pathlib
import random
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from journeys.conftest import contract, mail_sink, settings, world  # noqa: E402,F401


@pytest.fixture
def chance():
    """SAMVERKA_TEST_SEED repeats a run; the seed stands in the output of a test that fails."""
    seed = int(os.environ.get("SAMVERKA_TEST_SEED", random.randrange(1 << 32)))
    print(f"SAMVERKA_TEST_SEED={seed}")
    return random.Random(seed)

"""The broken guards of scripts/faults --mutants still fit the source, and no promise lacks one."""

import sys

import pytest

from faults.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import mutants  # noqa: E402

MUTANTS = mutants.find(ROOT)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_applies_and_names_what_it_breaks(mutant):
    applied = mutants.git_apply(ROOT, mutant.path, "--check")
    assert applied.returncode == 0, applied.stderr
    assert mutant.breaks and mutant.promise in mutants.tests_by_promise(ROOT)


def test_every_promise_has_a_mutant():
    proved = {mutant.promise for mutant in MUTANTS}
    assert set(mutants.tests_by_promise(ROOT)) <= proved

"""Every check against the repository."""

import os
import pathlib
import subprocess

import pytest

HOME = pathlib.Path(__file__).resolve().parents[2]
CHECKS = ["layers", "size", "format", "banned", "proto", "texts", "docs"]


@pytest.mark.parametrize("check", CHECKS)
def test_the_repository_keeps_the_rules(check):
    command = [str(HOME / "scripts" / f"check-{check}")]
    if check == "docs" and "HOUSE_BUILD" in os.environ:
        command.append(f"--build={os.environ['HOUSE_BUILD']}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    assert done.returncode == 0, f"scripts/check-{check}:\n{done.stdout}"


def test_every_check_of_the_scripts_is_run_here():
    there = sorted(path.name.removeprefix("check-") for path in (HOME / "scripts").glob("check-*"))
    assert there == sorted(CHECKS)

"""A small repository of one's own, and a check that looks at it."""

import pathlib
import subprocess

import pytest

HOME = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def sample(tmp_path):
    """sample("layers", {"common/base/x.c": "..."}) -> (exit code, output) of the check."""

    def run(check, files, *arguments):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run([str(HOME / "scripts" / check), str(tmp_path), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60)
        return done.returncode, done.stdout

    return run

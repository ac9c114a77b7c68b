"""docs/integrators.md does what it says: its blocks are run from the top to the bottom by a stranger with
an empty folder, and what it shows is what comes."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from test_libsamverka import sanitizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/integrators.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
BLOCK_S = 120


class Place:
    """A folder, and a shell whose variables last from one block to the next."""

    def __init__(self, cluster, folder, library):
        self.folder = folder
        (folder / "events.pub").write_bytes((cluster.key_folder / "events.pub").read_bytes())
        (folder / "bin").mkdir()
        samverka = folder / "bin/samverka"
        samverka.write_text(f'#!/bin/sh\nexec {cluster.build}/bin/samverka '
                            f'--settings-file {cluster.operator_settings()} "$@"\n')
        samverka.chmod(0o755)
        compiler = folder / "bin/cc"  # what links a sanitized library is sanitized too
        compiler.write_text(f'#!/bin/sh\nexec gcc {" ".join(sanitizers(cluster.build))} "$@"\n')
        compiler.chmod(0o755)
        told = cluster.load_demo()
        values = {"url": cluster.url, "endpoints": cluster.stream_endpoint, "samverka": str(ROOT),
                  "officer": re.search(r"^  +(\S+@hda\S+) +partnership officer", told, re.M)[1],
                  "password": re.search(r"password of all: (\S+)", told)[1]}
        self.environment = {
            **{name: value for name, value in os.environ.items()
               if not name.startswith("SAMVERKA_")},
            **values, "PATH": f"{folder}/bin:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
            "PKG_CONFIG_PATH": str(next(library.rglob("pkgconfig"))),
            "LD_LIBRARY_PATH": str(next(library.rglob("libsamverka.so")).parent)}
        self.values = values
        (folder / "state").write_text("")

    def sh(self, block):
        script = f"set -eu\n. ./state\n{block}\ndeclare -p | grep -v '^declare -[a-z]*r' >state\n" \
                 "declare -f >>state\n"
        return self._run(["bash", "-c", script])

    def python(self, block):
        values = "".join(f"{name} = {value!r}\n" for name, value in self.values.items())
        return self._run([sys.executable, "-c", values + block])

    def _run(self, command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=BLOCK_S, check=False)
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def fits(shown, told):
    """Each line that is shown, with "..." for anything."""
    pattern = "".join(".*".join(map(re.escape, re.split(r"\.{3}(?!\.)", line))) + "\n"
                      for line in shown.splitlines())
    return re.fullmatch(pattern, told)


@pytest.fixture(scope="module")
def library(build_folder, tmp_path_factory):
    """As an integrator has it: installed."""
    prefix = tmp_path_factory.mktemp("library")
    subprocess.run(["cmake", "--install", build_folder, "--prefix", prefix], check=True,
                   capture_output=True)
    return prefix


def test_every_block_of_the_page_does_what_the_page_shows(cluster, library, tmp_path):
    place = Place(cluster, tmp_path, library)
    told, blocks = "", BLOCK.findall(PAGE.read_text())
    assert len(blocks) > 15
    for language, block in blocks:
        if language == "text":
            assert fits(block, told), f"the page shows\n{block}\nand this came:\n{told}"
        else:
            told = getattr(place, language)(block)


def test_every_way_a_follow_may_end_is_on_the_page():
    page = PAGE.read_text()
    comment = re.search(r"message Ended \{(.*?)string detail", (
        ROOT / "proto/events/v1/stream.proto").read_text(), re.S)[1]
    for code in set(re.findall(r"\b[A-Z]+_[A-Z_]+\b|\bUNAVAILABLE\b|\bABORTED\b", comment)):
        assert f"`{code}`" in page, code

"""Fixtures for tests that need the whole: real processes, free ports, a temporary folder each.

    cluster         one for the session, with all services ready; tests share it and leave it whole
    fresh_cluster   a cluster of the test's own, to kill, scale and starve
    make_cluster    a function that makes such clusters with settings and slots of your choice
    make_module_cluster   the same for clusters that the tests of a file share

The programs come from the build folder in SAMVERKA_TEST_BUILD, or build/release.  Without them
the tests that need a cluster fail: a skipped journey proves nothing.
"""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import cluster as clusters  # noqa: E402

SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp:halt_on_error=1",
}


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the tests that take long")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--full"):
        return
    for item in items:
        if "full" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="long: --full"))


@pytest.fixture(scope="session")
def build_folder():
    for name, value in SANITIZERS.items():
        os.environ.setdefault(name, value)
    return pathlib.Path(os.environ.get("SAMVERKA_TEST_BUILD", ROOT / "build/release")).absolute()


class Clusters:
    """Makes clusters and ends them; shows the logs of those that a test left broken."""

    def __init__(self, build):
        self.build = build
        self.made = []

    def make(self, start=True, demo=False, **options):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="samverka-cluster-"))
        folder.chmod(0o711)  # the servers' account goes through, and sees nothing
        options.setdefault("durable", False)  # where no test crashes Postgres
        cluster = clusters.Cluster(folder, self.build, ports="free", die_with_parent=True,
                                   **options)
        self.made.append(cluster)
        if start:
            cluster.start()
            if demo:
                cluster.load_demo()
        return cluster

    def end(self):
        complaints = []
        for cluster in self.made:
            cluster.stop()
            complaints += sanitizer_reports(cluster)
            shutil.rmtree(cluster.folder, ignore_errors=True)
        self.made.clear()
        assert not complaints, "\n".join(complaints)


def sanitizer_reports(cluster):
    """A service that a sanitizer stopped may have been started again unnoticed."""
    found = []
    for log in sorted((cluster.folder / "log").glob("*.log")):
        text = log.read_text(errors="replace")
        for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                     "WARNING: ThreadSanitizer"):
            if mark in text:
                at = text.index(mark)
                found.append(f"{log.name}: {text[max(0, at - 200):at + 4000]}")
                break
    return found


@pytest.fixture(scope="session")
def cluster(build_folder):
    made = Clusters(build_folder)
    try:
        yield made.make(demo=True)
    finally:
        made.end()


@pytest.fixture
def make_cluster(build_folder):
    made = Clusters(build_folder)
    try:
        yield made.make
    finally:
        made.end()


@pytest.fixture(scope="module")
def make_module_cluster(build_folder):
    made = Clusters(build_folder)
    try:
        yield made.make
    finally:
        made.end()


@pytest.fixture
def fresh_cluster(make_cluster):
    return make_cluster()

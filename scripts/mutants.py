"""Guards broken on purpose: tests/faults/mutants/NAME.patch, one each.

A patch begins with lines `Promise: R3`, `Breaks: what no longer holds` and, when only a part of the
promise's tests is concerned, `Tests: an expression of pytest -k`.  The rest is a unified diff.
Each is applied to a copy of the source, what it changes is built, and the short form of the promise
must fail there by a test's own word: a build or a set-up that fails proves nothing.
"""

import os
import pathlib
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree
from collections import defaultdict, namedtuple

PYTEST = ["/usr/bin/python3", "-m", "pytest", "-c", "tests/pytest.ini", "--rootdir=tests", "-q"]
FOLDER = "tests/faults/mutants"
LONGEST_S = 400  # of one mutant's tests; a test that comes to no end is a red one
HEADER = re.compile(r"^(Promise|Breaks|Tests): (.+(?:\n  .+)*)", re.M)
Mutant = namedtuple("Mutant", "name promise breaks tests path")


def tests_by_promise(top):
    """promise -> node ids, from the marks in tests/faults."""
    found = defaultdict(list)
    for path in sorted((top / "tests/faults").glob("test_*.py")):
        for marks, name in re.findall(r'^@pytest\.mark\.promise\(([^)]*)\)\n(?:@.*\n)*def (\w+)',
                                      path.read_text(), re.M):
            for promise in re.findall(r'"(\w+)"', marks):
                found[promise].append(f"{path.relative_to(top)}::{name}")
    return found


def read(path):
    head = path.read_text().split("\n--- ", 1)[0]
    fields = {name: " ".join(text.split()) for name, text in HEADER.findall(head)}
    return Mutant(path.stem, fields["Promise"], fields["Breaks"], fields.get("Tests", ""), path)


def find(top, names=()):
    """All mutants, or those named or of the promises named."""
    every = [read(path) for path in sorted((top / FOLDER).glob("*.patch"))]
    unknown = set(names) - {mutant.name for mutant in every} - {mutant.promise for mutant in every}
    if unknown and unknown - set(tests_by_promise(top)):
        raise SystemExit(f"no such mutant: {', '.join(sorted(unknown))}")
    return [mutant for mutant in every
            if not names or mutant.name in names or mutant.promise in names]


def git_apply(folder, path, *options):
    """Outside of any repository, so that git takes the paths as they stand."""
    return subprocess.run(
        ["git", "apply", *options, path], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)})


def copy_source(top, copy):
    """What git would commit, as it is now; files that did not change keep their time."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=top, check=True, capture_output=True, text=True).stdout
    wanted = {pathlib.Path(name) for name in listed.split("\0") if name and (top / name).is_file()}
    for name in wanted:
        into = copy / name
        if into.exists() and into.read_bytes() == (top / name).read_bytes():
            continue
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(top / name, into)
    for path in copy.rglob("*"):
        name = path.relative_to(copy)
        if path.is_file() and name.parts[0] != "build" and name not in wanted:
            path.unlink()


def build(copy):
    """The output of a build that failed, or nothing."""
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "build/release", "-j", str(os.cpu_count()),
                     "--target", "programs"]):
        done = subprocess.run(["nice", *command], cwd=copy, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            return done.stdout[-3000:]
    return ""


def verdict(report):
    """"green", "red" or "error", from pytest's own report, and the first failure's last words."""
    if not report.exists():
        return "error", "pytest wrote no report"
    words, errors = [], []
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        words += [failure.get("message", "") for failure in case.iter("failure")]
        errors += [error.get("message", "") for error in case.iter("error")]
    if words:
        return "red", words[0]
    return ("error", errors[0]) if errors else ("green", "")


def run_tests(copy, nodes, expression):
    report = copy / "build/report.xml"
    report.unlink(missing_ok=True)
    command = [*PYTEST, "-x", f"--junitxml={report}", *nodes]
    environment = {**os.environ, "SAMVERKA_TEST_BUILD": str(copy / "build/release")}
    try:
        subprocess.run(command + (["-k", expression] if expression else []), cwd=copy,
                       env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:  # its servers end with it
        return "red", "the tests came to no end"
    return verdict(report)


def try_one(copy, mutant, nodes):
    applied = git_apply(copy, mutant.path)
    if applied.returncode:
        return "error", f"does not apply: {applied.stderr.strip()}"
    try:
        failure = build(copy)
        return ("error", f"does not build: {failure}") if failure else run_tests(
            copy, nodes, mutant.tests)
    finally:
        git_apply(copy, mutant.path, "-R")


def tell(promise, name, outcome, began, words):
    print(f"{promise:8s} {name:28s} {outcome:6s} {time.monotonic() - began:5.0f} s  "
          f"{' '.join(words.split())[:110]}", flush=True)


def run(top, names):
    """Prints a line for each; true when all are red, and the whole source is green."""
    chosen, tests = find(top, names), tests_by_promise(top)
    copy = top / "build/mutants/source"
    copy.mkdir(parents=True, exist_ok=True)
    copy_source(top, copy)
    good = True
    print(f"{'promise':8s} {'mutant':28s} outcome")
    failure = build(copy)
    if failure:
        raise SystemExit(f"the source itself does not build:\n{failure}")
    for promise, expression in sorted({(mutant.promise, mutant.tests) for mutant in chosen}):
        began = time.monotonic()
        outcome, words = run_tests(copy, tests[promise], expression)
        tell(promise, "(none)", outcome, began, words)
        good &= outcome == "green"
    for mutant in chosen:
        began = time.monotonic()
        outcome, words = try_one(copy, mutant, tests[mutant.promise])
        tell(mutant.promise, mutant.name, outcome, began, words)
        good &= outcome == "red"
    return good

"""scripts/new-service: the skeleton keeps the rules of the house, and nothing is overwritten.

That it builds and answers is shown where there is a compiler and time: see docs/testing.md.
"""

import pathlib
import shutil
import subprocess

import pytest

HOME = pathlib.Path(__file__).resolve().parents[2]
@pytest.fixture
def house(tmp_path):
    for name in ("common/service/services.def", "common/service/settings.def",
                 "services/CMakeLists.txt", "proto", "tests/golden", "compose.yaml",
                 "docker/Dockerfile", "docker/prepare"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (HOME / name).is_dir() else shutil.copy)(HOME / name, target)
    return tmp_path


def run(script, *arguments):
    return subprocess.run([HOME / "scripts" / script, *arguments], capture_output=True, text=True,
                          timeout=60)


def test_a_new_service_stands_in_every_table_and_keeps_the_rules(house):
    done = run("new-service", "coaching", "--root", house)
    assert done.returncode == 0, done.stderr
    assert "SERVICE(coaching, " in (house / "common/service/services.def").read_text()
    assert "coaching_endpoints" in (house / "common/service/settings.def").read_text()
    assert " coaching cli)" in (house / "services/CMakeLists.txt").read_text()
    compose = (house / "compose.yaml").read_text()
    stanza = compose[compose.index("\n  coaching:\n"):compose.index("\n  events:\n")]
    assert "target: coaching}" in stanza and "tcp://0.0.0.0:5566" in stanza
    assert "matching" not in stanza and "_PG_" not in stanza
    assert "\n  secrets-coaching: {}\n" in compose
    assert "SAMVERKA_COACHING_ENDPOINTS: tcp://coaching:5566" in compose
    dockerfile = (house / "docker/Dockerfile").read_text()
    assert "\nFROM scratch AS coaching\n" in dockerfile
    assert "\nCOPY --from=build /out/coaching /\n" in dockerfile
    assert dockerfile.count("notifications gateway coaching") >= 2
    assert ' gateway coaching"\n' in (house / "docker/prepare").read_text()
    for check in ("layers", "size", "format", "banned"):
        done = run(f"check-{check}", house)
        assert "services/coaching" not in done.stdout, done.stdout
    assert run("check-proto", house, "--accept").returncode == 0
    assert run("check-proto", house).returncode == 0


def test_a_name_that_is_taken_or_no_word_is_refused_and_nothing_changes(house):
    before = (house / "common/service/services.def").read_text()
    (house / "proto/coaching").mkdir()
    (house / "proto/coaching/v1").mkdir()
    for name in ("coaching", "Coaching", "a", "two-words"):
        done = run("new-service", name, "--root", house)
        assert done.returncode == 1
        assert done.stderr.startswith("new-service: ")
    assert (house / "common/service/services.def").read_text() == before

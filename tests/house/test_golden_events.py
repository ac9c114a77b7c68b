"""Golden events: a sample contract's are written, kept, and complete."""

import json

import pytest
from test_contract_rules import GOOD, contract  # noqa: F401

TYPE = "org.samverka.thing.made.v1"


@pytest.fixture
def accepted(contract, tmp_path):  # noqa: F811
    assert contract(GOOD, "--accept") == (0, "")
    return tmp_path / "tests/golden/events" / TYPE


def test_an_event_without_a_golden_file_is_refused_until_it_is_accepted(contract, tmp_path):  # noqa: F811
    code, output = contract(GOOD)
    assert code == 1
    assert f"{TYPE}: no golden event (scripts/check-proto --accept)" in output
    assert contract(GOOD, "--accept") == (0, "")
    assert (tmp_path / "tests/golden/events" / TYPE / "1.bin").exists()


def test_a_golden_event_sets_every_field_and_is_the_same_on_every_machine(accepted, contract):  # noqa: F811
    said = json.loads((accepted / "1.json").read_text())
    assert said["type"] == TYPE
    assert said["data"]["thingId"]
    assert [change["field"] for change in said["data"]["changes"]] and len(said["data"]) == 2
    before = (accepted / "1.bin").read_bytes()
    for path in accepted.iterdir():
        path.unlink()
    assert contract(GOOD, "--accept-breaking") == (0, "")
    assert (accepted / "1.bin").read_bytes() == before


def test_every_member_of_a_oneof_has_its_golden_event(contract, tmp_path):  # noqa: F811
    more = GOOD.replace("string thing_id = 1;", "string thing_id = 1;\n  oneof by "
                        "{ string person = 3; uint64 system = 4; bytes key = 5; }")
    assert contract(more, "--accept") == (0, "")
    folder = tmp_path / "tests/golden/events" / TYPE
    said = [json.loads((folder / f"{n}.json").read_text())["data"] for n in (1, 2, 3)]
    assert [sorted({"person", "system", "key"} & data.keys()) for data in said] == [
        ["person"], ["system"], ["key"]]


def test_a_new_field_gets_a_new_golden_event_and_the_old_one_stays(accepted, contract):  # noqa: F811
    before = (accepted / "1.bin").read_bytes()
    more = GOOD.replace("message Change { string field = 1; }",
                        "message Change { string field = 1; uint64 at_unix_ms = 2; }")
    code, output = contract(more)
    assert code == 1
    assert f"{TYPE}: no golden event sets changes.at_unix_ms" in output
    assert contract(more, "--accept") == (0, "")
    assert contract(more) == (0, "")
    assert (accepted / "1.bin").read_bytes() == before
    assert json.loads((accepted / "2.json").read_text())["data"]["changes"][0]["atUnixMs"] > "1"


@pytest.mark.parametrize("name, content, message", [
    ("1.bin", None, "was published and is gone"),
    ("1.json", None, "was published and is gone"),
    ("1.bin", b"\x0a\x01x", "was changed"),
    ("1.json", b"{}", "was changed"),
    ("7.bin", b"\x0a\x01x", "is not in tests/golden/events.json"),
])
def test_what_was_published_stays_as_it_was(accepted, contract, name, content, message):  # noqa: F811
    if content is None:
        (accepted / name).unlink()
    else:
        (accepted / name).write_bytes(content)
    for arguments in ((), ("--accept",)):
        code, output = contract(GOOD, *arguments)
        assert code == 1
        assert f"{TYPE}/{name}: {message}" in output


def test_a_field_that_is_dropped_from_an_event_is_missed(accepted, contract):  # noqa: F811
    code, output = contract(GOOD.replace("string thing_id = 1;", "reserved 1;"), "--accept")
    assert code == 1
    assert f"{TYPE}/1: /data/thingId is gone" in output

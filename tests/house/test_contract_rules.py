"""Each rule of the contract against a sample that breaks it, and what was published."""

import json
import pathlib

import pytest

HOME = pathlib.Path(__file__).resolve().parents[2]
HEAD = ('syntax = "proto3";\npackage x.v1;\nimport "wire/v1/options.proto";\n'
        'import "wire/v1/status.proto";\n')
RULE = "{ option (wire.v1.rpc) = { roles: [ANYONE] transaction: READ }; }"
GOOD = HEAD + """
service Things {
  rpc GetThing(GetThingRequest) returns (GetThingReply) %s
}
service Inbox {
  rpc ThingMade(x.v1.ThingMade) returns (wire.v1.Ack);
}
message GetThingRequest { string id = 1; }
message GetThingReply { Thing thing = 1; }
message Thing {
  string id = 1;
  string name = 2 [(wire.v1.personal) = true];
  uint64 made_unix_ms = 3;
  oneof place { string town = 4; string region = 5; }
  Colour colour = 6;
}
enum Colour { COLOUR_UNSPECIFIED = 0; RED = 1; }
message ThingMade {
  option (wire.v1.event) = { type: "org.samverka.thing.made.v1" };
  string thing_id = 1;
  repeated Change changes = 2;
}
message Change { string field = 1; }
""" % RULE


@pytest.fixture
def contract(sample):
    """contract(text, arguments...) -> (exit code, output) of check-proto on that one service."""
    wire = {name: (HOME / name).read_text()
            for name in ("proto/wire/v1/options.proto", "proto/wire/v1/status.proto")}

    def run(text, *arguments):
        return sample("check-proto", {**wire, "proto/x/v1/x.proto": text}, *arguments)

    return run


def test_a_good_contract_passes_once_it_is_accepted(contract, tmp_path):
    code, output = contract(GOOD)
    assert code == 1 and "x.v1.Thing: new (scripts/check-proto --accept)" in output
    assert contract(GOOD, "--accept") == (0, "")
    assert contract(GOOD) == (0, "")
    golden = json.loads((tmp_path / "tests/golden/contract.json").read_text())
    assert golden["messages"]["x.v1.Thing"]["4"] == "town string single oneof place"
    assert golden["rpcs"]["x.v1.Things/GetThing"]["reply"] == ".x.v1.GetThingReply"


@pytest.mark.parametrize("old, new, message", [
    ("x.v1", "y.v1", "does not stand in its folder"),
    ("returns (GetThingReply)", "returns (Thing)", "not GetThingReply"),
    ("rpc GetThing(GetThingRequest) returns (GetThingReply) " + RULE,
     "rpc GetThing(GetThingRequest) returns (GetThingReply) " + RULE
     + "\n  rpc FindThing(GetThingRequest) returns (GetThingReply) " + RULE,
     "belongs to x/v1/x.proto: Things/GetThing already"),
    ("GetThing", "Register", "C keyword"),
    ("returns (GetThingReply)", "returns (stream GetThingReply)", "streams do not exist"),
    ("roles: [ANYONE] ", "", "roles and transaction is missing"),
    (RULE, ";", "roles and transaction is missing"),
    ("COLOUR_UNSPECIFIED = 0", "GREEN = 0", "zero is GREEN"),
    ("string field = 1;", "optional string field = 1;", "proto3 optional"),
    ("message Change {", "message Change { Change inner = 2;", "contains itself by inner"),
    ("message Change {", "message Change { message Deep { repeated Change c = 1; } Deep d = 2;",
     "contains itself by d.c"),
    ("uint64 made_unix_ms", "int64 made_unix_ms", "a time is uint64"),
    ("string town", "string homeTown", "lower_case"),
    ("string field = 1;", "Thing thing = 1;", "x.v1.ThingMade: an event reaches personal data by "
                                              "changes.thing.name"),
    ("string thing_id = 1;", "string thing_id = 1 [(wire.v1.personal) = true];", "by thing_id"),
    ("org.samverka.thing.made.v1", "thing.made", "is not org.samverka"),
    ("message Change {", 'message Change { option (wire.v1.event) = '
                         '{ type: "org.samverka.thing.made.v1" };', "has the type"),
    ("rpc ThingMade(x.v1.ThingMade)", "rpc ThingMade(x.v1.Thing)", "is no event"),
    ("rpc ThingMade(x.v1.ThingMade)", "rpc Made(x.v1.ThingMade)", "names its rpcs after"),
    ("returns (wire.v1.Ack)", "returns (Change)", "answers wire.v1.Ack"),
    ("message Change { string field = 1;", "message Change { strin field = 1;", "not defined"),
], ids=lambda value: " ".join(value.split())[:30])
def test_a_contract_that_breaks_a_rule_is_refused(contract, old, new, message):
    assert old in GOOD
    code, output = contract(GOOD.replace(old, new))
    assert code == 1
    assert message in output


@pytest.mark.parametrize("old, new, message", [
    ("string id = 1;\n  string name", "string name", "x.v1.Thing 1: id string single is gone"),
    ("uint64 made_unix_ms = 3", "uint64 made_unix_ms = 9", "x.v1.Thing 3"),
    ("Colour colour = 6", "repeated Colour colour = 6", "was colour x.v1.Colour single"),
    ("Colour colour = 6", "string colour = 6", "was colour x.v1.Colour single"),
    ("string thing_id = 1", "string id = 1", "was thing_id string single, is id string single"),
    ("oneof place { string town = 4; string region = 5; }", "string town = 4; string region = 5;",
     "was town string single oneof place, is town string single"),
    ("RED = 1", "BLUE = 1", "x.v1.Colour 1: was RED, is BLUE"),
    ("service Things", "service Items", "x.v1.Things/GetThing: was published and is gone"),
    ("message Change { string field = 1; }", "message Delta { string field = 1; }",
     "x.v1.Change: was published and is gone"),
], ids=lambda value: " ".join(value.split())[:30])
def test_what_was_published_never_changes(contract, old, new, message):
    assert contract(GOOD, "--accept")[0] == 0
    changed = GOOD.replace(old, new)
    if "Delta" in new:
        changed = changed.replace("repeated Change", "repeated Delta")
    for arguments in ((), ("--accept",)):
        code, output = contract(changed, *arguments)
        assert code == 1
        assert message in output
    assert contract(changed, "--accept-breaking") == (0, "")
    assert contract(changed) == (0, "")


def test_a_field_may_go_when_its_number_is_reserved_and_never_comes_back(contract):
    assert contract(GOOD, "--accept")[0] == 0
    dropped = GOOD.replace("Colour colour = 6", "reserved 6")
    assert contract(dropped) == (0, "")
    assert contract(dropped, "--accept") == (0, "")
    code, output = contract(GOOD.replace("Colour colour = 6", "string taste = 6"))
    assert code == 1
    assert "x.v1.Thing 6: was colour" in output


def test_what_is_new_must_be_recorded(contract):
    assert contract(GOOD, "--accept")[0] == 0
    more = GOOD.replace("string id = 1; }", "string id = 1; string language = 2; }")
    code, output = contract(more)
    assert code == 1
    assert "x.v1.GetThingRequest 2: new, language string single" in output
    assert contract(more, "--accept") == (0, "")
    assert contract(more) == (0, "")

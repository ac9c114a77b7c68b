"""What was published is read for ever, by stock protobuf in Python from the official CloudEvents
format: every golden event of every type.

The same is proved of our C by common/event/event_golden_test.c, and scripts/check-proto keeps the
files as they are.
"""

import json
import re
import subprocess
import sys

import pytest
from google.protobuf import json_format
from samverka_client import ROOT, Contract

GOLDEN = ROOT / "tests/golden/events"
FILES = sorted(GOLDEN.glob("*/*.bin"))
NEWER = b"\xc0\xa9\x07\x96\x01\xca\xa9\x07\x05newer"  # fields 15000 and 15001


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def cloudevents(tmp_path_factory):
    """The module that stock protoc makes of the official proto."""
    out = tmp_path_factory.mktemp("cloudevents")
    folder = ROOT / "proto/io/cloudevents/v1"
    subprocess.run(["protoc", f"-I{folder}", f"--python_out={out}", "cloudevents.proto"],
                   check=True)
    sys.path.insert(0, str(out))
    import cloudevents_pb2
    return cloudevents_pb2


def event_types(contract):
    """type -> (message, internal), from the options in proto/."""
    found = {}
    for path in sorted((ROOT / "proto").glob("*/v1/*.proto")):
        file = contract.pool.FindFileByName(str(path.relative_to(ROOT / "proto")))
        text = path.read_text()
        for name in file.message_types_by_name:
            match = re.search(rf"message {name} {{\s*option \(wire\.v1\.event\) = "
                              r'{ type: "([^"]+)"( internal: true)? }', text)
            if match:
                found[match[1]] = (f"{file.package}.{name}", bool(match[2]))
    return found


def data_of(contract, event):
    return contract.message(event.proto_data.type_url.rsplit("/", 1)[1]).FromString(
        event.proto_data.value)


def test_every_type_of_event_is_there(contract):
    types = event_types(contract)
    assert len(types) >= 23
    assert set(types) == {path.parent.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_golden_event_says_all_that_it_said(path, contract, cloudevents):
    event = cloudevents.CloudEvent.FromString(path.read_bytes())
    expected = json.loads(path.with_suffix(".json").read_text())
    full_name, internal = event_types(contract)[path.parent.name]
    assert event.proto_data.type_url == f"type.googleapis.com/{full_name}"
    assert (event.id, event.source, event.type) == (expected["id"], expected["source"],
                                                    expected["type"])
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event.attributes)
    assert re.fullmatch("[0-9]{19}", event.attributes["sequence"].ce_string)
    assert ("tenantsequence" in event.attributes) != internal
    for name, value in event.attributes.items():
        kind = value.WhichOneof("attr")
        said = (value.ce_timestamp.ToJsonString() if kind == "ce_timestamp"
                else getattr(value, kind))
        if name != "datacontenttype":
            assert said == expected[name], name
    back = json_format.ParseDict(expected["data"], contract.message(full_name)())
    assert back == data_of(contract, event)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_a_newer_contract_adds_is_kept(path, contract, cloudevents):
    packed = path.read_bytes()
    event = cloudevents.CloudEvent.FromString(packed + NEWER)
    again = event.SerializeToString()
    assert again.endswith(NEWER) and len(again) == len(packed) + len(NEWER)
    event.proto_data.value += NEWER
    data = data_of(contract, event)
    assert sorted(data.SerializeToString()) == sorted(event.proto_data.value)
    data.DiscardUnknownFields()
    assert data == data_of(contract, cloudevents.CloudEvent.FromString(packed))

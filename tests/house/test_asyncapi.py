"""The AsyncAPI document and the schemas of events against the contract and the code: all that is there
is described, and all that is described is there."""

import copy
import json
import pathlib
import re
import shutil
import subprocess

import asyncapi_rules
import jsonschema
import pytest

HOME = pathlib.Path(__file__).resolve().parents[2]
GENERATOR = HOME / "services/gateway/gen/gen_events.py"
EVENT = re.compile(r'message (\w+) \{\s*option \(wire\.v1\.event\) = '
                   r'\{ type: "([^"]+)"( internal: true)? \}')
CHANNELS = {"stream", "serverSentEvents", "page", "webhook"}


def generate(out, proto=HOME / "proto"):
    return subprocess.run(["/usr/bin/python3", str(GENERATOR), str(proto),
                           str(HOME / "docs/protocol.md"), str(out), "1.2.3"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    done = generate(out)
    assert done.returncode == 0, done.stdout
    return out


@pytest.fixture(scope="module")
def document(made):
    return json.loads((made / "asyncapi.json").read_text())


@pytest.fixture(scope="module")
def events():
    """type -> (message, internal), as the text of the contract says."""
    found = {}
    for path in (HOME / "proto").rglob("*.proto"):
        package = ".".join(path.relative_to(HOME / "proto").parent.parts)
        for name, type_, internal in EVENT.findall(path.read_text()):
            found[type_] = (f"{package}.{name}", bool(internal))
    assert len(found) >= 23
    return found


def golden(type_):
    folder = HOME / "tests/golden/events" / type_
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def test_the_document_keeps_the_rules_of_asyncapi(document):
    assert asyncapi_rules.problems(document) == []


def change(document, path, value):
    """A copy with another value at the path; None: without it."""
    changed = copy.deepcopy(document)
    *way, last = path.split("/")
    at = changed
    for part in way:
        at = at[int(part) if isinstance(at, list) else part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return changed


@pytest.mark.parametrize("path, value, message", [
    ("asyncapi", "2.6.0", "is not 3.0.0"),
    ("info/version", None, "has no version"),
    ("host", "x", "knows no host"),
    ("servers/stream/protocol", None, "has no protocol"),
    ("servers/stream/host", "https://{host}/x", "no path and no scheme"),
    ("servers/stream/variables", {}, "its variables and those of its host differ"),
    ("servers/gateway/security", [{"$ref": "#/components/securitySchemes/none"}], "leads nowhere"),
    ("channels/page/address", 7, "has the wrong type"),
    ("channels/page/address", "/v1/{what}", "its parameters and those of its address differ"),
    ("channels/page/messages/x", {"$ref": "#/components/messages/none"}, "leads nowhere"),
    ("channels/page/servers", [{"$ref": "#/channels/page"}], "does not point into #/servers/"),
    ("operations/sendPage/action", "publish", "an action is send or receive"),
    ("operations/sendPage/channel", {"$ref": "#/channels/webhook"},
     "does not point into #/channels/webhook/messages/"),
    ("operations/sendPage/channel", None, "has no channel"),
    ("operations/receiveAppend/reply/messages",
     [{"$ref": "#/channels/stream/messages/none"}], "leads nowhere"),
    ("operations/sendPage/bindings/http/method", "FETCH", "has no method of HTTP"),
    ("operations/sendPage/bindings/zmq", {}, "knows no binding zmq"),
    ("components/messages/batch/correlationId", {"location": "id"}, "is no runtime expression"),
    ("components/messages/batch/payload", {"$ref": "#/components/schemas/none"}, "leads nowhere"),
    ("components/messages/new", {"payload": {}}, "is used nowhere"),
    ("components/messages/a b", {"payload": {}}, "is no name"),
    ("components/schemas/WebhookHeaders/type", "map", "is no schema"),
    ("components/schemas/StreamFrames/schemaFormat", "text", "is not known"),
    ("components/securitySchemes/bearer/type", "magic", "the type magic is not known"),
], ids=lambda value: str(value)[:40])
def test_a_document_that_breaks_a_rule_is_refused(document, path, value, message):
    problems = asyncapi_rules.problems(change(document, path, value))
    assert any(message in problem for problem in problems), problems


def test_every_public_event_is_a_message_on_every_way_and_back(document, events):
    public = {type_ for type_, (_, internal) in events.items() if not internal}
    described = {name for name in document["components"]["messages"]
                 if name.startswith("org.samverka.")}
    assert described == public
    assert set(document["channels"]) == CHANNELS
    for name, channel in document["channels"].items():
        assert {one for one in channel["messages"] if one.startswith("org.")} == public, name
    for name, operation in document["operations"].items():
        if operation["action"] == "send" and name not in ("sendHeartbeat", "sendEnded",
                                                          "sendAppendOutcome"):
            carried = {one["$ref"].rsplit("/", 1)[1] for one in operation["messages"]}
            assert carried - {"batch"} == public, name
    for type_ in public:
        message = document["components"]["messages"][type_]
        assert message["name"] == type_
        assert message["x-message"] == events[type_][0]
        assert message["headers"]["allOf"][1]["properties"]["type"] == {"const": type_}


def frames(text):
    """The members of the two oneofs, as the text of stream.proto says."""
    for outer in ("ClientFrame", "ServerFrame"):
        body = re.search(rf"message {outer} \{{\s*oneof frame \{{(.*?)\}}", text, re.S)[1]
        yield from ((outer, name) for name in re.findall(r"\w+ (\w+) = \d+;", body))


def camel(name):
    return re.sub("_(.)", lambda match: match[1].upper(), name)


def test_every_frame_of_the_stream_is_a_message_with_an_operation_and_back(document):
    text = (HOME / "proto/events/v1/stream.proto").read_text()
    expected = {f"events.v1.{outer}.{name}" for outer, name in frames(text)}
    messages = document["components"]["messages"]
    assert {one["name"] for name, one in messages.items() if "." not in name} == expected
    for outer, name in frames(text):
        message = messages[camel(name)]
        assert message["bindings"]["x-zmq"]["frames"][0] == {"message": f"events.v1.{outer}",
                                                             "field": name}
        verb = "receive" if outer == "ClientFrame" else "send"
        operation = document["operations"][camel(f"{verb}_{name}")]
        assert operation["action"] == verb
        assert operation["messages"][0] == {"$ref": f"#/channels/stream/messages/{camel(name)}"}
    assert document["components"]["schemas"]["StreamFrames"]["schema"] == text


@pytest.mark.parametrize("old, new, message", [
    ("Ack ack = 4;", "Ack ack = 4; Credit refund = 14;",
     "ClientFrame.refund of events/v1/stream.proto is not described"),
    ("Ended ended = 3;", "Ended ended = 3; Heartbeat pause = 13;",
     "ServerFrame.pause of events/v1/stream.proto is not described"),
    ("Ack ack = 4;", "", "ClientFrame.ack is described and is not in events/v1/stream.proto"),
])
def test_a_frame_without_words_stops_the_build(tmp_path, old, new, message):
    shutil.copytree(HOME / "proto", tmp_path / "proto")
    stream = tmp_path / "proto/events/v1/stream.proto"
    assert old in stream.read_text()
    stream.write_text(stream.read_text().replace(old, new))
    done = generate(tmp_path / "out", tmp_path / "proto")
    assert done.returncode != 0
    assert message in done.stdout


def test_the_routes_that_it_names_exist(document):
    routes = (HOME / "services/gateway/routes.def").read_text()
    for channel in document["channels"].values():
        if channel["address"]:
            assert f'OWN(GET, "{channel["address"]}"' in routes


def test_every_attribute_that_is_written_is_documented_and_golden(document):
    source = (HOME / "common/pg/outbox.c").read_text()
    written = set(re.findall(r'add(?:_text|_uri)?\(\s*&?attributes,\s*"(\w+)"', source))
    assert {"subject", "time", "dataschema", "esco"} <= written
    described = document["components"]["schemas"]["CloudEventAttributes"]["properties"].keys()
    assert written | {"sequence", "tenantsequence"} <= described
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in described)
    for name in written | {"sequence", "tenantsequence"}:
        assert name in golden("org.samverka.need.published.v1")[0], name
    binary = document["components"]["schemas"]["BinaryModeHeaders"]["properties"].keys()
    assert binary == {f"ce-{name}" for name in described} - {"ce-datacontenttype"}


def validator(document, schema):
    """AsyncAPI's schemas are a superset of draft 07."""
    return jsonschema.Draft7Validator(schema, jsonschema.RefResolver("", document),
                                      format_checker=jsonschema.draft7_format_checker)


def test_every_golden_event_is_valid_by_its_message(document, events):
    for type_, (_, internal) in events.items():
        for event in golden(type_) if not internal else ():
            message = document["components"]["messages"][type_]
            headers = {name: value for name, value in event.items() if name != "data"}
            validator(document, message["headers"]).validate(headers)
            validator(document, message["payload"]).validate(event["data"])
            for name, wrong in (("type", "org.samverka.other.v1"), ("sequence", "17"),
                                ("specversion", "0.3"), ("tenantid", "x")):
                assert not validator(document, message["headers"]).is_valid(
                    {**headers, name: wrong}), name


def schema_of(made, type_):
    return json.loads((made / "schemas" / f"{type_}.json").read_text())


def test_every_event_has_a_json_schema_and_stands_in_the_index(made, events):
    index = json.loads((made / "schemas/index.json").read_text())
    assert {one["type"]: (one["message"], one["internal"]) for one in index["events"]} == events
    assert {path.name for path in (made / "schemas").glob("org.*")} == {
        f"{type_}.json" for type_ in events}
    for one in index["events"]:
        schema = schema_of(made, one["type"])
        jsonschema.Draft202012Validator.check_schema(schema)
        assert one["schema"] == schema["$id"] == f"/schemas/{one['type']}.json"
        assert schema["x-message"] == one["message"]
        assert (made / one["proto"].removeprefix("/")).is_file()
    there = {str(path.relative_to(HOME / "proto")) for path in (HOME / "proto").rglob("*.proto")}
    assert {path.removeprefix("/schemas/proto/") for path in index["protos"]} == there
    for name in there:
        assert (made / "schemas/proto" / name).read_bytes() == (HOME / "proto" / name).read_bytes()


def wrong_values(data):
    """The data with each of its values of another type."""
    for name, value in data.items():
        yield name, {**data, name: 1.5 if not isinstance(value, (int, float)) else "x"}


def test_every_golden_event_is_valid_by_its_schema_and_another_type_of_value_is_not(made, events):
    for type_ in events:
        check = jsonschema.Draft202012Validator(schema_of(made, type_))
        for event in golden(type_):
            check.validate(event["data"])
            # A later contract adds members; a reader of this one must take them.
            check.validate({**event["data"], "newer": 1})
            for name, wrong in wrong_values(event["data"]):
                assert not check.is_valid(wrong), (type_, name)


def properties(schema):
    """Every name of a member in the schema."""
    for one in [schema, *schema.get("$defs", {}).values()]:
        yield from one.get("properties", {})


def snake(name):
    return re.sub("([A-Z])", lambda match: "_" + match[1].lower(), name)


def test_no_schema_of_an_event_holds_personal_data(made, document, tmp_path, events):
    """check-proto refuses it in the contract; here is what is handed out."""
    marked = {}
    for path in (HOME / "proto").rglob("*.proto"):
        package = ".".join(path.relative_to(HOME / "proto").parent.parts).replace(".v1", "")
        message = None
        for line in path.read_text().splitlines():
            if match := re.match(r"\s*message (\w+)", line):
                message = f"{package}.{match[1]}"
            elif match := re.match(r"\s*(?:repeated )?[\w.]+ (\w+) = \d+ .*\(wire\.v1\.personal\) = "
                                   "true", line):
                marked.setdefault(message, set()).add(match[1])
    assert len(marked) > 5
    groups = {type_: {**schema_of(made, type_).get("$defs", {}),
                      events[type_][0].replace(".v1.", "."): schema_of(made, type_)}
              for type_ in events}
    groups["asyncapi"] = document["components"]["schemas"]
    for where, schemas in groups.items():
        for name, schema in schemas.items():
            told = {snake(one) for one in schema.get("properties", {})}
            assert not told & marked.get(name, set()), (where, name)
    assert all(list(properties(schema_of(made, type_))) for type_ in events)

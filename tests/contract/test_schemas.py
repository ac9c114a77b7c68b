"""What describes the events is served: AsyncAPI, JSON schemas and protos, and it holds for the events
of a live cluster."""

import json
import re
import subprocess
import sys
import urllib.parse

import jsonschema
import pytest
from http_place import contract, place  # noqa: F401
from samverka_client import ROOT

sys.path.insert(0, str(ROOT / "tests/house"))
import asyncapi_rules  # noqa: E402


@pytest.fixture(scope="module")
def index(place):  # noqa: F811
    return place.nobody.ask("GET", "/schemas").json


@pytest.fixture(scope="module")
def events(place):  # noqa: F811
    place.organisation()
    found, after, head = [], 0, 1
    while after < head:
        head = int(place.officer.ask("GET", "/v1/organisations?limit=1")
                   .headers["Samverka-Position"])
        page = place.officer.ask("GET", f"/v1/events?after={after}&limit=1000")
        found += page.json
        after = int(page.headers["Samverka-Position"])
    assert len(found) > 50
    return found


def test_the_asyncapi_document_is_served_and_keeps_the_rules(place):  # noqa: F811
    answer = place.nobody.ask("GET", "/asyncapi.json")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert asyncapi_rules.problems(answer.json) == []
    again = place.nobody.ask("GET", "/asyncapi.json", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.text) == (304, b"")
    page = place.nobody.ask("GET", "/docs").text.decode()
    assert 'href="/asyncapi.json"' in page and 'href="/schemas"' in page
    version = json.loads(place.nobody.ask("GET", "/openapi.json").text)["info"]["version"]
    assert answer.json["info"]["version"] == version


def test_every_schema_is_served_with_an_etag(place, index):  # noqa: F811
    for one in index["events"]:
        answer = place.nobody.ask("GET", one["schema"])
        assert answer.status == 200, one
        assert answer.headers["Content-Type"] == "application/schema+json"
        assert re.fullmatch(r"public, max-age=\d+", answer.headers["Cache-Control"])
        jsonschema.Draft202012Validator.check_schema(answer.json)
        assert answer.json["$id"] == one["schema"]
        again = place.nobody.ask("GET", one["schema"], If_None_Match=answer.headers["ETag"])
        assert (again.status, again.text) == (304, b"")


def test_a_copy_of_the_protos_compiles_with_stock_protoc(place, index, tmp_path):  # noqa: F811
    files = []
    for path in index["protos"]:
        answer = place.nobody.ask("GET", path)
        assert answer.status == 200, path
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        name = path.removeprefix("/schemas/proto/")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(answer.text)
        files.append(name)
    assert {one["proto"] for one in index["events"]} <= set(index["protos"])
    subprocess.run(["protoc", f"-I{tmp_path}", f"--descriptor_set_out={tmp_path}/all.desc", *files],
                   check=True)


@pytest.mark.parametrize("path", [
    "/schemas/none.json", "/schemas/org.samverka.need.published.v1", "/schemas/proto",
    "/schemas/..%2Fopenapi.json", "/schemas/proto%2Fwire%2Fv1%2Foptions.proto",
    "/schemas/proto/registry/v1/none.proto", "/schemas/proto/..%2F..%2Fhome.html/v1/x",
    "/schemas/proto/registry/v1/..", "/schemas/" + "x" * 900,
    "/assets/schemas%2Findex.json", "/assets/asyncapi.json"])
def test_there_is_nothing_else_below_it(place, path):  # noqa: F811
    assert place.nobody.ask("GET", path).status in (400, 404)


def test_every_events_dataschema_is_fetched_and_holds_for_its_data(place, events):  # noqa: F811
    schemas = {}
    for event in events:
        where = urllib.parse.urlsplit(event["dataschema"])
        assert f"{where.scheme}://{where.netloc}" == place.cluster.url
        assert event["source"].startswith(f"{place.cluster.url}/tenants/")
        if event["dataschema"] not in schemas:
            schemas[event["dataschema"]] = place.nobody.ask("GET", where.path).json
        schema = schemas[event["dataschema"]]
        assert schema["title"] == event["type"]
        jsonschema.Draft202012Validator(schema).validate(event["data"])
        unknown = event["data"].keys() - schema["properties"].keys()
        assert not unknown, (event["type"], unknown)


def test_every_event_holds_the_attributes_that_are_described_and_no_other(place, events):  # noqa: F811
    document = place.nobody.ask("GET", "/asyncapi.json").json
    schema = document["components"]["schemas"]["CloudEventAttributes"]
    check = jsonschema.Draft7Validator(schema)
    for event in events:
        attributes = {name: value for name, value in event.items() if name != "data"}
        check.validate(attributes)
        assert attributes.keys() <= schema["properties"].keys()
        assert event["type"] in document["components"]["messages"]

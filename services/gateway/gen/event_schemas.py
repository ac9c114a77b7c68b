"""JSON schemas (draft 2020-12) of the data of events, and the index of them."""

import json

import openapi_document as document

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBER = {"type": "string", "pattern": "^[0-9]{1,20}$"}
SIGNED = {"type": "string", "pattern": "^-?[0-9]{1,19}$"}


class EventSchemas(document.Schemas):
    """As events are written: a 64-bit integer is a string, never a number."""

    def scalar(self, field):
        if field.type in (field.TYPE_UINT64, field.TYPE_FIXED64):
            return dict(NUMBER)
        if field.type in (field.TYPE_INT64, field.TYPE_SINT64, field.TYPE_SFIXED64):
            return dict(SIGNED)
        return super().scalar(field)


def proto_path(file):
    return f"/schemas/proto/{file}"


def schema_path(event):
    return f"/schemas/{event.type}.json"


def pointers(event):
    return {"x-message": event.message.full_name, "x-proto": proto_path(event.file)}


def schema_of(contract, event):
    schemas = EventSchemas(contract.messages, contract.enums, "#/$defs/")
    name = schemas.message(event.message)
    body = schemas.made.pop(name)
    out = {"$schema": DIALECT, "$id": schema_path(event), "title": event.type, **body,
           **pointers(event)}
    if schemas.made:
        out["$defs"] = dict(sorted(schemas.made.items()))
    return out


def index(contract, version):
    protos = sorted(contract.own)
    return {"version": version,
            "events": [{"type": event.type, "internal": event.internal,
                        "message": event.message.full_name, "schema": schema_path(event),
                        "proto": proto_path(event.file)}
                       for _, event in sorted(contract.events.items())],
            "protos": [proto_path(file) for file in protos]}


def write(contract, proto_root, out, version):
    """Everything below /schemas, in the folder `schemas`."""
    folder = out / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    for event in contract.events.values():
        text = document.to_text(schema_of(contract, event))
        (folder / f"{event.type}.json").write_text(text)
    (folder / "index.json").write_text(json.dumps(index(contract, version), indent=1) + "\n")
    for file in contract.own:
        path = folder / "proto" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((proto_root / file).read_bytes())

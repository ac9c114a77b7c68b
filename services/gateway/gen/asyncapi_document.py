"""The AsyncAPI 3.0 document: the same events over ZeroMQ, HTTP and webhooks.

It is written from the platform's side: what it sends, others receive.
"""

import re

import event_contract
import event_schemas

HTTP_BINDING = "0.3.0"
PROTOBUF = "application/vnd.google.protobuf;version=3"
FOLLOW_ANSWERS = ["batch", "heartbeat", "ended"]
# Each frame of the stream: what it is for, and which frames answer it.
FRAMES = {
    "ClientFrame": {
        "follow": ("Asks for every event after a position, those to come included.",
                   FOLLOW_ANSWERS),
        "credit": ("Lets the platform send so many events more.", ["batch"]),
        "unfollow": ("Ends the follow.", ["ended"]),
        "ack": ("Tells a durable consumer's progress.", []),
        "append": ("Adds events of another system to the log.", ["append_outcome"]),
    },
    "ServerFrame": {
        "batch": ("Events, and the positions that they cover.", None),
        "heartbeat": ("There is nothing else to send.", None),
        "ended": ("The last frame of a follow.", None),
        "append_outcome": ("What became of an append.", None),
    },
}
# Frames that a second frame follows.
CARRIES = {"batch": "io.cloudevents.v1.CloudEventBatch",
           "append": "io.cloudevents.v1.CloudEventBatch"}
UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
NUMBER = {"type": "string", "pattern": "^[0-9]{19}$"}
# Of the attributes that are no plain text.
ATTRIBUTES = {
    "id": {"type": "string", "minLength": 1, "maxLength": 128},
    "source": {"type": "string", "format": "uri-reference", "minLength": 1},
    "type": {"type": "string", "minLength": 1},
    "time": {"type": "string", "format": "date-time"},
    "dataschema": {"type": "string", "format": "uri"},
    "sequence": NUMBER,
    "tenantsequence": NUMBER,
    "originsequence": NUMBER,
    "tenantid": {"type": "string", "pattern": UUID},
}
REQUIRED = ["specversion", "id", "source", "type", "sequence"]
QUERY = {"after": {"type": "integer", "minimum": 0, "description": "the last position you have"},
         "types": {"type": "string", "description": "prefixes of event types, comma-separated"}}
LIMIT = {"type": "integer", "minimum": 1, "maximum": 1000, "description": "events looked at"}


def camel(name):
    return re.sub("_(.)", lambda match: match[1].upper(), name)


def ref(*parts):
    """A JSON reference into this document (RFC 6901)."""
    return {"$ref": "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)}


def check(contract):
    """Frames without words, and words without a frame."""
    for message, words in FRAMES.items():
        frames = contract.frames[message].keys()
        yield from (f"{message}.{name} of {event_contract.STREAM} is not described in "
                    "asyncapi_document.py" for name in frames - words.keys())
        yield from (f"{message}.{name} is described and is not in {event_contract.STREAM}"
                    for name in words.keys() - frames)


def attributes_schema(protocol):
    """The context attributes, with the words of docs/protocol.md."""
    properties = {"specversion": {"const": "1.0"}}
    for name, meaning in event_contract.attributes(protocol).items():
        properties[name] = {**ATTRIBUTES.get(name, {"type": "string"}), "description": meaning}
    return {"type": "object", "description": "Context attributes of CloudEvents 1.0.",
            "required": REQUIRED, "properties": properties}


def in_binary_mode(attributes):
    """The same as HTTP headers."""
    return {"type": "object",
            "description": "Context attributes in the binary mode of CloudEvents over HTTP: what is "
                           "not printable ASCII is percent-encoded.",
            "required": [f"ce-{name}" for name in attributes["required"]],
            "properties": {f"ce-{name}": schema for name, schema in attributes["properties"].items()
                           if name != "datacontenttype"}}


WEBHOOK_HEADERS = {
    "type": "object", "description": "Standard Webhooks 1.0.",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "pattern": "^[^.]+$",
                       "description": "the same on every attempt; of a single event its id"},
        "webhook-timestamp": {"type": "string", "pattern": "^[0-9]+$",
                              "description": "of the attempt, seconds since 1970"},
        "webhook-signature": {"type": "string",
                              "pattern": "^v1a?,[A-Za-z0-9+/=]+( v1a?,[A-Za-z0-9+/=]+)*$",
                              "description": "signatures of `id.timestamp.body`, a space between "
                                             "them: v1 is HMAC-SHA256, v1a ed25519"}}}


def event_message(event):
    title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event.message.full_name.rsplit(".", 1)[1])
    out = {"name": event.type, "title": title.capitalize(), "contentType": "application/json",
           "headers": {"allOf": [ref("components", "schemas", "CloudEventAttributes"),
                                 {"type": "object", "properties": {"type": {"const": event.type}}}]},
           "payload": ref("components", "schemas", event.message.full_name.replace(".v1.", ".")),
           "correlationId": {"location": "$message.header#/correlationid"},
           "bindings": {"x-zmq": {"typeUrl": f"type.googleapis.com/{event.message.full_name}"}},
           "x-schema": event_schemas.schema_path(event), **event_schemas.pointers(event)}
    if event.message.comment:
        out["description"] = event.message.comment
    return out


def frame_message(contract, outer, name):
    field = contract.frames[outer][name]
    comment = contract.messages[field.type_name[1:]].comment
    frames = [{"message": f"events.v1.{outer}", "field": name}]
    if name in CARRIES:
        frames.append({"message": CARRIES[name]})
    return {"name": f"events.v1.{outer}.{name}", "title": field.type_name.rsplit(".", 1)[1],
            "summary": FRAMES[outer][name][0], **({"description": comment} if comment else {}),
            "contentType": "application/protobuf",
            "payload": ref("components", "schemas", "StreamFrames"),
            "bindings": {"x-zmq": {"frames": frames}},
            "x-proto": event_schemas.proto_path(event_contract.STREAM)}


def http(method, query=None):
    binding = {"method": method, "bindingVersion": HTTP_BINDING}
    if query:
        binding["query"] = {"type": "object", "properties": query}
    return {"http": binding}


def channel_messages(names, channel):
    return [ref("channels", channel, "messages", name) for name in names]


def stream_operations(events):
    """A frame that comes is an operation with its answers; batches are one that is sent."""
    for name, (summary, answers) in FRAMES["ClientFrame"].items():
        operation = {"action": "receive", "channel": ref("channels", "stream"), "summary": summary,
                     "messages": channel_messages([camel(name)], "stream")}
        if answers:
            operation["reply"] = {"channel": ref("channels", "stream"),
                                  "messages": channel_messages(map(camel, answers), "stream")}
        yield camel(f"receive_{name}"), operation
    for name, (summary, _) in FRAMES["ServerFrame"].items():
        carried = events if name == "batch" else []
        yield camel(f"send_{name}"), {
            "action": "send", "channel": ref("channels", "stream"), "summary": summary,
            "messages": channel_messages([camel(name), *carried], "stream")}


def sends(channel, events, summary, **more):
    return {"action": "send", "channel": ref("channels", channel), "summary": summary,
            "messages": channel_messages(events, channel), **more}


def webhook_operations(events):
    modes = {"structured": ("application/cloudevents+json", ["WebhookHeaders"],
                            "An event as JSON."),
             "binary": ("application/json", ["WebhookHeaders", "BinaryModeHeaders"],
                        "An event with its attributes in headers and its data as the body."),
             "batch": ("application/cloudevents-batch+json", ["WebhookHeaders"],
                       "Several events as a JSON list.")}
    for mode, (media, headers, summary) in modes.items():
        yield camel(f"post_webhook_{mode}"), sends(
            "webhook", events, summary, bindings=http("POST"),
            **{"x-http": {"contentType": media,
                          "headers": [ref("components", "schemas", name) for name in headers]}})


def operations(events):
    made = dict(stream_operations(events))
    made["sendServerSentEvents"] = sends(
        "serverSentEvents", events, "The log as server-sent events, for as long as you listen.",
        bindings=http("GET", QUERY),
        **{"x-http": {"contentType": "text/event-stream",
                      "id": "the position, a plain number: reconnect with Last-Event-ID",
                      "data": "the event in the JSON format of CloudEvents"}})
    made["sendPage"] = sends(
        "page", events, "A page of the log, oldest first.",
        bindings=http("GET", {**QUERY, "limit": LIMIT}),
        **{"x-http": {"contentType": "application/cloudevents-batch+json",
                      "headers": {"Samverka-Position": "how far the page reaches; go on from there"}}})
    made.update(webhook_operations(events))
    return made


def channels(protocol, events):
    stream = event_contract.section(protocol, "## The event stream")
    own = {event: ref("components", "messages", event) for event in events}
    frames = {camel(name): ref("components", "messages", camel(name))
              for names in FRAMES.values() for name in names}
    return {
        "stream": {"address": None, "title": "The event stream over ZeroMQ",
                   "description": stream.split("\n### An event")[0].strip(),
                   "servers": [ref("servers", "stream")],
                   "messages": {**frames, **own},
                   "bindings": {"x-zmq": {
                       "client": "DEALER", "server": "ROUTER", "mechanism": "CURVE",
                       "proto": event_schemas.proto_path(event_contract.STREAM),
                       "maxFrameBytes": 1048576}}},
        "serverSentEvents": {"address": "/v1/events/stream", "title": "Server-sent events",
                             "servers": [ref("servers", "gateway")], "messages": own},
        "page": {"address": "/v1/events", "title": "Pages of the log",
                 "servers": [ref("servers", "gateway")], "messages": own},
        "webhook": {"address": None, "title": "Webhooks",
                    "description": "Sent to the URL that a system has registered. Any 2xx takes the "
                                   "event; everything else is tried again.",
                    "servers": [ref("servers", "receiver")], "messages": own},
    }


def servers():
    host = {"description": "as the deployment is known", "default": "localhost"}
    return {
        "stream": {"host": "{host}:5570", "protocol": "zmq", "protocolVersion": "3.1",
                   "description": "Any instance of `events`.", "variables": {"host": host},
                   "security": [ref("components", "securitySchemes", "curve")]},
        "gateway": {"host": "{host}", "protocol": "https", "variables": {"host": host},
                    "security": [ref("components", "securitySchemes", name)
                                 for name in ("bearer", "session")]},
        "receiver": {"host": "{host}", "protocol": "https",
                     "description": "The other system.", "variables": {"host": host}},
    }


def security_schemes():
    return {
        "curve": {"type": "asymmetricEncryption",
                  "description": "CURVE: the system's key pair, and the public key of `events`."},
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a system."},
        "session": {"type": "httpApiKey", "in": "cookie", "name": "__Host-samverka",
                    "description": "Of a person who has signed in."},
    }


def schemas(contract, events, proto_root, protocol):
    made = event_schemas.EventSchemas(contract.messages, contract.enums)
    for event in events:
        made.message(event.message)
    attributes = attributes_schema(protocol)
    return {**dict(sorted(made.made.items())), "CloudEventAttributes": attributes,
            "BinaryModeHeaders": in_binary_mode(attributes), "WebhookHeaders": WEBHOOK_HEADERS,
            "StreamFrames": {"schemaFormat": PROTOBUF,
                             "schema": (proto_root / event_contract.STREAM).read_text()}}


def make(contract, proto_root, protocol, version):
    events = [event for _, event in sorted(contract.events.items()) if not event.internal]
    types = [event.type for event in events]
    messages = {event.type: event_message(event) for event in events}
    for outer, names in FRAMES.items():
        messages.update((camel(name), frame_message(contract, outer, name)) for name in names)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Samverka: the event log", "version": version,
                 "description": "Every event of a partnership, once numbered, the same everywhere: "
                                "over ZeroMQ, as pages and as server-sent events over HTTP, and to "
                                "webhooks. HTTP is described at /openapi.json, schemas stand at "
                                "/schemas."},
        "defaultContentType": "application/cloudevents+json",
        "servers": servers(),
        "channels": channels(protocol, types),
        "operations": operations(types),
        "components": {"messages": messages,
                       "schemas": schemas(contract, events, proto_root, protocol),
                       "securitySchemes": security_schemes()},
    }

"""The OpenAPI 3.1 document."""

import json
import re

import openapi_webhooks

VARIABLE = re.compile(r"\{(\w+)\}")
EVENT = {"$ref": "#/components/schemas/CloudEvent"}

FILTER = [
    ("types", {"type": "string"}, "prefixes of event types, comma-separated, as all of these"),
    ("subjects", {"type": "string"}, "subjects"),
    ("programmes", {"type": "string"}, "codes of programmes"),
    ("nuts", {"type": "string"}, "prefixes of regions: SE3 passes SE312"),
    ("concepts", {"type": "string"}, "concepts, one of which the event names"),
]

PAGE_ERRORS = ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNAVAILABLE", "INTERNAL",
               "DEADLINE_EXCEEDED", "POSITION_GONE"]

# What the gateway answers itself: tag, summary, statuses with what they carry.
OWN = {
    "session_create": {
        "tag": "Sessions", "summary": "Sign in. The answer sets the session's cookie.",
        "body": "registry.v1.SignInRequest", "statuses": {201: "Session"},
        "errors": ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "TOO_LARGE",
                   "UNSUPPORTED_MEDIA_TYPE", "RESOURCE_EXHAUSTED"]},
    "session_get": {"tag": "Sessions", "summary": "Who the credential stands for; 204 without one.",
                    "statuses": {200: "Session", 204: None}, "errors": ["UNAUTHENTICATED"]},
    "session_delete": {"tag": "Sessions", "summary": "Sign out. Harmless without a session.",
                       "statuses": {204: None}, "errors": ["UNAUTHENTICATED", "PERMISSION_DENIED"]},
    "events_page": {
        "tag": "Events", "summary": "A page of the event log, oldest first, as a CloudEvents "
                                    "batch. Samverka-Position tells how far it reaches, also when "
                                    "nothing in it was for you; go on with `after` from there.",
        "parameters": [
            ("after", {"type": "integer", "minimum": 0}, "first position wanted, less one"),
            ("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "how many at most"),
            *FILTER],
        "statuses": {200: "EventBatch"},
        "errors": ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "POSITION_GONE"]},
    "events_ingest": {
        "tag": "Events", "summary": "Add events of another system to the log, as CloudEvents: one "
                                    "structured, one in binary mode (attributes as ce- headers, the "
                                    "body is the data), or a batch of up to 1000. Its types must be "
                                    "among the system's appendTypes. A repeat with the same batch "
                                    "number, Idempotency-Key or, without either, the same ids is "
                                    "answered with the first answer.",
        "headers": [
            ("Samverka-Source", {"type": "string", "maxLength": 256},
             "what the sources of the events begin with; with Samverka-Batch-Number"),
            ("Samverka-Batch-Number", {"type": "integer", "minimum": 1},
             "the source's own running number"),
            ("Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 128,
                                 "pattern": "^[!-~]+$"}, "instead of a batch number")],
        "bodies": {"application/cloudevents+json": "NewCloudEvent",
                   "application/cloudevents-batch+json": "NewCloudEventBatch", "*/*": None},
        "statuses": {200: "Appended"},
        "errors": ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "TOO_LARGE",
                   "UNSUPPORTED_MEDIA_TYPE", "KEY_REUSED", "ABORTED", "STORAGE_FULL"]},
    "events_stream": {
        "tag": "Events", "summary": "The event log as server-sent events. Each id is a position: "
                                    "reconnect with Last-Event-ID, to any gateway.",
        "parameters": [
            ("after", {"type": "integer", "minimum": 0}, "begin after this position; without it, "
                                                         "now"),
            *FILTER],
        "statuses": {200: "EventStream"},
        "errors": ["INVALID_ARGUMENT", "UNAUTHENTICATED", "POSITION_GONE"]},
    "cluster": {"tag": "Operations", "summary": "How the services are.",
                "statuses": {200: "Status"}, "errors": ["UNAUTHENTICATED"]},
    "openapi": {"tag": "Operations", "summary": "This document.", "statuses": {200: "Json"},
                "errors": []},
    "asyncapi": {"tag": "Schemas", "summary": "The events and how they travel: AsyncAPI 3.0.",
                 "statuses": {200: "Json"}, "errors": []},
    "schemas": {"tag": "Schemas", "summary": "Every type of event, with where its schemas are.",
                "statuses": {200: "Json"}, "errors": []},
    "schema": {"tag": "Schemas", "summary": "The JSON schema of an event's data: <type>.json.",
               "statuses": {200: "Schema"}, "errors": ["NOT_FOUND"]},
    "schema_proto": {"tag": "Schemas", "summary": "A file of the contract, below the path by which "
                                                  "others import it.",
                     "statuses": {200: "Proto"}, "errors": ["NOT_FOUND"]},
    "schema_proto_standard": {"tag": "Schemas", "summary": "A file of a standard that the contract "
                                                           "uses.",
                              "statuses": {200: "Proto"}, "errors": ["NOT_FOUND"]},
    "home": {"tag": "Pages", "summary": "The home page.", "statuses": {200: "Page"}, "errors": []},
    "log_page": {"tag": "Pages", "summary": "Who follows the event log, and its newest events.",
                 "parameters": [
                     ("before", {"type": "integer"}, "events before this position, newest first"),
                     ("after", {"type": "integer"}, "the next events after this position"),
                     *FILTER],
                 "statuses": {200: "Page"}, "errors": PAGE_ERRORS},
    "log_event": {"tag": "Pages", "summary": "One event of the log.", "statuses": {200: "Page"},
                  "errors": [*PAGE_ERRORS, "NOT_FOUND"]},
    "docs": {"tag": "Pages", "summary": "The reference, readable.", "statuses": {200: "Page"},
             "errors": []},
    "problem_page": {"tag": "Pages", "summary": "What a problem's type means.",
                     "statuses": {200: "Page"}, "errors": ["NOT_FOUND"]},
    "asset": {"tag": "Pages", "summary": "A file of the pages.", "statuses": {200: "File"},
              "errors": ["NOT_FOUND"]},
}

CONTENT = {
    "EventBatch": ("application/cloudevents-batch+json", {"type": "array", "items": EVENT}),
    "EventStream": ("text/event-stream", {"type": "string"}),
    "Session": ("application/json", {"$ref": "#/components/schemas/Session"}),
    "Status": ("application/json", {"type": "object"}),
    "Json": ("application/json", {"type": "object"}),
    "Schema": ("application/schema+json", {"type": "object"}),
    "Proto": ("text/plain", {"type": "string"}),
    "Page": ("text/html", {"type": "string"}),
    "Appended": ("application/json", {"type": "object", "properties": {
        "firstPosition": {"type": "string"}, "lastPosition": {"type": "string"},
        "duplicates": {"type": "integer", "description": "events left out, because the same came "
                                                         "before"}}}),
    "File": ("application/octet-stream", {"type": "string"}),
}

ALWAYS = ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"]


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def component(full_name):
    """registry.v1.Verdict.Overall -> registry.Verdict.Overall"""
    return full_name.replace(".v1.", ".")


class Schemas:
    def __init__(self, messages, enums, prefix="#/components/schemas/"):
        self.messages, self.enums, self.prefix = messages, enums, prefix
        self.made = {}

    def scalar(self, field):
        kinds = field
        if field.type in (kinds.TYPE_INT64, kinds.TYPE_SINT64, kinds.TYPE_SFIXED64):
            return {"type": ["string", "integer"], "format": "int64"}
        if field.type in (kinds.TYPE_UINT64, kinds.TYPE_FIXED64):
            return {"type": ["string", "integer"], "format": "uint64"}
        if field.type in (kinds.TYPE_INT32, kinds.TYPE_SINT32, kinds.TYPE_SFIXED32):
            return {"type": "integer", "format": "int32"}
        if field.type in (kinds.TYPE_UINT32, kinds.TYPE_FIXED32):
            return {"type": "integer", "minimum": 0, "maximum": 4294967295}
        if field.type in (kinds.TYPE_FLOAT, kinds.TYPE_DOUBLE):
            return {"type": "number"}
        if field.type == kinds.TYPE_BOOL:
            return {"type": "boolean"}
        if field.type == kinds.TYPE_ENUM:
            return {"$ref": self.prefix + self.enum(field.type_name[1:])}
        if field.type == kinds.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": "string"}

    def enum(self, full_name):
        name = component(full_name)
        self.made.setdefault(name, {"type": "string", "enum": self.enums[full_name]})
        return name

    def field(self, field):
        if field.type != field.TYPE_MESSAGE:
            schema = self.scalar(field)
        else:
            message = self.messages[field.type_name[1:]]
            if message.map_entry:
                return {"type": "object",
                        "additionalProperties": self.field(message.fields["value"])}
            if message.full_name == "google.protobuf.Timestamp":
                schema = {"type": "string", "format": "date-time"}
            else:
                schema = {"$ref": self.prefix + self.message(message)}
        if field.label == field.LABEL_REPEATED:
            return {"type": "array", "items": schema}
        return schema

    def properties(self, message, without=()):
        out = {}
        for name, field in message.fields.items():
            if name in without:
                continue
            schema = dict(self.field(field))
            if message.comments.get(name):
                schema["description"] = message.comments[name]
            out[camel(name)] = schema
        return out

    def message(self, message):
        name = component(message.full_name)
        if name not in self.made:
            self.made[name] = {}
            schema = {"type": "object", "properties": self.properties(message)}
            if message.comment:
                schema["description"] = message.comment
            self.made[name] = schema
        return name


def parameter(name, where, schema, description="", required=False):
    out = {"name": name, "in": where, "schema": schema}
    if description:
        out["description"] = description
    if required:
        out["required"] = True
    return out


def query_parameters(schemas, message, without, prefix=""):
    for name, field in message.fields.items():
        if name in without:
            continue
        if name == "page_size":
            yield parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200},
                            "how many at most")
        elif name == "page_token":
            yield parameter("cursor", "query", {"type": "string"}, "from Link: rel=\"next\"")
        elif field.type == field.TYPE_MESSAGE:
            if field.label != field.LABEL_REPEATED:
                yield from query_parameters(schemas, schemas.messages[field.type_name[1:]], (),
                                            f"{prefix}{camel(name)}.")
        else:
            yield parameter(prefix + camel(name), "query", schemas.field(field),
                            message.comments.get(name, ""))


def header_parameters(route, method):
    if route["writes"]:
        yield parameter("Idempotency-Key", "header",
                        {"type": "string", "minLength": 1, "maxLength": 128,
                         "pattern": "^[!-~]+$"},
                        "yours, new for each new intention; a repeat gets the first answer",
                        route["method"] == "POST")
    if "expected_version" in method.request.fields:
        yield parameter("If-Match", "header", {"type": "string"},
                        "the ETag of the version that this changes", route["method"] != "POST")
    if route["method"] == "GET":
        yield parameter("If-None-Match", "header", {"type": "string"})
    yield parameter("Accept-Language", "header", {"type": "string"}, "sv, fi or en")


def error_codes(route, method):
    codes = list(ALWAYS)
    if "ANYONE" not in method.roles:
        codes += ["UNAUTHENTICATED", "PERMISSION_DENIED"]
    else:
        codes += ["UNAUTHENTICATED"]
    if VARIABLE.search(route["path"]) or route["writes"]:
        codes += ["NOT_FOUND"]
    if route["method"] != "GET":
        codes += ["TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"]
    if route["writes"]:
        codes += ["ALREADY_EXISTS", "KEY_REUSED", "PERMISSION_DENIED", "STORAGE_FULL"]
    if "expected_version" in method.request.fields:
        codes += ["VERSION_MISMATCH", "PRECONDITION_REQUIRED"]
    return codes


def problem_responses(names, codes):
    statuses = {codes[name]["status"] for name in names}
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"}
            for status in sorted(statuses)}


def problem_components(codes):
    by_status = {}
    for name, code in codes.items():
        by_status.setdefault(code["status"], []).append(f"{name}: {code['meaning']}")
    return {f"Problem{status}": {
        "description": "; ".join(texts),
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"}}}}
        for status, texts in sorted(by_status.items())}


def text_header(description):
    return {"description": description, "schema": {"type": "string"}}


def success(route, method, schemas):
    headers = {}
    if method.resource_field() or route["method"] == "GET":
        headers["ETag"] = text_header("the version, for If-Match and If-None-Match")
    if "next_page_token" in method.reply.fields:
        headers["Link"] = text_header("rel=\"first\" and, while there are more, rel=\"next\"")
    if route["method"] == "GET":
        headers["Samverka-Position"] = text_header("of the event log before the query")
    if route["location"]:
        headers["Location"] = text_header("of what was made")
    if route["writes"]:
        headers["Idempotency-Replayed"] = text_header("true: the answer to an earlier request")
    content = {"application/json": {
        "schema": {"$ref": f"#/components/schemas/{schemas.message(method.reply)}"}}}
    made = route["location"] is not None
    out = {"description": "It is made." if made else "It worked.", "content": content}
    if headers:
        out["headers"] = headers
    responses = {"201" if made else "200": out}
    if route["method"] == "GET":
        responses["304"] = {"description": "You have it already."}
    return responses


def rpc_operation(route, method, schemas, codes):
    variables = VARIABLE.findall(route["path"])
    without = set(variables)
    takes_body = route["method"] in ("POST", "PUT", "PATCH")
    if route["method"] != "POST":
        without |= {"expected_version", "update_fields"}
    parameters = [parameter(name, "path", schemas.field(method.request.fields[name]),
                            method.request.comments.get(name, ""), True) for name in variables]
    parameters += header_parameters(route, method)
    operation = {
        "operationId": method.short_name[0].lower() + method.short_name[1:],
        "tags": [method.service],
        "summary": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", method.short_name).capitalize(),
        "description": " ".join(filter(None, [
            method.comment, f"Roles: {', '.join(r for r in method.roles if r != 'SERVICE')}."])),
        "parameters": parameters,
        "responses": {**success(route, method, schemas),
                      **problem_responses(error_codes(route, method), codes)},
        "security": [{"session": []}, {"bearer": []}] + ([{}] if "ANYONE" in method.roles else []),
    }
    if takes_body:
        operation["requestBody"] = {"required": bool(schemas.properties(method.request, without)),
                                    "content": {"application/json": {"schema": {
                                        "type": "object", "additionalProperties": False,
                                        "properties": schemas.properties(method.request,
                                                                         without)}}}}
    else:
        parameters += query_parameters(schemas, method.request, without)
    return operation


def own_operation(route, schemas, codes):
    own = OWN[route["own"]]
    responses = {}
    for status, kind in own["statuses"].items():
        responses[str(status)] = {"description": "It worked."}
        if kind:
            media, schema = CONTENT[kind]
            responses[str(status)]["content"] = {media: {"schema": schema}}
    if 200 in own["statuses"] and own["tag"] in ("Pages", "Operations",
                                                          "Schemas"):
        responses["304"] = {"description": "You have it already."}
    names = own["errors"] + (ALWAYS if own["tag"] != "Pages" else ["RESOURCE_EXHAUSTED"])
    operation = {
        "operationId": camel(route["own"]), "tags": [own["tag"]], "summary": own["summary"],
        "parameters": [parameter(name, "path", {"type": "string"}, "", True)
                       for name in VARIABLE.findall(route["path"])] +
                      [parameter(name, "query", schema, text)
                       for name, schema, text in own.get("parameters", ())],
        "responses": {**responses, **problem_responses(names, codes)},
        "security": [{"session": []}, {"bearer": []}] + (
            [] if route["access"] == "SIGNED_IN" else [{}]),
    }
    if route["own"] == "events_stream":
        operation["parameters"].append(parameter("Last-Event-ID", "header", {"type": "string"},
                                                 "the last position you have"))
    operation["parameters"] += [parameter(name, "header", schema, text)
                                for name, schema, text in own.get("headers", ())]
    if "bodies" in own:
        operation["requestBody"] = {"required": True, "content": {
            media: {"schema": {"$ref": f"#/components/schemas/{kind}"} if kind else {}}
            for media, kind in own["bodies"].items()}}
    if "body" in own:
        name = schemas.message(schemas.messages[own["body"]])
        operation["requestBody"] = {"required": True, "content": {"application/json": {
            "schema": {"$ref": f"#/components/schemas/{name}"}}}}
    return operation


def fixed_schemas(codes):
    text = {"type": "string"}
    return {
        "Problem": {
            "type": "object", "description": "RFC 9457.",
            "required": ["type", "title", "status", "detail", "instance", "code", "trace_id",
                         "request_id"],
            "properties": {
                "type": {"type": "string", "format": "uri", "description": "a page that explains"},
                "title": {**text, "description": "in your language"},
                "status": {"type": "integer"}, "detail": text, "instance": text,
                "code": {"type": "string", "enum": sorted(codes)},
                "errors": {"type": "array", "items": {
                    "type": "object", "required": ["pointer", "detail"],
                    "properties": {"pointer": {**text, "description": "RFC 6901, or the name of a "
                                                                      "header or parameter"},
                                   "detail": text}}},
                "trace_id": text, "request_id": text,
                "retry_after": {"type": "integer", "description": "seconds"}}},
        "CloudEvent": {
            "type": "object", "description": "CloudEvents 1.0, structured.",
            "required": ["specversion", "id", "source", "type", "sequence"],
            "properties": {"specversion": {"const": "1.0"}, "id": text, "source": text,
                           "type": text, "subject": text,
                           "time": {"type": "string", "format": "date-time"},
                           "datacontenttype": text,
                           "sequence": {**text, "description": "the position, 19 digits"},
                           "tenantsequence": text, "tenantid": text, "audience": text,
                           "originsequence": {
                               **text, "description": "only on an event of another deployment: "
                                                      "its sequence there"},
                           "traceparent": text, "correlationid": text, "data": {"type": "object"}},
            "additionalProperties": True},
        "NewCloudEvent": {
            "type": "object", "description": "CloudEvents 1.0, structured: at most 16 KiB. sequence, "
                                             "tenantsequence, tenantid, audience and "
                                             "originsequence are the log's to give.",
            "required": ["specversion", "id", "source", "type"],
            "properties": {"specversion": {"const": "1.0"}, "id": text, "source": text,
                           "type": text, "subject": text,
                           "time": {"type": "string", "format": "date-time"},
                           "datacontenttype": text, "dataschema": text,
                           "programme": {**text, "description": "code of a programme"},
                           "nuts": {**text, "description": "region"},
                           "esco": {**text, "description": "concepts, comma-separated"},
                           "data": {}, "data_base64": {**text, "contentEncoding": "base64"}},
            "additionalProperties": {"type": ["string", "integer", "boolean", "null"]}},
        "NewCloudEventBatch": {"type": "array", "minItems": 1, "maxItems": 1000,
                               "items": {"$ref": "#/components/schemas/NewCloudEvent"}},
        "Session": {
            "type": "object",
            "properties": {"principal": {"$ref": "#/components/schemas/wire.Principal"},
                           "expiresUnixMs": text, "language": text, "displayName": text}},
    }


def make(routes, methods, codes, version):
    any_method = next(iter(methods.values()))
    schemas = Schemas(any_method.messages, any_method.enums)
    schemas.message(schemas.messages["wire.v1.Principal"])
    paths, tags = {}, {}
    for route in routes:
        if "rpc" in route:
            method = methods[route["rpc"]]
            operation = rpc_operation(route, method, schemas, codes)
            tags.setdefault(method.service, method.service_comment)
        else:
            operation = own_operation(route, schemas, codes)
            tags.setdefault(OWN[route["own"]]["tag"], "")
        paths.setdefault(route["path"], {})[route["method"].lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Samverka", "version": version,
                 "description": "Partnerships between universities and society."},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, **({"description": text} if text else {})}
                 for name, text in tags.items()],
        "paths": paths,
        "webhooks": openapi_webhooks.section(),
        "components": {
            "schemas": {**dict(sorted(schemas.made.items())), **fixed_schemas(codes)},
            "responses": problem_components(codes),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-samverka",
                            "description": "set by POST /v1/session; on http and loopback its name "
                                           "is samverka"},
                "bearer": {"type": "http", "scheme": "bearer",
                           "description": "of an enrolled system"}}},
    }


def to_text(document):
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"

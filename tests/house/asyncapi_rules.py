"""What AsyncAPI 3.0 asks of the parts that we use, strictly: problems(document) -> texts.

Written from the specification; a member that it does not know is a problem, so that nothing gets
into the document unseen.
"""

import re

import jsonschema

TEXT, LIST, MAP = str, list, dict
NAME = re.compile(r"[a-zA-Z0-9._-]+")
VARIABLE = re.compile(r"\{(\w+)\}")
PROTOBUF = "application/vnd.google.protobuf;version=3"
# Kind -> (members it must have, members it may have besides x-...)
MEMBERS = {
    "document": ({"asyncapi": TEXT, "info": MAP},
                 {"id": TEXT, "servers": MAP, "defaultContentType": TEXT, "channels": MAP,
                  "operations": MAP, "components": MAP}),
    "info": ({"title": TEXT, "version": TEXT},
             {"description": TEXT, "termsOfService": TEXT, "contact": MAP, "license": MAP,
              "tags": LIST, "externalDocs": MAP}),
    "server": ({"host": TEXT, "protocol": TEXT},
               {"protocolVersion": TEXT, "pathname": TEXT, "description": TEXT, "title": TEXT,
                "summary": TEXT, "variables": MAP, "security": LIST, "tags": LIST,
                "externalDocs": MAP, "bindings": MAP}),
    "variable": ({}, {"enum": LIST, "default": TEXT, "description": TEXT, "examples": LIST}),
    "channel": ({}, {"address": (str, type(None)), "messages": MAP, "title": TEXT,
                     "summary": TEXT, "description": TEXT, "servers": LIST, "parameters": MAP,
                     "tags": LIST, "externalDocs": MAP, "bindings": MAP}),
    "operation": ({"action": TEXT, "channel": MAP},
                  {"title": TEXT, "summary": TEXT, "description": TEXT, "security": LIST,
                   "tags": LIST, "externalDocs": MAP, "bindings": MAP, "traits": LIST,
                   "messages": LIST, "reply": MAP}),
    "reply": ({}, {"address": MAP, "channel": MAP, "messages": LIST}),
    "message": ({}, {"headers": MAP, "payload": MAP, "correlationId": MAP, "contentType": TEXT,
                     "name": TEXT, "title": TEXT, "summary": TEXT, "description": TEXT,
                     "tags": LIST, "externalDocs": MAP, "bindings": MAP, "examples": LIST,
                     "traits": LIST}),
    "correlation": ({"location": TEXT}, {"description": TEXT}),
    "components": ({}, {"schemas": MAP, "messages": MAP, "securitySchemes": MAP}),
    "httpBinding": ({"method": TEXT, "bindingVersion": TEXT}, {"query": MAP}),
    "format": ({"schemaFormat": TEXT, "schema": TEXT}, {}),
}
SECURITY = {
    "asymmetricEncryption": ({"type": TEXT}, {"description": TEXT}),
    "http": ({"type": TEXT, "scheme": TEXT}, {"description": TEXT, "bearerFormat": TEXT}),
    "httpApiKey": ({"type": TEXT, "name": TEXT, "in": TEXT}, {"description": TEXT}),
}


class Checker:
    def __init__(self, document):
        self.document = document
        self.problems = []
        self.referred = set()

    def tell(self, place, text):
        self.problems.append(f"{place}: {text}")

    def members(self, place, value, rules):
        must, may = rules
        if not isinstance(value, dict):
            self.tell(place, "is no object")
            return False
        for name in must.keys() - value.keys():
            self.tell(place, f"has no {name}")
        for name, member in value.items():
            kind = {**must, **may}.get(name)
            if kind is None and not name.startswith("x-"):
                self.tell(place, f"knows no {name}")
            elif kind is not None and not isinstance(member, kind):
                self.tell(f"{place}/{name}", "has the wrong type")
        return True

    def resolve(self, place, value, start="#/"):
        """What a Reference Object points at; None after a complaint."""
        target = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(target, str) or len(value) != 1:
            self.tell(place, "is no reference")
            return None
        if not target.startswith(start):
            self.tell(place, f"{target} does not point into {start}")
            return None
        self.referred.add(target)
        at = self.document
        for part in target.removeprefix("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or part not in at:
                self.tell(place, f"{target} leads nowhere")
                return None
            at = at[part]
        return at

    def names(self, place, value):
        for name in value:
            if not NAME.fullmatch(name):
                self.tell(place, f"{name!r} is no name")

    def schema(self, place, value):
        if isinstance(value, dict) and "schemaFormat" in value:
            self.members(place, value, MEMBERS["format"])
            if value["schemaFormat"] != PROTOBUF:
                self.tell(place, f"the format {value['schemaFormat']} is not known")
            return
        try:
            jsonschema.Draft7Validator.check_schema(value)
        except jsonschema.SchemaError as error:
            self.tell(place, f"is no schema: {error.message}")
        self.references_inside(place, value)

    def references_inside(self, place, value):
        if isinstance(value, dict):
            if "$ref" in value:
                kept = {"$ref": value["$ref"]}  # a description may stand beside it
                self.resolve(place, kept, "#/components/schemas/")
            for name, inside in value.items():
                self.references_inside(f"{place}/{name}", inside)
        elif isinstance(value, list):
            for index, inside in enumerate(value):
                self.references_inside(f"{place}/{index}", inside)

    def bindings(self, place, value):
        for protocol, binding in value.items():
            if protocol == "http":
                self.members(f"{place}/http", binding, MEMBERS["httpBinding"])
                if binding.get("method") not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                    self.tell(f"{place}/http", "has no method of HTTP")
                if "query" in binding:
                    self.schema(f"{place}/http/query", binding["query"])
                    if binding["query"].get("type") != "object":
                        self.tell(f"{place}/http/query", "is not of type object")
            elif not protocol.startswith("x-"):
                self.tell(place, f"knows no binding {protocol}")
            self.extension_references(f"{place}/{protocol}", binding)

    def extension_references(self, place, value):
        """In our own extensions references must lead somewhere too."""
        if isinstance(value, dict):
            if "$ref" in value:
                self.resolve(place, value)
            for name, inside in value.items():
                self.extension_references(f"{place}/{name}", inside)
        elif isinstance(value, list):
            for index, inside in enumerate(value):
                self.extension_references(f"{place}/{index}", inside)

    def message(self, place, value):
        if not self.members(place, value, MEMBERS["message"]):
            return
        for part in ("headers", "payload"):
            if part in value:
                self.schema(f"{place}/{part}", value[part])
        if "correlationId" in value:
            self.members(f"{place}/correlationId", value["correlationId"], MEMBERS["correlation"])
            if not re.match(r"\$message\.(header|payload)#/.",
                            value["correlationId"].get("location", "")):
                self.tell(f"{place}/correlationId", "is no runtime expression")
        self.bindings(f"{place}/bindings", value.get("bindings", {}))

    def server(self, place, value):
        if not self.members(place, value, MEMBERS["server"]):
            return
        used = set(VARIABLE.findall(value.get("host", "") + value.get("pathname", "")))
        if used != value.get("variables", {}).keys():
            self.tell(place, "its variables and those of its host differ")
        if "/" in value.get("host", ""):
            self.tell(place, "a host holds no path and no scheme")
        for name, variable in value.get("variables", {}).items():
            self.members(f"{place}/variables/{name}", variable, MEMBERS["variable"])
        for index, one in enumerate(value.get("security", [])):
            self.resolve(f"{place}/security/{index}", one, "#/components/securitySchemes/")

    def channel(self, place, value):
        if not self.members(place, value, MEMBERS["channel"]):
            return
        if set(VARIABLE.findall(str(value.get("address")))) != value.get("parameters", {}).keys():
            self.tell(place, "its parameters and those of its address differ")
        self.names(place, value.get("messages", {}))
        for name, one in value.get("messages", {}).items():
            self.resolve(f"{place}/messages/{name}", one, "#/components/messages/")
        for index, one in enumerate(value.get("servers", [])):
            self.resolve(f"{place}/servers/{index}", one, "#/servers/")
        self.bindings(f"{place}/bindings", value.get("bindings", {}))

    def messages_of(self, place, value):
        """The messages of an operation or a reply belong to its channel."""
        self.resolve(f"{place}/channel", value.get("channel"), "#/channels/")
        channel = (value.get("channel") or {}).get("$ref", "#/channels/?")
        for index, one in enumerate(value.get("messages", [])):
            self.resolve(f"{place}/messages/{index}", one, f"{channel}/messages/")

    def operation(self, place, value):
        if not self.members(place, value, MEMBERS["operation"]):
            return
        if value.get("action") not in ("send", "receive"):
            self.tell(place, "an action is send or receive")
        self.messages_of(place, value)
        if "reply" in value:
            self.members(f"{place}/reply", value["reply"], MEMBERS["reply"])
            self.messages_of(f"{place}/reply", value["reply"])
        self.bindings(f"{place}/bindings", value.get("bindings", {}))
        self.extension_references(place, {name: inside for name, inside in value.items()
                                          if name.startswith("x-")})

    def security(self, place, value):
        rules = SECURITY.get(value.get("type"))
        if rules is None:
            self.tell(place, f"the type {value.get('type')} is not known")
            return
        self.members(place, value, rules)
        if value["type"] == "httpApiKey" and value.get("in") not in ("query", "header", "cookie"):
            self.tell(place, "stands in a query, a header or a cookie")

    def check(self):
        document = self.document
        self.members("#", document, MEMBERS["document"])
        if document.get("asyncapi") != "3.0.0":
            self.tell("#/asyncapi", "is not 3.0.0")
        self.members("#/info", document.get("info"), MEMBERS["info"])
        components = document.get("components", {})
        self.members("#/components", components, MEMBERS["components"])
        groups = [("servers", document, self.server), ("channels", document, self.channel),
                  ("operations", document, self.operation), ("messages", components, self.message),
                  ("schemas", components, self.schema),
                  ("securitySchemes", components, self.security)]
        for name, holder, check in groups:
            place = f"#/{name}" if holder is document else f"#/components/{name}"
            self.names(place, holder.get(name, {}))
            for key, value in holder.get(name, {}).items():
                check(f"{place}/{key}", value)
        for name in components.get("messages", {}):
            if f"#/components/messages/{name}" not in self.referred:
                self.tell(f"#/components/messages/{name}", "is used nowhere")
        return self.problems


def problems(document):
    return Checker(document).check()

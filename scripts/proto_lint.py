"""The rules of proto/README.md, one function each, over the descriptors of the contract."""

import re

OFFICIAL = ("io/", "google/")  # standards, taken as they are
C_KEYWORDS = set("""auto break case char const continue default do double else enum extern float
for goto if inline int long register restrict return short signed sizeof static struct switch
typedef union unsigned void volatile while asm typeof""".split())
EVENT_TYPE = re.compile(r"org\.samverka(\.[a-z][a-z0-9_]*)+\.v[0-9]+")
NOT_OURS = (".google.protobuf.Timestamp", ".google.protobuf.Duration", ".google.protobuf.Struct",
            ".google.protobuf.Any")


def type_name(field):
    """"uint64", or the full name of the message or enum."""
    from google.protobuf import descriptor_pb2
    scalar = descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)[len("TYPE_"):].lower()
    return field.type_name.lstrip(".") if field.type_name else scalar


def messages(prefix, items):
    for item in items:
        name = f"{prefix}.{item.name}"
        yield name, item
        yield from messages(name, item.nested_type)


def enums(file):
    for item in file.enum_type:
        yield f"{file.package}.{item.name}", item
    for name, message in messages(file.package, file.message_type):
        for item in message.enum_type:
            yield f"{name}.{item.name}", item


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def check_files(ours):
    for file in ours:
        folder = file.name.rsplit("/", 1)[0]
        if file.package != folder.replace("/", "."):
            yield f"{file.name}: package {file.package} does not stand in its folder"
        if file.syntax != "proto3":
            yield f"{file.name}: not proto3"


def check_rpcs(ours, events):
    users = {}
    for file in ours:
        for service in file.service:
            for rpc in service.method:
                where = f"{file.name}: {service.name}/{rpc.name}"
                if snake(rpc.name) in C_KEYWORDS:
                    yield f"{where}: named like a C keyword; protobuf-c would not compile"
                if rpc.client_streaming or rpc.server_streaming:
                    yield f"{where}: streams do not exist here; see events/v1/stream.proto"
                if service.name == "Inbox":
                    yield from check_heard(where, rpc, events)
                    continue
                for kind, type_ in (("Request", rpc.input_type), ("Reply", rpc.output_type)):
                    if type_ != f".{file.package}.{rpc.name}{kind}":
                        yield f"{where}: takes or gives {type_}, not {rpc.name}{kind}"
                    users.setdefault(type_, []).append(where)
    for type_, places in users.items():
        if len(places) > 1:
            yield f"{places[1]}: {type_} belongs to {places[0]} already"


def check_heard(where, rpc, events):
    heard = rpc.input_type.lstrip(".")
    if heard not in events:
        yield f"{where}: {heard} is no event (it has no (wire.v1.event))"
    if heard.rsplit(".", 1)[-1] != rpc.name:
        yield f"{where}: an inbox names its rpcs after the events"
    if rpc.output_type != ".wire.v1.Ack":
        yield f"{where}: a listener answers wire.v1.Ack"


def check_options(ours, options):
    for file in ours:
        for service in file.service:
            for rpc in service.method:
                if service.name == "Inbox":
                    continue
                rule = rpc.options.Extensions[options.rpc]
                if not rule.roles or not rule.transaction:
                    yield (f"{file.name}: {service.name}/{rpc.name}: (wire.v1.rpc) with roles and"
                           " transaction is missing")
                if options.ROLE_UNSPECIFIED in rule.roles:
                    yield f"{file.name}: {service.name}/{rpc.name}: ROLE_UNSPECIFIED is no role"


def check_enums(ours):
    for file in ours:
        for name, enum in enums(file):
            zero = [value.name for value in enum.value if value.number == 0]
            if name != "wire.v1.Code" and not zero[0].endswith("_UNSPECIFIED"):
                yield f"{file.name}: {name}: zero is {zero[0]}, not ..._UNSPECIFIED"
            if enum.options.allow_alias:
                yield f"{file.name}: {name}: two names for one number"


def check_fields(ours):
    for file in ours:
        for name, message in messages(file.package, file.message_type):
            for field in message.field:
                where = f"{file.name}: {name}.{field.name}"
                if field.proto3_optional:
                    yield f"{where}: protoc-c refuses proto3 optional; use oneof or a wrapper"
                if field.type_name in NOT_OURS:
                    yield f"{where}: {field.type_name} is not used here; times are ..._unix_ms"
                if field.name.endswith("_unix_ms") and field.type != field.TYPE_UINT64:
                    yield f"{where}: a time is uint64"
                if field.name != snake(field.name):
                    yield f"{where}: names are lower_case"


def graph(files):
    """Full name -> [(field, full name of its message type)]"""
    edges = {}
    for file in files:
        for name, message in messages(file.package, file.message_type):
            edges[name] = [(field, field.type_name.lstrip(".")) for field in message.field
                           if field.type == field.TYPE_MESSAGE]
    return edges


def reach(edges, start):
    """Every message that `start` reaches, with the path of fields that leads there."""
    paths = {}
    waiting = [(target, field.name) for field, target in edges.get(start, ())]
    while waiting:
        name, path = waiting.pop()
        if name in paths:
            continue
        paths[name] = path
        waiting += [(target, f"{path}.{field.name}") for field, target in edges.get(name, ())]
    return paths


def check_recursion(ours, edges):
    for file in ours:
        for name, _ in messages(file.package, file.message_type):
            path = reach(edges, name).get(name)
            if path:
                yield f"{file.name}: {name} contains itself by {path}"


def personal_fields(files, options):
    found = {}
    for file in files:
        for name, message in messages(file.package, file.message_type):
            found[name] = [field.name for field in message.field
                           if field.options.Extensions[options.personal]]
    return found


def event_types(files, options):
    """Full name -> its (wire.v1.event)"""
    return {name: message.options.Extensions[options.event]
            for file in files for name, message in messages(file.package, file.message_type)
            if message.options.HasExtension(options.event)}


def check_events(events, edges, personal):
    types = {}
    for name, event in events.items():
        if not EVENT_TYPE.fullmatch(event.type):
            yield f"{name}: its type {event.type!r} is not org.samverka.<thing>.<happened>.v1"
        if event.type in types:
            yield f"{name}: {types[event.type]} has the type {event.type} already"
        types[event.type] = name
        for target, path in [(name, ""), *reach(edges, name).items()]:
            for field in personal.get(target, ()):
                steps = ".".join(step for step in (path, field) if step)
                yield f"{name}: an event reaches personal data by {steps}"


def lint(files, contract, options):
    """`files` are all, with imports; `contract` those of proto/."""
    ours = [file for file in contract if not file.name.startswith(OFFICIAL)]
    events = event_types(ours, options)
    edges = graph(files)
    return [*check_files(ours), *check_rpcs(ours, events), *check_options(ours, options),
            *check_enums(ours), *check_fields(ours), *check_recursion(ours, edges),
            *check_events(events, edges, personal_fields(files, options))]

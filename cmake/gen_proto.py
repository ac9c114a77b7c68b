"""Generates C from the contract.

usage: gen_proto.py PROTO_ROOT OUT

Compiles the contract with stock protoc (so it stays readable by everyone), adds protobuf-c's own
options to a copy, runs protoc-c on it, and writes contract_options.c: the values of our own
options (rights, transactions, event types, personal data), which protoc-c drops.
"""

import pathlib
import subprocess
import sys

GOOGLE = ["google/protobuf/any.proto", "google/protobuf/timestamp.proto",
          "google/protobuf/descriptor.proto"]
PB_C = ('import "protobuf-c/protobuf-c.proto";\n'
        "option (pb_c_file).const_strings = true;\n"
        "option (pb_c_file).gen_pack_helpers = false;\n")


def run(*command):
    subprocess.run(command, check=True)


def copy_with_options(root: pathlib.Path, out: pathlib.Path, protos):
    for proto in protos:
        lines = (root / proto).read_text().splitlines()
        last = max((i for i, line in enumerate(lines)
                    if line.startswith(("import ", "package ", "syntax "))), default=0)
        lines.insert(last + 1, PB_C)
        target = out / proto
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines) + "\n")


def c_symbol(full_name: str) -> str:
    """protobuf-c's name of a message descriptor: registry.v1.NeedPublished ->
    registry__v1__need_published__descriptor."""
    parts = []
    for part in full_name.split("."):
        out = []
        for i, char in enumerate(part):
            if char.isupper() and i and part[i - 1] != "_" and not part[i - 1].isupper():
                out.append("_")
            out.append(char.lower())
        parts.append("".join(out))
    return "__".join(parts) + "__descriptor"


def load(desc: pathlib.Path):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    files = descriptor_pb2.FileDescriptorSet.FromString(desc.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    classes = {}
    factory = message_factory.MessageFactory(pool)
    for name in ("google.protobuf.MethodOptions", "google.protobuf.MessageOptions",
                 "google.protobuf.FieldOptions"):
        classes[name] = factory.GetPrototype(pool.FindMessageTypeByName(name))
    # An option whose own type has no class yet is parsed as an unknown field, without a word.
    for name in ("wire.v1.Rpc", "wire.v1.Event"):
        factory.GetPrototype(pool.FindMessageTypeByName(name))
    return files, pool, classes


def option(pool, classes, kind, options, extension):
    parsed = classes[kind].FromString(options.SerializeToString())
    ext = pool.FindExtensionByName(extension)
    for field, value in parsed.ListFields():
        if field.is_extension and field.full_name == ext.full_name:
            return value
    return None


def fields_with_personal(pool, classes, message):
    out = []
    for field in message.field:
        value = option(pool, classes, "google.protobuf.FieldOptions", field.options,
                       "wire.v1.personal")
        if value:
            out.append(field.name)
    return out


def messages(prefix, items):
    for item in items:
        name = f"{prefix}.{item.name}"
        yield name, item
        yield from messages(name, item.nested_type)


def write_options(out: pathlib.Path, protos):
    files, pool, classes = load(out / "contract.desc")
    rpcs, services, events, personal, errors = [], [], [], [], []
    for file in files.file:
        if file.name not in protos:
            continue
        for service in file.service:
            if service.name != "Inbox":
                services.append(f"{file.package}.{service.name}")
            for method in service.method:
                name = f"{file.package}.{service.name}/{method.name}"
                rpc = option(pool, classes, "google.protobuf.MethodOptions", method.options,
                             "wire.v1.rpc")
                if service.name == "Inbox":
                    continue  # events: the log decides who hears them
                if rpc is None or not rpc.roles or not rpc.transaction:
                    errors.append(f"{name}: an rpc needs roles and a transaction")
                    continue
                mask = 0
                for role in rpc.roles:
                    mask |= 1 << role
                rpcs.append((name, mask, rpc.transaction, rpc.attempt_ms or 400,
                             int(rpc.any_tenant)))
        for name, message in messages(file.package, file.message_type):
            event = option(pool, classes, "google.protobuf.MessageOptions", message.options,
                           "wire.v1.event")
            if event is not None:
                events.append((name, event.type, int(event.internal)))
            personal += [(name, field) for field in fields_with_personal(pool, classes, message)]
    if errors:
        sys.exit("\n".join(errors))
    rpcs.sort()
    lines = ["/* Made from proto/ by cmake/gen_proto.py. */", "",
             '#include "common/wire/contract.h"', ""]
    headers = sorted({proto.replace(".proto", ".pb-c.h") for proto in protos})
    lines += [f'#include "{header}"' for header in headers] + [""]
    lines.append("const struct contract_rpc contract_rpcs[] = {")
    lines += [f'    {{"{n}", {m}u, {t}, {a}, {x}}},' for n, m, t, a, x in rpcs]
    lines += ["};", "const size_t contract_rpc_count = sizeof contract_rpcs / sizeof contract_rpcs[0];", ""]
    lines.append("const ProtobufCServiceDescriptor *const contract_services[] = {")
    lines += [f"    &{c_symbol(name)}," for name in sorted(services)] + ["    0,"]
    lines += ["};", f"const size_t contract_service_count = {len(services)};", ""]
    lines.append("const struct contract_event contract_events[] = {")
    lines += [f'    {{&{c_symbol(n)}, "{t}", {i}}},' for n, t, i in events] + ["    {0, 0, 0},"]
    lines += ["};", f"const size_t contract_event_count = {len(events)};", ""]
    lines.append("const struct contract_personal contract_personal_fields[] = {")
    lines += [f'    {{"{n}", "{f}"}},' for n, f in personal] + ["    {0, 0},"]
    lines += ["};", f"const size_t contract_personal_count = {len(personal)};", ""]
    (out / "contract_options.c").write_text("\n".join(lines))


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    protos = sorted(str(p.relative_to(root)) for p in root.rglob("*.proto"))
    run("protoc", f"-I{root}", "-I/usr/include", "--include_imports",
        f"--descriptor_set_out={out}/contract.desc", *protos)
    copy = out / "proto"
    copy_with_options(root, copy, protos)
    run("protoc-c", f"-I{copy}", "-I/usr/include", f"--c_out={out}", *protos, *GOOGLE)
    write_options(out, protos)


main()

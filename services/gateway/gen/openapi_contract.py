"""The contract as gen_openapi.py needs it: methods, messages and their comments."""

import pathlib
import re
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

CODE = re.compile(r'CODE\((\w+), (\d+), (\d+), (\w+),\s*"([^"]*)"\)', re.S)


class Message:
    def __init__(self, full_name, proto, comments):
        self.full_name = full_name
        self.proto = proto
        self.fields = {field.name: field for field in proto.field}
        self.comments = comments  # of the fields, by name
        self.comment = comments.get("", "")
        self.map_entry = proto.options.map_entry


class Method:
    def __init__(self, name, service, proto, request, reply, rpc, comment):
        self.name = name
        self.service = service
        self.short_name = proto.name
        self.request = request
        self.reply = reply
        self.roles = rpc["roles"]
        self.transaction = rpc["transaction"]
        self.comment = comment
        self.messages = None

    def resource_field(self):
        """The reply's first singular message with a version: what ETag and Location are about."""
        for field in self.reply.proto.field:
            if field.type == field.TYPE_MESSAGE and field.label != field.LABEL_REPEATED:
                if "version" in self.messages[field.type_name[1:]].fields:
                    return field
        return None

    def resource(self):
        field = self.resource_field()
        return self.messages[field.type_name[1:]] if field else None


def compile_contract(root):
    protos = sorted(str(path.relative_to(root)) for path in root.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "contract.desc"
        subprocess.run(["protoc", f"-I{root}", "-I/usr/include", "--include_imports",
                        "--include_source_info", f"--descriptor_set_out={out}", *protos],
                       check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()), set(protos)


def one_line(location):
    text = location.leading_comments or location.trailing_comments
    return " ".join(text.split())


def comments_of(file):
    return {tuple(location.path): one_line(location)
            for location in file.source_code_info.location
            if location.leading_comments or location.trailing_comments}


def walk_messages(prefix, path, protos, comments):
    for index, proto in enumerate(protos):
        name = f"{prefix}.{proto.name}"
        here = path + (index,)
        own = {field.name: comments.get(here + (2, number), "")
               for number, field in enumerate(proto.field)}
        own[""] = comments.get(here, "")
        yield Message(name, proto, own)
        yield from walk_messages(name, here + (3,), proto.nested_type, comments)


def walk_enums(prefix, messages, enums):
    for proto in enums:
        yield f"{prefix}.{proto.name}", [value.name for value in proto.value]
    for message in messages:
        yield from walk_enums(f"{prefix}.{message.name}", message.nested_type, message.enum_type)


def rpc_options(files):
    """(roles, transaction) of a method's options, read with the contract's own extension."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    factory.GetPrototype(pool.FindMessageTypeByName("wire.v1.Rpc"))
    options_class = factory.GetPrototype(
        pool.FindMessageTypeByName("google.protobuf.MethodOptions"))
    roles = pool.FindEnumTypeByName("wire.v1.Role").values_by_number
    kinds = pool.FindEnumTypeByName("wire.v1.Transaction").values_by_number
    number = pool.FindExtensionByName("wire.v1.rpc").number

    def read(options):
        parsed = options_class.FromString(options.SerializeToString())
        for field, value in parsed.ListFields():
            if field.number == number:
                return {"roles": [roles[role].name for role in value.roles],
                        "transaction": kinds[value.transaction].name}
        return {"roles": [], "transaction": "NONE"}
    return read


def load(root):
    """Methods by name ("registry.v1.Needs/GetNeed"); each knows all messages and enums."""
    files, own = compile_contract(root)
    messages, enums, methods = {}, {}, {}
    for file in files.file:
        comments = comments_of(file)
        for message in walk_messages(file.package, (4,), file.message_type, comments):
            messages[message.full_name] = message
        enums.update(walk_enums(file.package, file.message_type, file.enum_type))
    read = rpc_options(files)
    for file in files.file:
        if file.name not in own:
            continue
        comments = comments_of(file)
        for number, service in enumerate(file.service):
            for index, proto in enumerate(service.method):
                name = f"{file.package}.{service.name}/{proto.name}"
                method = Method(name, service.name, proto, messages[proto.input_type[1:]],
                                messages[proto.output_type[1:]], read(proto.options),
                                comments.get((6, number, 2, index), ""))
                method.messages, method.enums = messages, enums
                method.service_comment = comments.get((6, number), "")
                methods[name] = method
    return methods


def load_codes(path):
    """name -> (HTTP status, retry, meaning)."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return {name: {"status": int(http), "retry": retry, "meaning": meaning}
            for name, _, http, retry, meaning in CODE.findall(text) if name != "OK"}

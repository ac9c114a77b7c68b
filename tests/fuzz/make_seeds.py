"""Makes the seeds of message_fuzz and head_fuzz from the contract: one good message of each kind
with every field set, and a few broken ones by hand.

usage: make_seeds.py PROTO_ROOT CORPUS_FOLDER

Seeds are named after what they are, so that running it again changes nothing else.
"""

import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ID = "0192d5b0-0000-7000-8000-000000000001"
HEAD = "wire.v1.RequestHead"


def load(root: pathlib.Path):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "contract.desc"
        protos = sorted(str(p.relative_to(root)) for p in root.rglob("*.proto"))
        subprocess.run(["protoc", f"-I{root}", "-I/usr/include", "--include_imports",
                        f"--descriptor_set_out={out}", *protos], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return files, pool


def fill(message, depth=0):
    """Sets every field; of a oneof the last one stays."""
    for field in message.DESCRIPTOR.fields:
        repeated = field.label == field.LABEL_REPEATED
        if field.message_type and field.message_type.GetOptions().map_entry:
            continue
        if field.message_type:
            if depth < 4:
                target = getattr(message, field.name)
                fill(target.add() if repeated else target, depth + 1)
                if not repeated:
                    target.SetInParent()
            continue
        value = {field.CPPTYPE_STRING: "å", field.CPPTYPE_BOOL: True,
                 field.CPPTYPE_ENUM: 1, field.CPPTYPE_DOUBLE: 0.5,
                 field.CPPTYPE_FLOAT: 0.5}.get(field.cpp_type, 300)
        if field.type == field.TYPE_BYTES:
            value = b"\x0a\x01x"
        if repeated:
            getattr(message, field.name).extend([value, value])
        else:
            setattr(message, field.name, value)


def names(files):
    """One message in eight of those that travel: enough for every kind of field."""
    found = set()
    for file in files.file:
        for service in file.service:
            for method in service.method:
                found |= {method.input_type[1:], method.output_type[1:]}
    return sorted(found)[::8] + ["io.cloudevents.v1.CloudEventBatch"]


def heads(factory, pool):
    make = factory.GetPrototype(pool.FindMessageTypeByName(HEAD))
    plain = make(id=ID, method="wire.v1.Admin/Ping", attempt=1, remaining_ms=1000, body=b"\x0a\x01x")
    full = make()
    full.CopyFrom(plain)
    full.idempotency_key = "key-1"
    full.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    full.language = "sv"
    full.principal.kind = 1
    full.principal.subject_id = "account"
    full.principal.tenant_id = ID
    full.principal.roles.extend([4, 13])
    packed = plain.SerializeToString()
    bare = packed[:packed.rindex(b"\x7a")]
    reply = factory.GetPrototype(pool.FindMessageTypeByName("wire.v1.ReplyHead"))
    return {
        "plain": packed,
        "full": full.SerializeToString(),
        "body-first": packed[len(bare):] + bare,
        "body-twice": packed + packed[len(bare):],
        "without-body": bare,
        "truncated": packed[:-2],
        "reply": reply(id=ID, code=5, detail="no such thing", field="a[0].b",
                       retry_after_ms=5, draining=True).SerializeToString(),
        "plain-reply": reply(id=ID).SerializeToString(),
        "endless-length": b"\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    }


BROKEN = {
    "bad-utf8": b"\x0a\x02\xc3\x28",
    "nul": b"\x0a\x03a\x00b",
    "group": b"\x0b\x0c",
    "overlong": b"\x18" + b"\xff" * 10 + b"\x01",
    "field-zero": b"\x00\x01",
    "wrong-type": b"\x1a\x01\x01",
    "unknown": b"\xfa\x01\x02\xff\x00",
}


def main():
    root, corpus = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files, pool = load(root)
    factory = message_factory.MessageFactory(pool)
    for name in names(files):
        message = factory.GetPrototype(pool.FindMessageTypeByName(name))()
        fill(message)
        path = corpus / "message_fuzz" / name
        path.write_bytes(name.encode() + b"\n" + message.SerializeToString())
    for name, data in BROKEN.items():
        (corpus / "message_fuzz" / name).write_bytes(data)
    for name, data in heads(factory, pool).items():
        (corpus / "head_fuzz" / name).write_bytes(data)


main()

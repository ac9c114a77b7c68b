"""The gateway's JSON mapper against Python's json_format: random messages both ways.

The mapper runs as `json_tool` (tests/contract/json_tool.c), which takes and gives frames.
"""

import json
import os
import pathlib
import random
import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = "gateway.test.v1.Sample"
INVALID_ARGUMENT = 3
ROUNDS = int(os.environ.get("SAMVERKA_TEST_JSON_ROUNDS", "400"))


def tool_path():
    build = os.environ.get("SAMVERKA_TEST_BUILD")
    candidates = [pathlib.Path(build or ROOT / "build/release")]
    for folder in candidates:
        path = folder / "test" / "json_tool"
        if path.exists():
            return path
    pytest.fail("json_tool is not built; set SAMVERKA_TEST_BUILD to the build folder")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Every message of the contract and the sample, from the protos alone."""
    out = tmp_path_factory.mktemp("json") / "all.desc"
    protos = [str(p.relative_to(ROOT / "proto")) for p in (ROOT / "proto").rglob("*.proto")]
    subprocess.run(["protoc", f"-I{ROOT}/proto", f"-I{ROOT}/common/json", "-I/usr/include",
                    "--include_imports", f"--descriptor_set_out={out}", *protos,
                    "json_test.proto"], check=True)
    made = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        made.Add(file)
    return made


class Mapper:
    def __init__(self):
        self.process = subprocess.Popen([tool_path()], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def _ask(self, direction, name, payload):
        name = name.encode()
        self.process.stdin.write(direction + struct.pack("<I", len(name)) + name +
                                 struct.pack("<I", len(payload)) + payload)
        self.process.stdin.flush()
        code, size = struct.unpack("<II", self.process.stdout.read(8))
        return code, self.process.stdout.read(size)

    def to_packed(self, name, text):
        return self._ask(b"r", name, text if isinstance(text, bytes) else text.encode())

    def to_json(self, name, packed):
        return self._ask(b"w", name, packed)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0


@pytest.fixture(scope="module")
def mapper():
    made = Mapper()
    yield made
    made.close()


def new(pool, name):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))()


CHARACTERS = ("abcXYZ019 _-.,/\\\"'{}[]:~\t\n\r\b\f\x01\x1f\x7f" "åäöÅÄÖßñ€" "\u2028\u2029\u200e\u202e"
              "😀🇫🇮" "\ufffd\uffff")


def random_text(rng):
    return "".join(rng.choice(CHARACTERS) for _ in range(rng.choice([0, 1, 3, 9, 40])))


def random_number(rng, bits, signed):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return rng.choice([0, 1, low, high, rng.randint(low, high), rng.randint(max(low, -99), 99)])


def random_scalar(rng, field):
    kinds = field
    if field.type in (kinds.TYPE_INT32, kinds.TYPE_SINT32, kinds.TYPE_SFIXED32):
        return random_number(rng, 32, True)
    if field.type in (kinds.TYPE_INT64, kinds.TYPE_SINT64, kinds.TYPE_SFIXED64):
        return random_number(rng, 64, True)
    if field.type in (kinds.TYPE_UINT32, kinds.TYPE_FIXED32):
        return random_number(rng, 32, False)
    if field.type in (kinds.TYPE_UINT64, kinds.TYPE_FIXED64):
        return random_number(rng, 64, False)
    if field.type == kinds.TYPE_FLOAT:
        value = rng.choice([0.0, 0.5, 1.1, -3.25e7, 1e-30, 3.4e38, rng.gauss(0, 1000)])
        return struct.unpack("<f", struct.pack("<f", value))[0]
    if field.type == kinds.TYPE_DOUBLE:
        return rng.choice([0.0, 0.1, 1e300, -1e-300, 5e-324, rng.gauss(0, 1e6), 2.0 ** 63])
    if field.type == kinds.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == kinds.TYPE_ENUM:
        return rng.choice([v.number for v in field.enum_type.values] + [4711])
    if field.type == kinds.TYPE_STRING:
        return random_text(rng)
    return bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 2, 3, 30])))


def fill_time(rng, message):
    message.seconds = rng.randint(-62135596800, 253402300799)
    message.nanos = rng.choice([0, 5 * 10 ** 8, 123456000, rng.randrange(10 ** 9)])


def fill_message(rng, message, depth):
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        fill_time(rng, message)
        return
    chosen = {o.name: rng.choice([None, *o.fields]) for o in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof and chosen[field.containing_oneof.name] is not field:
            continue
        if rng.random() < 0.3 and not field.containing_oneof:
            continue
        if field.label == field.LABEL_REPEATED:
            fill_list(rng, message, field, depth)
        elif field.type == field.TYPE_MESSAGE:
            if depth < 6:
                getattr(message, field.name).SetInParent()
                fill_message(rng, getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, random_scalar(rng, field))


def fill_list(rng, message, field, depth):
    target = getattr(message, field.name)
    entry = field.message_type if field.type == field.TYPE_MESSAGE else None
    for _ in range(rng.choice([0, 1, 2, 5])):
        if entry and entry.GetOptions().map_entry:
            key = random_scalar(rng, entry.fields_by_name["key"])
            value = entry.fields_by_name["value"]
            if value.type == value.TYPE_MESSAGE:
                fill_message(rng, target[key], depth + 1)
            else:
                target[key] = random_scalar(rng, value)
        elif entry:
            if depth < 6:
                fill_message(rng, target.add(), depth + 1)
        else:
            target.append(random_scalar(rng, field))


def contract_messages(pool):
    """Requests and replies of the public services."""
    names = []
    for path in sorted((ROOT / "proto").glob("*/v1/*.proto")):
        file = pool.FindFileByName(str(path.relative_to(ROOT / "proto")))
        for service in file.services_by_name.values():
            if service.name != "Inbox":
                for method in service.methods:
                    names += [method.input_type.full_name, method.output_type.full_name]
    return sorted(set(names))


def check_both_ways(pool, mapper, name, rng):
    message = new(pool, name)
    fill_message(rng, message, 0)
    packed = message.SerializeToString(deterministic=True)

    code, text = mapper.to_json(name, packed)
    assert code == 0, text
    theirs = json.loads(json_format.MessageToJson(message, including_default_value_fields=True,
                                                  descriptor_pool=pool))
    ours = json.loads(text)
    assert ours == theirs
    back = json_format.Parse(text, new(pool, name), descriptor_pool=pool)
    assert back == message

    for original_names in (False, True):
        source = json_format.MessageToJson(message, preserving_proto_field_name=original_names,
                                           descriptor_pool=pool)
        code, result = mapper.to_packed(name, source)
        assert code == 0, (result, source)
        read = new(pool, name)
        read.ParseFromString(result)
        assert read == message


def test_random_samples_are_mapped_as_json_format_maps_them(pool, mapper):
    for seed in range(ROUNDS):
        check_both_ways(pool, mapper, SAMPLE, random.Random(seed))


def test_every_message_of_the_contract_is_mapped_as_json_format_maps_it(pool, mapper):
    names = contract_messages(pool)
    assert len(names) > 50
    for name in names:
        for seed in range(3):
            check_both_ways(pool, mapper, name, random.Random(f"{name}/{seed}"))


WRONG = [
    ("{", ""), ("[7]", ""), ("{}x", ""), ("nul", ""), ("{'text':1}", ""),
    ('{"text":1}', "/text"), ('{"text":"a","text":"b"}', "/text"),
    ('{"anInt32":2147483648}', "/anInt32"), ('{"anInt32":1.5}', "/anInt32"),
    ('{"aUint64":"-1"}', "/aUint64"), ('{"aBool":1}', "/aBool"), ('{"colour":"PINK"}', "/colour"),
    ('{"leaf":7}', "/leaf"), ('{"leaf":{"nme":""}}', "/leaf/nme"),
    ('{"leaves":[{},{"bigNumber":"x"}]}', "/leaves/1/bigNumber"),
    ('{"byNumber":{"one":{}}}', "/byNumber/one"), ('{"byText":{"a":1}}', "/byText/a"),
    ('{"at":"yesterday"}', "/at"), ('{"numbers":[1,null]}', "/numbers/1"),
    ('{"choiceText":"a","choiceBool":true}', "/choiceBool"),
]


@pytest.mark.parametrize("text,pointer", WRONG)
def test_what_json_format_refuses_we_refuse_and_name_the_place(pool, mapper, text, pointer):
    with pytest.raises(json_format.ParseError):
        json_format.Parse(text, new(pool, SAMPLE), descriptor_pool=pool)
    code, told = mapper.to_packed(SAMPLE, text)
    assert code == INVALID_ARGUMENT
    place, reason = told.decode().split("\n", 1)
    assert place == pointer
    assert reason


# Stricter than json_format on purpose.
STRICTER = [(b'{"text":"\xff"}', "/text"), (b'{"text":"\\ud800"}', "/text"),
            (b'{"text":"\\u0000"}', "/text"), (b'{"aDouble":NaN}', "/aDouble"),
            (b'{"aDouble":"Infinity"}', "/aDouble"), (b'{"anInt32":" 1"}', "/anInt32"),
            (b'{"data":"A"}', "/data"), (b'{"data":"*"}', "/data"), (b"[]", ""), (b'\xef\xbb\xbf{}', "")]


@pytest.mark.parametrize("text,pointer", STRICTER)
def test_text_that_is_not_exact_is_refused(mapper, text, pointer):
    code, told = mapper.to_packed(SAMPLE, text)
    assert code == INVALID_ARGUMENT
    assert told.decode().split("\n", 1)[0] == pointer

"""Golden events: every event type with every field set, as it lies in the log and as it is in JSON.

tests/golden/events/<type>/<n>.bin is a packed io.cloudevents.v1.CloudEvent, <n>.json the same over
HTTP; tests/golden/events.json holds their digests.  Files are added, when a type or a field is new,
and never changed: what was published must be read for ever.
"""

import base64
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib

import house
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

FOLDER = "tests/golden/events"
INDEX = "tests/golden/events.json"
ENVELOPE = "io.cloudevents.v1.CloudEvent"
ENVELOPE_FILE = "io/cloudevents/v1/cloudevents.proto"
ROOT = "https://samverka.example"
TIME_S = 1795996800  # 2026-11-30
VARIANTS_MAX = 64
# What outbox_put and the sequencer put beside the data: name -> text.
ATTRIBUTES = {
    "datacontenttype": "application/protobuf",
    "partitionkey": "nyckel åäö",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "correlationid": "01938a5b-7c00-7000-8000-0000000000c0",
    "programme": "KTP",
    "organisationtype": "COMPANY",
    "nuts": "SE312",
    "nace": "62.01",
    "iscedf": "0613",
    "esco": "http://data.europa.eu/esco/skill/1,http://data.europa.eu/esco/skill/2",
}


def number_of(text):
    return zlib.crc32(text.encode())


def uuid_of(text):
    value = (TIME_S * 1000 << 80) | (7 << 76) | (2 << 62) | number_of(text)
    return str(uuid.UUID(int=value))


def make_pool(files, top):
    """The contract's messages, with the envelope where a sample contract has none."""
    pool = descriptor_pool.DescriptorPool()
    have = {file.name for file in files}
    if ENVELOPE_FILE not in have:
        root = top if (top / "proto" / ENVELOPE_FILE).exists() else house.HOME
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(["protoc", f"-I{root}/proto", "-I/usr/include", "--include_imports",
                            f"--descriptor_set_out={out}/x.desc", ENVELOPE_FILE], check=True)
            content = (pathlib.Path(out) / "x.desc").read_bytes()
        more = descriptor_pb2.FileDescriptorSet.FromString(content)
        files = [*(file for file in more.file if file.name not in have), *files]
    for file in files:
        pool.Add(file)
    return pool


def new(pool, name):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))()


def scalar(field, place):
    """The same for the same place always, and near the limits of the type."""
    seed = number_of(place)
    if field.type == field.TYPE_ENUM:
        return field.enum_type.values[-1].number
    if field.type == field.TYPE_BYTES:
        return bytes([0, 255]) + place.encode()
    if field.type == field.TYPE_BOOL:
        return True
    if field.type == field.TYPE_DOUBLE:
        return seed + 0.1
    if field.type == field.TYPE_FLOAT:
        return struct.unpack("<f", struct.pack("<f", seed % 1000 + 0.5))[0]
    if field.type in (field.TYPE_UINT64, field.TYPE_FIXED64):
        return 2**64 - 1 - seed
    if field.type in (field.TYPE_UINT32, field.TYPE_FIXED32):
        return 2**32 - 1 - seed % 65536
    if field.type in (field.TYPE_INT64, field.TYPE_SINT64, field.TYPE_SFIXED64):
        return -2**63 + seed
    if field.type in (field.TYPE_INT32, field.TYPE_SINT32, field.TYPE_SFIXED32):
        return -2**31 + seed % 65536
    return f'{place} "åäö€😀\\'


def is_map(field):
    return field.type == field.TYPE_MESSAGE and field.message_type.GetOptions().map_entry


def fill_map(message, field, place):
    target = getattr(message, field.name)
    entry = field.message_type.fields_by_name
    for index in range(2):
        key = scalar(entry["key"], f"{place}.{index}")
        if entry["value"].type == field.TYPE_MESSAGE:
            fill(target[key], f"{place}.{index}", 0)
        else:
            target[key] = scalar(entry["value"], f"{place}.{index}")


def fill(message, place, variant):
    """Sets every field; of a oneof the one that the variant says."""
    for field in message.DESCRIPTOR.fields:
        one = field.containing_oneof
        if one and one.fields[variant % len(one.fields)] is not field:
            continue
        here = f"{place}.{field.name}"
        if is_map(field):
            fill_map(message, field, here)
        elif field.label == field.LABEL_REPEATED:
            target = getattr(message, field.name)
            for index in range(3):
                if field.type == field.TYPE_MESSAGE:
                    fill(target.add(), f"{here}.{index}", variant + index)
                else:
                    target.append(scalar(field, f"{here}.{index}"))
        elif field.type == field.TYPE_MESSAGE:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), here, variant)
        else:
            setattr(message, field.name, scalar(field, here))


def make(pool, full_name, option, variant):
    """The stored bytes: the sequencer appends its numbers to what the writer packed."""
    event, numbers, data = new(pool, ENVELOPE), new(pool, ENVELOPE), new(pool, full_name)
    place = f"{option.type}/{variant}"
    event.id, event.type, event.spec_version = uuid_of(place), option.type, "1.0"
    event.source = f"{ROOT}/tenants/{uuid_of('tenant')}"
    for name, text in {**ATTRIBUTES, "subject": uuid_of(f"{place}.subject"),
                       "tenantid": uuid_of("tenant"),
                       "audience": "internal" if option.internal else "public"}.items():
        event.attributes[name].ce_string = text
    event.attributes["time"].ce_timestamp.seconds = TIME_S
    event.attributes["time"].ce_timestamp.nanos = 7_000_000
    event.attributes["dataschema"].ce_uri = f"{ROOT}/schemas/{option.type}.json"
    fill(data, place.removeprefix("org.samverka."), variant)
    event.proto_data.type_url = f"type.googleapis.com/{full_name}"
    event.proto_data.value = data.SerializeToString(deterministic=True)
    numbers.attributes["sequence"].ce_string = f"{number_of(place):019d}"
    if not option.internal:
        numbers.attributes["tenantsequence"].ce_string = f"{number_of(place) // 3:019d}"
    return (event.SerializeToString(deterministic=True)
            + numbers.SerializeToString(deterministic=True))


def data_of(pool, event):
    data = new(pool, event.proto_data.type_url.rsplit("/", 1)[1])
    data.ParseFromString(event.proto_data.value)
    return data


def attribute(value):
    kind = value.WhichOneof("attr")
    if kind == "ce_timestamp":
        return value.ce_timestamp.ToJsonString()
    if kind == "ce_bytes":
        return base64.b64encode(value.ce_bytes).decode()
    return getattr(value, kind)


def to_json(pool, packed):
    """A stored event as CloudEvents JSON, by what the formats say and by none of our C."""
    event = new(pool, ENVELOPE)
    event.ParseFromString(packed)
    out = {"specversion": event.spec_version, "id": event.id, "source": event.source,
           "type": event.type}
    out.update((name, attribute(value)) for name, value in event.attributes.items())
    out["datacontenttype"] = "application/json"
    out["data"] = json_format.MessageToDict(data_of(pool, event), descriptor_pool=pool,
                                            including_default_value_fields=True)
    return out


def is_default(value):
    return value in ("", "0", 0, False, [], {}, None) or str(value).endswith("_UNSPECIFIED")


def lost(expected, actual, place=""):
    """Where `actual` does not say what `expected` says.  It may say more, of fields that came
    later: their defaults."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in expected.keys() | actual.keys():
            here = f"{place}/{name}"
            if name not in actual:
                yield f"{here} is gone"
            elif name not in expected:
                if not is_default(actual[name]):
                    yield f"{here} came from nowhere"
            else:
                yield from lost(expected[name], actual[name], here)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual)):
            yield from lost(one, other, f"{place}/{index}")
    elif expected != actual or type(expected) is not type(actual):
        yield f"{place} was {expected!r}, is {actual!r}"


def paths(descriptor, place=""):
    """Every field that a message reaches."""
    found = set()
    for field in descriptor.fields:
        here = f"{place}{field.name}"
        found.add(here)
        if field.type == field.TYPE_MESSAGE:
            found |= paths(field.message_type, f"{here}.")
    return found


def covered(message, place=""):
    """The fields that are set."""
    found = set()
    for field, value in message.ListFields():
        here = f"{place}{field.name}"
        found.add(here)
        if is_map(field):
            found |= {f"{here}.key", f"{here}.value"}
            items = value.values() if field.message_type.fields_by_name[
                "value"].type == field.TYPE_MESSAGE else ()
            for item in items:
                found |= covered(item, f"{here}.value.")
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.label == field.LABEL_REPEATED else [value]:
                found |= covered(item, f"{here}.")
    return found


class Golden:
    """The folder and its digests."""

    def __init__(self, top, pool):
        self.top, self.pool = top, pool
        self.folder, self.index_path = top / FOLDER, top / INDEX
        text = self.index_path.read_text() if self.index_path.exists() else "{}"
        self.index = json.loads(text)

    def numbers(self, type_):
        files = (self.folder / type_).glob("*.bin")
        return sorted(int(path.stem) for path in files)

    def packed(self, type_, number):
        return (self.folder / type_ / f"{number}.bin").read_bytes()

    def expected(self, type_, number):
        return json.loads((self.folder / type_ / f"{number}.json").read_text())

    def add(self, type_, packed):
        number = max(self.numbers(type_), default=0) + 1
        folder = self.folder / type_
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(to_json(self.pool, packed), indent=1, sort_keys=True, ensure_ascii=False)
        for name, content in ((f"{number}.bin", packed), (f"{number}.json", f"{text}\n".encode())):
            (folder / name).write_bytes(content)
            self.index.setdefault(type_, {})[name] = hashlib.sha256(content).hexdigest()
        self._write_index()

    def forget(self, type_):
        shutil.rmtree(self.folder / type_, ignore_errors=True)
        self.index.pop(type_, None)
        self._write_index()

    def _write_index(self):
        self.index_path.write_text(json.dumps(self.index, indent=1, sort_keys=True) + "\n")

    def check_files(self):
        there = {(path.parent.name, path.name): path for path in self.folder.glob("*/*")}
        kept = {(type_, name): digest for type_, names in self.index.items()
                for name, digest in names.items()}
        for type_, name in sorted(there.keys() | kept.keys()):
            where = f"{FOLDER}/{type_}/{name}"
            if (type_, name) not in there:
                yield f"{where}: was published and is gone"
            elif (type_, name) not in kept:
                yield f"{where}: is not in {INDEX}"
            elif hashlib.sha256(there[type_, name].read_bytes()).hexdigest() != kept[type_, name]:
                yield f"{where}: was changed; what was published stays as it was"

    def check_reading(self, type_):
        """Every golden event still says all that it said."""
        for number in self.numbers(type_):
            where = f"{FOLDER}/{type_}/{number}"
            try:
                actual = to_json(self.pool, self.packed(type_, number))
                yield from (f"{where}: {problem}"
                            for problem in lost(self.expected(type_, number), actual))
            except Exception as error:  # noqa: BLE001  protobuf's errors have no common class
                yield f"{where}: cannot be read: {error}"

    def unset(self, type_, full_name):
        """Fields that no golden event of the type sets."""
        missing = paths(self.pool.FindMessageTypeByName(full_name))
        for number in self.numbers(type_):
            event = new(self.pool, ENVELOPE)
            event.ParseFromString(self.packed(type_, number))
            missing -= covered(data_of(self.pool, event))
        return sorted(missing)

    def complete(self, type_, full_name, option):
        for variant in range(VARIANTS_MAX):
            if self.numbers(type_) and not self.unset(type_, full_name):
                return
            self.add(type_, make(self.pool, full_name, option, variant))
        raise ValueError(f"{type_}: some field is never set")


def accept(golden, events, breaking):
    known = {option.type for option in events.values()}
    for type_ in sorted(golden.index.keys() if breaking else ()):
        if type_ not in known or any(golden.check_reading(type_)):
            golden.forget(type_)
    for full_name, option in events.items():
        golden.complete(option.type, full_name, option)


def check(top, files, events, arguments):
    """Problems of the golden events; with --accept, what is new is added first."""
    golden = Golden(top, make_pool(files, top))
    breaking = "--accept-breaking" in arguments
    if (breaking or "--accept" in arguments) and (breaking or not any(golden.check_files())):
        accept(golden, events, breaking)
    problems = list(golden.check_files())
    if problems:
        return problems
    for full_name, option in sorted(events.items(), key=lambda item: item[1].type):
        problems += golden.check_reading(option.type)
        if not golden.numbers(option.type):
            problems.append(f"{FOLDER}/{option.type}: no golden event (scripts/check-proto --accept)")
        else:
            problems += [f"{FOLDER}/{option.type}: no golden event sets {path} "
                         "(scripts/check-proto --accept)"
                         for path in golden.unset(option.type, full_name)]
    return problems

"""The events of the contract, the frames that carry them, and what docs/protocol.md says of both."""

import re

import openapi_contract as contract
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STREAM = "events/v1/stream.proto"
ROW = re.compile(r"^\| (`[^|]+`) \|([^|]*)\|$", re.M)


class Event:
    def __init__(self, message, type_, internal, file):
        self.message, self.type, self.internal, self.file = message, type_, internal, file


class Contract:
    """events by type; messages and enums by full name; the frames of the stream by message."""

    def __init__(self, root):
        files, self.own = contract.compile_contract(root)
        self.messages, self.enums, self.file_of = {}, {}, {}
        for file in files.file:
            for message in contract.walk_messages(file.package, (4,), file.message_type,
                                                  contract.comments_of(file)):
                self.messages[message.full_name] = message
                self.file_of[message.full_name] = file.name
            self.enums.update(contract.walk_enums(file.package, file.message_type,
                                                  file.enum_type))
        read = event_options(files)
        found = [(read(message.proto.options), message) for message in self.messages.values()]
        self.events = {option.type: Event(message, option.type, option.internal,
                                          self.file_of[message.full_name])
                       for option, message in sorted(found, key=lambda one: one[1].full_name)
                       if option is not None}
        self.frames = {name: frames_of(self.messages[f"events.v1.{name}"])
                       for name in ("ClientFrame", "ServerFrame")}


def frames_of(message):
    """Names of the members of the oneof, with their fields, in the order of their numbers."""
    return {field.name: field for field in sorted(message.proto.field, key=lambda f: f.number)}


def event_options(files):
    """Reads (wire.v1.event) with the contract's own extension; None: no event."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    factory.GetPrototype(pool.FindMessageTypeByName("wire.v1.Event"))
    options_class = factory.GetPrototype(
        pool.FindMessageTypeByName("google.protobuf.MessageOptions"))
    number = pool.FindExtensionByName("wire.v1.event").number

    def read(options):
        assert isinstance(options, descriptor_pb2.MessageOptions)
        parsed = options_class.FromString(options.SerializeToString())
        return next((value for field, value in parsed.ListFields() if field.number == number), None)
    return read


def section(text, title):
    """What stands below a heading, up to the next of the same rank or higher."""
    rank = title.split(" ")[0]
    match = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text,
                      re.M | re.S)
    if match is None:
        raise SystemExit(f"docs/protocol.md has no section {title!r}")
    return match[1].strip()


def attributes(text):
    """name -> what docs/protocol.md says of it, from the table of an event's attributes."""
    found = {}
    for names, meaning in ROW.findall(section(text, "### An event")):
        for name in re.findall("`([^`]+)`", names):
            found[name] = meaning.strip()
    return found

"""The same events everywhere: the CloudEvents SDK for Go and stock protobuf in Python read the golden
events and all that a live cluster sends, by every way, and find the same in each."""

import json
import re
import socket
import urllib.parse

import pytest
import zmq
from events_place import client, own_key  # noqa: F401
from http_place import Browser, Place, contract  # noqa: F401
from interop import http_binding
from interop.reader import Reader, ReaderError
from samverka_client import uuid7, wait_for
from test_golden_events import FILES, data_of

import golden_events
import webhook_place

GOLDEN = [(path.read_bytes(), json.loads(path.with_suffix(".json").read_text())) for path in FILES]
LEGAL = re.compile("[a-z0-9]{1,20}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@pytest.fixture(scope="module")
def place(make_module_cluster, contract):  # noqa: F811
    """A cluster of its own: in others' logs stand events that are not ours to describe."""
    return Place(make_module_cluster(demo=True), contract)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(tmp_path_factory.mktemp("interop"))


def instant(event):
    """RFC 3339 leaves open how many zeros end a fraction; the SDK writes none."""
    return {**event, "time": re.sub(r"\.?0*Z$", "Z", event["time"])}


def same(event):
    """Without what says in which form the data came."""
    assert event["datacontenttype"] in ("application/json", "application/protobuf")
    return instant({name: value for name, value in event.items() if name != "datacontenttype"})


def is_all_there(said, found):
    """What was said is read; fields that came later are empty."""
    assert list(golden_events.lost(same(said), same(found))) == []


def test_the_sdk_reads_every_golden_event_in_the_protobuf_format(reader):
    found = reader.read("protobuf", [packed for packed, _ in GOLDEN])
    assert len(found) == len(GOLDEN)
    for [one], (_, said) in zip(found, GOLDEN):
        is_all_there(said, one)
    assert all(one["datacontenttype"] == "application/protobuf" for [one] in found)


def packed_batch(events):
    """Field 1 of a CloudEventBatch, again and again."""
    out = b""
    for packed in events:
        size, length = len(packed), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        out += b"\x0a" + length + bytes([size]) + packed
    return out


def test_the_sdk_reads_a_batch_in_the_protobuf_format(reader):
    [found] = reader.read("protobuf-batch", [packed_batch(packed for packed, _ in GOLDEN)])
    assert len(found) == len(GOLDEN)
    for one, (_, said) in zip(found, GOLDEN):
        is_all_there(said, one)


WEBHOOK = {"webhook-id": "x", "webhook-timestamp": "1796000000", "webhook-signature": "v1,eA=="}


def test_the_sdk_reads_requests_in_each_of_the_three_modes(reader):
    said = [instant(event) for _, event in GOLDEN]
    found = reader.read("request", [http_binding.structured(event, **WEBHOOK) for event in said])
    assert [instant(one) for [one] in found] == said
    [found] = reader.read("request", [http_binding.batch(said, **WEBHOOK)])
    assert [instant(one) for one in found] == said
    found = reader.read("request", [http_binding.binary(event, **WEBHOOK) for event in said])
    # This SDK leaves the percent-encoding of attributes to its caller.
    assert [{name: urllib.parse.unquote(value) if name != "data" else value
             for name, value in instant(one).items()} for [one] in found] == said


@pytest.mark.parametrize("name, value, complaint", [
    ("id", "", "id"), ("source", "", "uri ref"), ("type", "", "type"),
    ("specversion", "2.0", "specversion"),
    ("dataschema", "/schemas/x.json", "dataschema"), ("time", "yesterday", "time"),
    ("tenantid", 7, "tenantid"), ("tenant_id", "x", "attribute names"),
])
def test_the_reader_refuses_what_is_no_cloudevent(reader, name, value, complaint):
    wrong = {**GOLDEN[0][1], name: value}
    with pytest.raises(ReaderError, match=complaint):
        reader.read("request", [http_binding.structured(wrong)])


def test_the_reader_refuses_data_that_is_not_what_the_type_says(reader):
    packed, _ = GOLDEN[0]
    with pytest.raises(ReaderError):
        reader.read("protobuf", [packed[:-40]])
    with pytest.raises(ReaderError):
        reader.read("protobuf-batch", [b"\x0a\x05abc"])


def check_form(event):
    """What conventions of CloudEvents and of ours say of each event."""
    assert all(LEGAL.fullmatch(name) for name in event), event.keys()
    assert event["specversion"] == "1.0"
    assert re.fullmatch("[0-9]{19}", event["sequence"])
    assert re.fullmatch("[0-9]{19}", event.get("tenantsequence", "0" * 19))
    assert TIME.fullmatch(event["time"])
    assert event["id"][14] == "7"
    assert event["source"].endswith(f"/tenants/{event['tenantid']}")


class Live:
    """All that a cluster has told a tenant, by each of its ways."""

    def __init__(self, place, client, tenant):  # noqa: F811
        self.place, self.client, self.tenant = place, client, tenant
        self.officer = place.person("PARTNERSHIP_OFFICER", tenant=tenant)
        self.head = self.position()

    def position(self):
        answer = self.officer.ask("GET", "/v1/organisations?limit=1")
        return int(answer.headers.get("Samverka-Position", 0))  # none: the log is empty

    def follow(self, keys):
        """Packed events up to the head, in order, from the stream."""
        server = (self.place.cluster.key_folder / "events.pub").read_bytes().strip()
        found = []
        for through, events in self.client.follow(self.place.cluster.stream_endpoint, server,
                                                  *keys):
            found += [event.SerializeToString(deterministic=True) for event in events
                      if int(event.attributes["sequence"].ce_string) <= self.head]
            if through >= self.head:
                return found

    def system(self):
        """The keys of a system that the tenant's officer enrols."""
        public, secret = zmq.curve_keypair()
        made = self.officer.ask("POST", "/v1/systems", {"name": "interop",
                                                        "curvePublicKey": public.decode()})
        assert made.status == 201, made
        return (public, secret)

    def raw(self, path):
        """A response as it comes over the wire."""
        host, port = self.officer.host.split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.officer.host}\r\nCookie: "
                               f"{self.officer.cookie}\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def pages(self):
        after, responses = 0, []
        while after < self.head:
            response = self.raw(f"/v1/events?after={after}&limit=1000")
            responses.append(response)
            assert response.startswith(b"HTTP/1.1 200 "), response[:600]
            after = int(re.search(rb"\r\nSamverka-Position: (\d+)\r\n", response)[1])
        return responses

    def server_sent(self):
        """The stream's lines up to the last event that the pages hold."""
        from test_http_events import Stream
        lines = []

        class Recorder(Stream):
            def _read(self):
                try:
                    for line in self.response:
                        lines.append(line)
                except (OSError, ValueError, AttributeError):
                    pass  # closed from outside

        stream = Recorder(self.officer, "?after=0")
        last = self.last  # that the pages hold
        wait_for(lambda: f"id: {last}\n".encode() in list(lines), 30, f"position {last}")
        wait_for(lambda: lines[-1] == b"\n", 10, "the end of an event")
        stream.close()
        return b"".join(lines)


@pytest.fixture(scope="module")
def live(place, client):  # noqa: F811
    """The demonstration data: what handlers have told."""
    listed = place.nobody.ask("GET", "/v1/tenants").json["tenants"]
    tenant = next(one["tenantId"] for one in listed if one["slug"] == "hogskolan-dalarna")
    return Live(place, client, tenant)


def read_pages(live, reader):
    """What the SDK reads in the pages, by id."""
    found = [one for events in reader.read("response", live.pages()) for one in events
             if int(one["sequence"]) <= live.head]
    live.last = int(found[-1]["sequence"])
    return {one["id"]: one for one in found}


@pytest.fixture(scope="module")
def paged(live, reader):
    found = read_pages(live, reader)
    assert len(found) > 50
    return found


def test_the_sdk_reads_every_event_of_a_live_cluster_from_the_stream(live, reader, contract):  # noqa: F811
    packed = live.follow(own_key(live.place.cluster))
    found = [one for [one] in reader.read("protobuf", packed)]
    assert [int(one["sequence"]) for one in found] == list(range(1, live.head + 1))
    for one in found:
        check_form(one)
    assert len({one["type"] for one in found}) >= 12
    # The same by Python's protobuf.
    pool = contract.pool
    assert [same(golden_events.to_json(pool, one)) for one in packed] == [same(f) for f in found]


def test_what_a_system_gets_from_the_stream_is_what_pages_hold(live, reader, paged):
    packed = live.follow(live.system())
    found = [one for [one] in reader.read("protobuf", packed)]
    assert [same(one) for one in found] == [same(one) for one in paged.values()]
    assert all("internal" != one["audience"] for one in found)


def test_server_sent_events_are_what_pages_hold(live, reader, paged):
    [found] = reader.read("sse", [live.server_sent()])
    found = [one for one in found if int(one["sequence"]) <= live.last]
    assert found == list(paged.values())


def test_stock_protobuf_in_python_reads_every_event_of_a_live_cluster(live, client, contract):  # noqa: F811
    kinds = set()
    for packed in live.follow(own_key(live.place.cluster)):
        event = client.cloudevents.CloudEvent.FromString(packed)
        data = data_of(contract, event)
        assert not data.DESCRIPTOR.GetOptions().HasField("deprecated")
        assert data.SerializeToString(deterministic=True) == event.proto_data.value
        assert all(LEGAL.fullmatch(name) for name in event.attributes)
        kinds.add(event.type)
    assert len(kinds) >= 12


def test_a_browser_of_another_tenant_reads_only_what_is_public(live, reader):
    other = Browser(live.place.cluster.url, cookie=live.place.other.cookie)
    page = other.ask("GET", "/v1/events?after=0&limit=1000").json
    [found] = reader.read("request", [http_binding.batch(page)])
    assert [instant(one) for one in found] == [instant(one) for one in page]
    for one in found:
        assert one["audience"] == "public" or one["tenantid"] == live.place.tenants[1]


@pytest.fixture(scope="module")
def every(make_module_cluster, client, contract):  # noqa: F811
    """A log with every golden event, written as services write them; nobody listens there who would
    look for what they name."""
    made = make_module_cluster(services=["registry", "events", "gateway"])
    there = Place(made, contract)
    live = Live(there, client, there.tenant)
    live.told = [write(live, contract, packed, said) for packed, said in GOLDEN]
    live.head = wait_for(lambda: live.position() >= live.head + len(GOLDEN) and live.position(), 30,
                         "the golden events to be in the log")
    return live


def write(live, contract, packed, said):  # noqa: F811
    """Puts a golden event into the outbox as this tenant's; gives what is to be read of it."""
    event = contract.message("io.cloudevents.v1.CloudEvent").FromString(packed)
    own = {"id": uuid7(), "source": f"{live.place.cluster.url}/tenants/{live.tenant}"}
    event.id, event.source = own["id"], own["source"]
    event.attributes["tenantid"].ce_string = live.tenant
    for name in ("sequence", "tenantsequence"):
        event.attributes.pop(name, None)
    connection = live.place.cluster.postgres.connect("samverka", "postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO events.outbox (tenant_id, internal, event) "
                           "VALUES (%s, %s, %s)", (live.tenant, said["audience"] == "internal",
                                                   event.SerializeToString()))
    finally:
        connection.close()
    return {**said, **own, "tenantid": live.tenant}


def unnumbered(events):
    """By id, without the numbers that the log has given."""
    return {event["id"]: {name: value for name, value in same(event).items()
                          if name not in ("sequence", "tenantsequence")} for event in events}


def are_all_there(said, found):
    assert said.keys() == found.keys()
    assert list(golden_events.lost(said, found)) == []


def test_every_type_of_event_is_the_same_by_every_way(every, reader):
    mine = {one["id"] for one in every.told}
    told = unnumbered(every.told)
    public = {key: one for key, one in told.items() if one["audience"] != "internal"}
    stream = [one for [one] in reader.read("protobuf", every.follow(own_key(every.place.cluster)))]
    are_all_there(told, unnumbered(one for one in stream if one["id"] in mine))
    pages = read_pages(every, reader)
    are_all_there(public, unnumbered(one for one in pages.values() if one["id"] in mine))
    system = [one for [one] in reader.read("protobuf", every.follow(every.system()))]
    [sent] = reader.read("sse", [every.server_sent()])
    assert [same(one) for one in system] == [same(one) for one in pages.values()]
    assert [one for one in sent if int(one["sequence"]) <= every.last] == list(pages.values())
    for one in system:
        check_form(one)


@pytest.fixture(scope="module")
def hooks(make_module_cluster, contract):  # noqa: F811
    made = make_module_cluster(services=["registry", "events", "notifications", "gateway"],
                               extra={"notifications": {"webhook_insecure_loopback": "true"}})
    place = webhook_place.Place(made, contract)  # noqa: F811
    yield place
    place.close()


def as_sent(request):
    """The request that a receiver has caught, as bytes."""
    lines = [f"POST {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + request.body


@pytest.mark.parametrize("mode", ["WEBHOOK_STRUCTURED", "WEBHOOK_BINARY", "WEBHOOK_BATCH"])
def test_the_sdk_reads_webhooks_as_they_are_sent(hooks, reader, mode):
    path, _, _ = hooks.active(mode=mode)
    ids = hooks.emit(20)
    hooks.await_events(path, ids)
    page = {one["id"]: one for one in hooks.officer.get("/v1/events?after=0&limit=1000")}
    requests = [as_sent(request) for request in hooks.receiver.at(path)]
    found = {one["id"]: one for events in reader.read("request", requests) for one in events}
    assert set(ids) <= found.keys()
    for key in ids:
        assert instant(found[key]) == instant(page[key])
        check_form(found[key])

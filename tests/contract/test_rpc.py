"""ZeroMQ as a stranger may use it, well and badly: every misuse gets its documented answer, the
process lives, and a write happens once."""

import os
import random
import uuid

import pytest
import zmq
from google.protobuf import json_format
from rpc_place import (PING, Wire, add_tenant, contract, operator, organisation,  # noqa: F401
                       tenant, wire)
from samverka_client import RpcError, wait_for

MIB = 1 << 20
CREATE = "registry.v1.Organisations/CreateOrganisation"
GET_TENANT = "registry.v1.Tenants/GetTenant"


def pack(contract, method, fields):  # noqa: F811
    request, _ = contract.method(method)
    return json_format.ParseDict(fields, request()).SerializeToString()


def text_field(number, data):
    """A field of bytes, also where the contract says text."""
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# Sizes

def test_a_body_somewhat_too_large_is_told_so(wire):  # noqa: F811
    wire.refused(wire.head(GET_TENANT, text_field(15, b"x" * MIB)), "TOO_LARGE")
    wire.alive()


def test_a_frame_far_too_large_ends_the_connection_and_no_more(wire, cluster, contract):  # noqa: F811
    wire.send(wire.head(PING, b"x" * (2 * MIB)))
    other = Wire(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
    other.alive()
    other.close()

    def again():  # the socket connects anew by itself
        wire.send(wire.head())
        return wire.receive(500)
    assert wait_for(again, 15, "the connection to come back").code == 0


def test_a_head_too_large_is_told_so(wire):  # noqa: F811
    head = wire.head()
    wire.send(head.SerializeToString() + text_field(14, b"x" * 20000))
    answer = wire.receive()
    assert (wire.code(answer), answer.id) == ("TOO_LARGE", head.id)


def test_a_ping_of_more_than_64_kib_is_refused(wire, contract):  # noqa: F811
    request, _ = contract.method(PING)
    assert wire.ask(wire.head(body=request(payload=b"x" * (64 << 10)).SerializeToString())).code == 0
    answer = wire.ask(wire.head(body=request(payload=b"x" * ((64 << 10) + 1)).SerializeToString()))
    assert (wire.code(answer), answer.field) == ("INVALID_ARGUMENT", "payload")


def test_too_many_fields_are_refused(wire):  # noqa: F811
    wire.refused(wire.head(GET_TENANT, b"\x12\x00" * 10001), "INVALID_ARGUMENT")


# Shapes

def test_ten_thousand_levels_of_nesting_do_no_harm(wire):  # noqa: F811
    deep = b""
    for _ in range(10000):
        deep = text_field(1, deep)
    answer = wire.ask(wire.head(GET_TENANT, deep))
    assert wire.code(answer) == "INVALID_ARGUMENT"
    wire.refused(wire.head(GET_TENANT, b"\x0b" * 10000), "INVALID_ARGUMENT", "tenant_id")
    wire.refused(wire.head(CREATE, b"\x1b" * 10000), "INVALID_ARGUMENT",
                 wire.ask(wire.head(CREATE, b"\x1b" * 10000)).field)
    wire.alive()


def test_every_truncation_of_a_request_is_refused_or_dropped(wire, contract, tenant):  # noqa: F811
    head = wire.head(CREATE, pack(contract, CREATE, organisation("Stympad AB")), tenant=tenant)
    whole = head.SerializeToString()
    sent = 0
    for size in range(0, len(whole), 3):
        wire.send(whole[:size])
        sent += 1
    last = wire.head()
    wire.send(last)
    while True:
        answer = wire.receive()
        assert answer is not None
        if answer.id == last.id:
            break
        assert answer.id == head.id
        assert wire.code(answer) == "INVALID_ARGUMENT", answer
    assert sent > 50


def test_a_truncated_body_in_a_whole_head_is_refused(wire, contract, tenant):  # noqa: F811
    body = pack(contract, CREATE, organisation("Halv AB"))
    answer = wire.ask(wire.head(CREATE, body[:-3], tenant=tenant))
    assert wire.code(answer) == "INVALID_ARGUMENT"


def test_a_body_that_comes_twice_is_refused(wire):  # noqa: F811
    head = wire.head(GET_TENANT, b"\x0a\x01a")
    wire.send(head.SerializeToString() + text_field(15, b"\x0a\x01b"))
    answer = wire.receive()
    assert (wire.code(answer), answer.field, answer.id) == ("INVALID_ARGUMENT", "body", head.id)


def test_a_message_of_two_frames_gets_no_answer(wire):  # noqa: F811
    wire.silent(wire.head(), b"more")
    wire.silent(b"", wire.head())
    wire.silent(*[b"x"] * 100)


def test_noise_gets_no_answer(wire):  # noqa: F811
    chance = random.Random(int(os.environ.get("SAMVERKA_TEST_SEED", "1")))
    wire.silent(b"")
    for _ in range(200):
        wire.send(chance.randbytes(chance.randrange(1, 400)))
    wire.alive()


def test_mutated_requests_never_end_the_process(wire, contract, tenant):  # noqa: F811
    seed = int(os.environ.get("SAMVERKA_TEST_SEED", random.randrange(1 << 32)))
    print(f"SAMVERKA_TEST_SEED={seed}")
    chance = random.Random(seed)
    whole = wire.head(CREATE, pack(contract, CREATE, organisation("Muterad AB")),
                      tenant=tenant).SerializeToString()
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        wire.send(bytes(data))
    last = wire.head()
    wire.send(last)
    until_last = (wire.receive() for _ in range(502))
    assert any(answer is not None and answer.id == last.id for answer in until_last)


# Text

@pytest.mark.parametrize("bad", [b"\xff", b"a\xc0\xafb", b"\xed\xa0\x80", b"\xf5\x80\x80\x80",
                                 b"\xe2\x82", b"a\x00b"])
def test_wrong_utf_8_and_nul_name_their_field(wire, tenant, bad):  # noqa: F811
    wire.refused(wire.head(GET_TENANT, text_field(1, bad)), "INVALID_ARGUMENT", "tenant_id")
    name = text_field(1, text_field(1, b"sv") + text_field(2, bad))
    wire.refused(wire.head(CREATE, name, tenant=tenant), "INVALID_ARGUMENT", "names[0].value")
    head = wire.head()
    data = head.SerializeToString()
    wire.send(data + text_field(8, bad))
    answer = wire.receive()
    assert (wire.code(answer), answer.field, answer.id) == ("INVALID_ARGUMENT", "language", head.id)


def test_a_wrong_wire_type_names_its_field(wire):  # noqa: F811
    wire.refused(wire.head(GET_TENANT, b"\x08\x01"), "INVALID_ARGUMENT", "tenant_id")


def test_an_enum_number_nobody_knows_names_its_field(wire, contract, tenant):  # noqa: F811
    fields = organisation("Okänd AB")
    body = pack(contract, CREATE, fields)
    request, _ = contract.method(CREATE)
    message = request.FromString(body)
    message.type = 9999
    wire.refused(wire.head(CREATE, message.SerializeToString(), tenant=tenant),
                 "INVALID_ARGUMENT", "type")


# The head

def test_an_unknown_method_is_unimplemented(wire):  # noqa: F811
    for name in ("registry.v1.Tenants/Nothing", "nobody.v1.Nobody/Nothing", "x", "/", "a/b/c",
                 "matching.v1.Matches/FindMatches"):
        wire.refused(with_method(wire.head(), name), "UNIMPLEMENTED")


def with_method(head, name):
    head.method = name
    return head


def test_missing_and_bad_head_fields_are_named(wire):  # noqa: F811
    def changed(**fields):
        head = wire.head(GET_TENANT, text_field(1, b"nobody"))
        for name, value in fields.items():
            setattr(head, name, value)
        return head

    for fields, field in (({"method": ""}, "method"), ({"method": "m" * 129}, "method"),
                          ({"remaining_ms": 0}, "remaining_ms"),
                          ({"remaining_ms": 60001}, "remaining_ms"),
                          ({"idempotency_key": "k" * 129}, "idempotency_key"),
                          ({"idempotency_key": "with space"}, "idempotency_key"),
                          ({"idempotency_key": "nyckelå"}, "idempotency_key"),
                          ({"traceparent": "00-zz"}, "traceparent"),
                          ({"traceparent": "00-" + "0" * 31 + "-" + "0" * 16 + "-01"},
                           "traceparent"),
                          ({"language": "de"}, "language")):
        wire.refused(changed(**fields), "INVALID_ARGUMENT", field)
    for name, value in (("tenant_id", "not-a-uuid"), ("person_id", "X"), ("organisation_id", "1"),
                        ("subject_id", "s" * 129), ("subject_id", "a b")):
        head = changed()
        setattr(head.principal, name, value)
        wire.refused(head, "INVALID_ARGUMENT", f"principal.{name}")


@pytest.mark.parametrize("bad", ["", "x", "0193A000-0000-7000-8000-000000000001",
                                 "0193a000-0000-7000-8000-00000000000", "z" * 36])
def test_without_an_id_to_answer_to_there_is_no_answer(wire, bad):  # noqa: F811
    head = wire.head()
    head.id = bad
    wire.silent(head)


def test_a_write_without_a_key_is_refused_and_a_read_needs_none(wire, contract, tenant):  # noqa: F811
    head = wire.head(CREATE, pack(contract, CREATE, organisation("Nyckellös AB")), tenant=tenant)
    head.idempotency_key = ""
    wire.refused(head, "INVALID_ARGUMENT", "idempotency_key")
    read = wire.head(GET_TENANT, text_field(1, tenant.encode()))
    read.idempotency_key = ""
    assert wire.ask(read).code == 0


def test_what_acts_in_a_tenant_needs_one(wire, contract):  # noqa: F811
    head = wire.head(CREATE, pack(contract, CREATE, organisation("Hemlös AB")), tenant="")
    wire.refused(head, "INVALID_ARGUMENT", "principal.tenant_id")


def test_a_tenant_that_does_not_exist_sees_and_makes_nothing_of_its_own(wire, contract):  # noqa: F811
    nobody = "0193a000-0000-7000-8000-00000000dead"
    answer = wire.ask(wire.head("registry.v1.Needs/ListNeeds", b"", tenant=nobody))
    assert answer.code == 0
    _, reply = contract.method("registry.v1.Needs/ListNeeds")
    shown = json_format.MessageToDict(reply.FromString(answer.body)).get("needs", [])
    assert {need["visibility"] for need in shown} <= {"PUBLIC"}
    made = wire.ask(wire.head(CREATE, pack(contract, CREATE, organisation("Ingenstans AB")),
                              tenant=nobody))
    assert wire.code(made) not in ("OK", "INTERNAL"), made


def test_a_request_whose_time_is_over_is_told_so(wire, contract, tenant, cluster):  # noqa: F811
    """Nothing is half written when the time does not suffice."""
    before = count(cluster, "organisation")
    codes = []
    for _ in range(20):
        head = wire.head(CREATE, pack(contract, CREATE, organisation("Sen AB")), tenant=tenant,
                         deadline_ms=1)
        codes.append(wire.code(wire.ask(head)))
    assert set(codes) <= {"OK", "DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED"}, codes
    # An answer in time is a row; one that was late may be.
    made = count(cluster, "organisation") - before
    assert codes.count("OK") <= made <= len(codes)


# Who speaks

def strangers(contract, cluster):  # noqa: F811
    endpoint, keys = cluster.endpoint("registry"), cluster.key_folder
    yield Wire(contract, endpoint, keys, "registry", pair=zmq.curve_keypair())
    yield Wire(contract, endpoint)  # the NULL mechanism
    plain = Wire(contract, "inproc://nobody-there")
    plain.socket.plain_username, plain.socket.plain_password = b"operator", b"operator"
    plain.socket.connect(endpoint)
    yield plain
    wrong = Wire(contract, "inproc://nobody-here")
    public, secret = zmq.curve_keypair()
    wrong.socket.curve_serverkey = public  # not the server's
    wrong.socket.curve_publickey, wrong.socket.curve_secretkey = zmq.curve_keypair()
    wrong.socket.connect(endpoint)
    yield wrong


def test_strangers_hear_nothing(wire, cluster, contract):  # noqa: F811
    lines = list(strangers(contract, cluster))
    for line in lines:
        line.send(line.head())
    for _ in range(20):
        wire.alive()
    for line in lines:
        assert line.receive(200) is None
        line.close()


def test_a_crowd_of_strangers_does_not_keep_others_out(wire, cluster, contract):  # noqa: F811
    lines = [Wire(contract, cluster.endpoint("registry"), cluster.key_folder, "registry",
                  pair=zmq.curve_keypair()) for _ in range(100)]
    for line in lines:
        line.send(line.head())
    for _ in range(50):
        wire.alive()
    for line in lines:
        assert line.receive(0) is None
        line.close()
    wire.alive()


def test_another_system_cannot_speak_for_a_service(wire, cluster, contract, operator,  # noqa: F811
                                                   tenant):  # noqa: F811
    """Its key opens the event stream and nothing else."""
    pair = zmq.curve_keypair()
    system = operator.call("registry.v1.Systems/EnrolSystem",
                           {"name": "prov", "curvePublicKey": pair[0].decode()}, tenant=tenant)
    assert system["system"]["systemId"]
    for service in ("registry", "matching", "events", "notifications"):
        line = Wire(contract, cluster.endpoint(service), cluster.key_folder, service, pair=pair)
        head = line.head("wire.v1.Admin/Info", roles=("SERVICE", "OPERATOR"))
        head.principal.kind = 3
        line.send(head)
        wire.alive()
        assert line.receive(300) is None
        line.close()


def test_every_service_answers_its_misusers_alike(cluster, contract):  # noqa: F811
    for service in ("matching", "events", "notifications", "gateway"):
        line = Wire(contract, cluster.endpoint(service), cluster.key_folder, service)
        line.refused(with_method(line.head(), "nobody.v1.Nobody/Nothing"), "UNIMPLEMENTED")
        line.silent(b"noise")
        line.silent(line.head(), b"more")
        answer = line.ask(line.head("wire.v1.Admin/Info", text_field(1, b"x" * MIB)))
        assert line.code(answer) == "TOO_LARGE"
        line.alive()
        line.close()


# Writes happen once

def count(cluster, table):
    with cluster.postgres.connect("samverka", "postgres") as database, database.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM registry.{table}")
        return cursor.fetchone()[0]


def test_the_same_key_and_body_get_the_stored_answer(wire, contract, tenant, cluster):  # noqa: F811
    body = pack(contract, CREATE, organisation("En Gång AB"))
    key = str(uuid.uuid4())
    before = count(cluster, "organisation")
    first = wire.ask(wire.head(CREATE, body, tenant=tenant, key=key))
    second = wire.ask(wire.head(CREATE, body, tenant=tenant, key=key))
    assert (first.code, first.replayed) == (0, False)
    assert (second.code, second.replayed) == (0, True)
    assert first.body == second.body
    assert count(cluster, "organisation") == before + 1


def test_the_same_key_with_another_body_is_refused(wire, contract, tenant):  # noqa: F811
    key = str(uuid.uuid4())
    assert wire.ask(wire.head(CREATE, pack(contract, CREATE, organisation("Ett AB")),
                              tenant=tenant, key=key)).code == 0
    wire.refused(wire.head(CREATE, pack(contract, CREATE, organisation("Två AB")), tenant=tenant,
                           key=key), "KEY_REUSED")


def test_a_key_that_failed_is_free_for_the_right_request(wire, contract, tenant):  # noqa: F811
    key = str(uuid.uuid4())
    wrong = organisation("Fel AB") | {"country": "Sverige"}
    answer = wire.ask(wire.head(CREATE, pack(contract, CREATE, wrong), tenant=tenant, key=key))
    assert wire.code(answer) == "INVALID_ARGUMENT"
    right = wire.ask(wire.head(CREATE, pack(contract, CREATE, organisation("Rätt AB")),
                               tenant=tenant, key=key))
    assert (right.code, right.replayed) == (0, False)


def test_a_key_belongs_to_its_tenant_and_its_principal(wire, contract, operator, tenant,  # noqa: F811
                                                       cluster):
    body = pack(contract, CREATE, organisation("Delad AB"))
    key = str(uuid.uuid4())
    elsewhere = add_tenant(operator)
    before = count(cluster, "organisation")
    for options in ({"tenant": tenant}, {"tenant": elsewhere},
                    {"tenant": tenant, "subject": "00000000-0000-7000-8000-000000000002"}):
        answer = wire.ask(wire.head(CREATE, body, key=key, **options))
        assert (answer.code, answer.replayed) == (0, False), answer
    assert count(cluster, "organisation") == before + 3


def test_twenty_repeats_at_once_have_one_effect(cluster, contract, tenant):  # noqa: F811
    lines = [Wire(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
             for _ in range(20)]
    for line in lines:
        line.alive()  # connected
    body = pack(contract, CREATE, organisation("Tjugo AB"))
    key = str(uuid.uuid4())
    before = count(cluster, "organisation")
    heads = [line.head(CREATE, body, tenant=tenant, key=key) for line in lines]
    for line, head in zip(lines, heads):
        line.send(head)
    answers = [line.receive() for line in lines]
    assert count(cluster, "organisation") == before + 1
    codes = {line.code(answer) for line, answer in zip(lines, answers)}
    assert codes <= {"OK", "ABORTED"}, codes
    done = [answer for answer in answers if answer.code == 0]
    assert len({answer.body for answer in done}) == 1
    assert sum(not answer.replayed for answer in done) == 1
    for line, head in zip(lines, heads):
        again = line.ask(line.head(CREATE, body, tenant=tenant, key=key))
        assert (again.code, again.replayed, again.body) == (0, True, done[0].body)
        line.close()


def test_the_python_client_tells_the_code_and_the_field(operator, tenant):  # noqa: F811
    with pytest.raises(RpcError) as refusal:
        operator.call(CREATE, organisation("") | {"names": []}, tenant=tenant)
    assert (refusal.value.code, refusal.value.field) == ("INVALID_ARGUMENT", "names")

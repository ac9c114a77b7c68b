"""Who follows, as people see it: ListFollowers and ForgetConsumer, with the rights of the caller."""

import servers

from events_place import (  # noqa: F401
    alone, await_head, await_leader, client, cluster, DEADLINE_S, enrol, event, own_key, publish,
    TENANTS, writer)
from test_log import OFFICER, Rpc, SYSTEM_ROLE

OPERATOR = 3


def open_follow(client, cluster, keys, consumer="", shared=False, types=()):
    """A socket that follows and has heard something."""
    from events.v1 import stream_pb2
    server = (cluster.key_folder / "events.pub").read_bytes().strip()
    ask = stream_pb2.ClientFrame()
    ask.follow.credit = 1000
    ask.follow.consumer = consumer
    ask.follow.shared = shared
    ask.follow.filter.types.extend(types)

    def admitted():
        socket = client.connect(cluster.stream_endpoint, server, *keys)
        socket.send(ask.SerializeToString())
        if socket.poll(1500):
            return socket
        socket.close(0)  # libzmq does not try a refused key again
        return None
    return servers.wait_for(admitted, DEADLINE_S, "the key to be admitted")


def listed(service):
    return {(f.user_id, f.consumer): f for f in service("ListFollowers").followers}


def await_listed(service, *wanted):
    def found():
        rows = listed(service)
        return rows if all(key in rows for key in wanted) else None
    return servers.wait_for(found, DEADLINE_S, f"{wanted} to be listed")


def test_everybody_sees_the_follows_of_his_own(cluster, client):
    await_leader(cluster)
    keys, system = enrol(cluster, [TENANTS[0]])
    other_keys, other = enrol(cluster, [TENANTS[1]])
    one, two = f"system:{system}", f"system:{other}"
    sockets = [open_follow(client, cluster, keys, consumer="crm", shared=True, types=["org.samverka."]),
               open_follow(client, cluster, keys, consumer="crm", shared=True, types=["org.samverka."]),
               open_follow(client, cluster, keys),
               open_follow(client, cluster, other_keys)]
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0]) for _ in range(7)])
    await_head(cluster, 7)
    operator = Rpc(client, cluster, role=OPERATOR)
    rows = await_listed(operator, (one, "crm"), (one, ""), (two, ""))
    servers.wait_for(lambda: listed(operator)[one, "crm"].members == 2, DEADLINE_S, "two members")
    row = listed(operator)[one, "crm"]
    assert list(row.types) == ["org.samverka."] and row.instance and row.since_unix_ms
    assert row.position == 0 and row.lag == 7  # nothing was acknowledged
    servers.wait_for(lambda: listed(operator)[one, ""].lag == 0, DEADLINE_S, "the follow to be told of")
    assert listed(operator)[one, ""].events_sent == 7
    reply = operator("ListFollowers")
    assert reply.head == 7
    officer = Rpc(client, cluster, role=OFFICER, tenant=TENANTS[0], kind=1)
    assert {user for user, _ in listed(officer)} == {one}
    itself = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[1], kind=2, subject=other)
    assert {user for user, _ in listed(itself)} == {two}
    for socket in sockets:
        socket.close(0)
    # A durable consumer stays in the list when nobody follows any more.
    servers.wait_for(lambda: (one, "") not in listed(operator), DEADLINE_S, "the follow to go")
    gone = servers.wait_for(lambda: listed(operator)[one, "crm"].members == 0
                            and listed(operator)[one, "crm"], DEADLINE_S, "the members to go")
    assert gone.instance == "" and gone.lag == 7


def test_a_consumer_is_forgotten_by_its_own_people_only(cluster, client):
    await_leader(cluster)
    keys, system = enrol(cluster, [TENANTS[0]])
    _, other = enrol(cluster, [TENANTS[1]])
    open_follow(client, cluster, keys, consumer="crm").close(0)
    operator = Rpc(client, cluster, role=OPERATOR)
    await_listed(operator, (f"system:{system}", "crm"))
    foreign = Rpc(client, cluster, role=OFFICER, tenant=TENANTS[1], kind=1)
    stranger = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[1], kind=2, subject=other)
    for caller in (foreign, stranger):
        answer = caller("ForgetConsumer", user_id=f"system:{system}", consumer="crm")
        assert answer.code == 5, answer  # NOT_FOUND, as for one that does not exist
    own = Rpc(client, cluster, role=SYSTEM_ROLE, tenant=TENANTS[0], kind=2, subject=system)
    assert own("ForgetConsumer", consumer="nothing").code == 5
    assert not hasattr(own("ForgetConsumer", consumer="crm"), "code")
    assert (f"system:{system}", "crm") not in listed(operator)
    assert operator("ForgetConsumer", consumer="crm").field == "user_id"

"""Durable consumers as integrators meet them: clients/python/consumer.py, libsamverka's worker, the command
line."""

import collections
import json
import signal
import subprocess
import threading

import pytest
from servers import wait_for

from events_place import (  # noqa: F401
    alone, await_head, client, cluster, DEADLINE_S, enrol, event, own_key, publish, TENANTS, writer)


@pytest.fixture
def consume(client):
    import consumer
    return consumer.consume


def server_key(cluster):
    return (cluster.key_folder / "events.pub").read_bytes().strip()


def fill(cluster, client, count, keys=10):
    """Events in as many partitions; gives their ids by partition."""
    connection, written = writer(cluster), collections.defaultdict(list)
    for i in range(0, count, 20):
        batch = [event(client, TENANTS[0], subject=str(n)) for n in range(i, min(i + 20, count))]
        for n, one in enumerate(batch, i):
            one.attributes["partitionkey"].ce_string = str(n % keys)
            written[str(n % keys)].append(one.id)
        publish(connection, TENANTS[0], batch)
    return written


def take(stream, count):
    got = []
    while len(got) < count:
        got += next(stream)
    return got


def test_what_was_not_acknowledged_comes_again_and_nothing_else(cluster, client, consume):
    keys, _ = enrol(cluster, TENANTS)
    fill(cluster, client, 20)
    left = []  # by the process before: it got them and ended before it was done
    for _ in range(3):
        stream = consume(cluster.stream_endpoint, server_key(cluster), *keys, "crm")
        first = [one.id for one in take(stream, max(1, len(left)))]
        assert first[:len(left)] == left
        fill(cluster, client, 20)
        left = [one.id for one in next(stream)]  # asking for it acknowledges the first
        assert not set(left) & set(first)
        stream.close()


def test_a_second_process_takes_over_a_consumer_that_is_not_shared(cluster, client, consume):
    keys, _ = enrol(cluster, TENANTS)
    fill(cluster, client, 20)
    first = consume(cluster.stream_endpoint, server_key(cluster), *keys, "crm")
    next(first)
    second = consume(cluster.stream_endpoint, server_key(cluster), *keys, "crm")
    assert next(second)
    with pytest.raises(ConnectionError, match="^10: .*took over"):
        while True:
            next(first)


class Worker:
    """libsamverka's example, and what it printed."""

    def __init__(self, cluster, folder, name):
        self.lines = []
        self.process = subprocess.Popen(
            [cluster.build / "examples/example_worker", cluster.stream_endpoint,
             cluster.key_folder / "events.pub", folder / "mine", name],
            stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        self.lines += [line.split()[1] for line in iter(self.process.stdout.readline, "")]

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(DEADLINE_S)
        self.thread.join(DEADLINE_S)
        self.process.stdout.close()
        return self.process.returncode


def test_workers_share_every_event_in_order_per_key_and_inherit_from_the_dead(cluster, client,
                                                                            tmp_path):
    keys, _ = enrol(cluster, TENANTS)
    for text, suffix in zip(keys, (".pub", ".key")):
        (tmp_path / f"mine{suffix}").write_bytes(text + b"\n")
    workers = [Worker(cluster, tmp_path, "letters") for _ in range(3)]
    try:
        written = fill(cluster, client, 600)
        await_head(cluster, 600)
        wait_for(lambda: row(cluster, "letters")[3] == "3", DEADLINE_S, "three to share it")
        assert workers[0].end(signal.SIGKILL) == -signal.SIGKILL
        more = fill(cluster, client, 300)
        for key, ids in more.items():
            written[key] += ids
        everything = {one for ids in written.values() for one in ids}
        wait_for(lambda: row(cluster, "letters")[3:6] == ["2", "900", "0"], DEADLINE_S,
                 "everything to be acknowledged by two")
    finally:
        codes = [worker.end(signal.SIGTERM) for worker in workers[1:]]
    assert codes == [0, 0]
    done = [one for worker in workers for one in worker.lines]
    assert set(done) == everything, "each event is done at least once"
    living = [one for worker in workers[1:] for one in worker.lines]
    assert len(living) == len(set(living)), "twice only when its first worker died"
    assert all(worker.lines for worker in workers[1:]), "all of them have work"
    for worker in workers:
        place = {one: n for n, one in enumerate(worker.lines)}
        for ids in written.values():
            order = [place[one] for one in ids if one in place]
            assert order == sorted(order)


def run_events(cluster, *words):
    return cluster.command_line("events", *words).stdout


def row(cluster, consumer):
    """Of the table: user, consumer, instance, members, position, lag, ..."""
    for line in run_events(cluster, "consumers").splitlines():
        columns = line.split("\t")
        if columns[1] == consumer:
            return columns
    return [""] * 9


def await_kept(cluster, position):
    wait_for(lambda: row(cluster, "ops")[4] == position, DEADLINE_S, "the acknowledgement")


def test_the_command_line_goes_on_where_it_was_until_it_is_forgotten(cluster, client):
    fill(cluster, client, 30)
    await_head(cluster, 30)
    words = ["follow", "--consumer", "ops", "--after", "0", "--count", "30"]
    first = [json.loads(line)["position"] for line in run_events(cluster, *words).splitlines()]
    assert first == list(range(1, 31))
    await_kept(cluster, "30")
    user = row(cluster, "ops")[0]
    assert user.startswith("operator:")
    fill(cluster, client, 10)
    words[-1] = "10"
    again = [json.loads(line)["position"] for line in run_events(cluster, *words).splitlines()]
    assert again == list(range(31, 41))
    await_kept(cluster, "40")
    run_events(cluster, "forget", user, "ops")
    words[-1] = "40"
    anew = [json.loads(line)["position"] for line in run_events(cluster, *words).splitlines()]
    assert anew == list(range(1, 41))

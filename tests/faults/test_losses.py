"""Nothing that was acknowledged is lost and nothing is there twice, whichever process dies."""

import time

import pytest

from faults.journal import read
from faults.town import GENEROUS, SERVICES, Town
from faults.traffic import Appender, Crowd, NeedWriter
from journeys.conftest import settings
from samverka_client import wait_for

SLACK = 3  # of a limit in seconds, for sanitized programs beside others' work on few processors


@pytest.fixture
def town(make_cluster, contract, mail_sink):
    made = []

    def make(several, **options):
        slots = {service: 2 for service in several}
        cluster = make_cluster(extra={**settings(mail_sink), "gateway": GENEROUS}, slots=slots,
                               **options)
        for service in several:
            cluster.scale(service, 2)
        made.append(Town(cluster, contract, mail_sink))
        return made[-1]
    yield make
    for one in made:
        one.world.close()


def instances(cluster):
    return [instance.name for instance in cluster.running()]


@pytest.mark.promise("R1", "R2")
def test_kills_everywhere_lose_no_acknowledged_event_and_double_none(
        town, client, contract, tmp_path, seed, chance, full, figure):
    seconds, pause = (1800, (0.5, 3)) if full else (20, (0.3, 1.2))
    here = town(SERVICES)
    cluster, victims = here.cluster, instances(here.cluster)
    kills, until = 0, time.monotonic() + seconds
    with Crowd(here.writers(tmp_path, seed, client, contract)) as crowd:
        while time.monotonic() < until:
            moment = time.monotonic() + chance.uniform(*pause)
            wait_for(lambda at=moment: time.monotonic() > at, 10, "the moment")
            crowd.check()
            name = chance.choice(victims)
            cluster.kill(name)
            cluster.start_service(name, wait=False)
            kills += 1
        for name in victims:
            cluster[name].await_ready()  # none has ended by itself
        before = crowd.acked(NeedWriter), crowd.acked(Appender)
        crowd.await_acked(before[0] + 5, 60, NeedWriter)  # and all work again
        crowd.await_acked(before[1] + 20, 60, Appender)
    truth = read(tmp_path)
    log = here.check(client, truth)
    acked = sum(1 if isinstance(key, str) else len(key) for key in truth.acks)
    repeats = sum(len(told) - 1 for told in truth.acks.values())
    assert kills >= 5 and crowd.acked(NeedWriter) > 20 and repeats > 20
    figure("R1", kills=kills, acked=acked, acked_per_second=round(acked / seconds), lost=0,
           log=log.sequence.count)
    figure("R2", requests=len(truth.acks), repeated=repeats, duplicates=0)


def crash_postgres(here, crowd):
    """Gives the seconds from its being ready to the next write of each way."""
    here.cluster.postgres.stop_immediately()
    here.cluster.postgres.start()
    ready, before = time.monotonic(), (crowd.acked(NeedWriter), crowd.acked(Appender))
    crowd.await_acked(before[0] + 1, 60, NeedWriter)
    crowd.await_acked(before[1] + 1, 60, Appender)
    return time.monotonic() - ready


@pytest.mark.promise("R8")
def test_crashes_of_postgres_lose_nothing_acknowledged(town, client, contract, tmp_path, seed,
                                                       chance, full, figure):
    crashes, apart = (30, 20) if full else (3, 2)
    here = town(["events", "registry"], durable=True)
    pids = {name: here.cluster[name].pid for name in instances(here.cluster)}
    back = []
    with Crowd(here.writers(tmp_path, seed, client, contract)) as crowd:
        for _ in range(crashes):
            moment = time.monotonic() + apart + chance.uniform(0, 1)
            wait_for(lambda at=moment: time.monotonic() > at, apart + 10, "the moment")
            crowd.check()
            back.append(crash_postgres(here, crowd))
    assert {name: here.cluster[name].pid for name in pids} == pids, "a service has ended"
    truth = read(tmp_path)
    log = here.check(client, truth)
    assert max(back) <= 5 * (1 if full else SLACK), back
    figure("R8", crashes=crashes, acked=sum(1 if isinstance(key, str) else len(key)
                                            for key in truth.acks),
           lost=0, log=log.sequence.count, back_s=round(max(back), 2))

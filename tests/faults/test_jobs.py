"""Jobs of matching while the instance that has one is killed in the middle: when the lease ends, the
other instance takes the job over, and the result is the one that there would have been."""

import random
import time

import pytest

from faults.town import GENEROUS
from faults.traffic import query
from journeys.conftest import settings
from journeys.test_alliance import Alliance
from journeys.test_cohort import Round, table
from journeys.world import World
from samverka_client import wait_for

ROUND_LEASE_S, COMPOSITION_LEASE_S = 60, 29
STUDENTS, CHOICES = 700, 8
TRIES = 10   # a job may be done before its instance can be stopped


@pytest.fixture
def pair(make_cluster, contract, mail_sink):
    """Two instances of matching."""
    made = World(make_cluster(extra={**settings(mail_sink), "gateway": GENEROUS},
                              slots={"matching": 2}), contract, mail_sink)
    made.cluster.scale("matching", 2)
    try:
        yield made
    finally:
        made.close()


def one(cluster, statement):
    (value,), = query(cluster, statement)
    return value


class Trap:
    """Lets the first instance alone have a job, stops it in the middle, and kills it there."""

    def __init__(self, cluster, leased, waiting):
        self.cluster, self.leased, self.waiting = cluster, leased, waiting

    def spring(self, ask):
        """`ask` requests the job.  True: it was caught; False: it was done too fast."""
        self.cluster.freeze("matching-2")
        ask()
        wait_for(lambda: one(self.cluster, self.leased) or not one(self.cluster, self.waiting), 30,
                 "an instance to take the job")
        self.cluster.freeze("matching")
        caught = one(self.cluster, self.waiting)
        self.cluster.thaw("matching-2")
        if not caught:
            self.cluster.thaw("matching")
            return False
        assert one(self.cluster, self.leased)
        self.cluster.kill("matching")
        return True


def requested(world, chance):
    """A round that takes a while."""
    address, _ = world.add_account("coordinator", "PROGRAMME_DIRECTOR", "PARTNERSHIP_OFFICER")
    officer = world.web(address)
    round_ = Round(officer, "Stor omgång", objective="GENEROUS", choicesMax=CHOICES)
    names = [f"t{i}" for i in range(STUDENTS)]
    round_.move("COLLECTING_TOPICS")
    round_.bring("TOPICS", table("code,title,capacity", [(t, "Ämne", 1) for t in names]))
    round_.move("TOPIC_CHECK")
    officer.post(round_.path("/topics/check"), {"state": "TOPIC_APPROVED"})
    round_.bring("STUDENTS", table("code", [(f"s{i}",) for i in range(STUDENTS)]))
    round_.move("RANKING_OPEN")
    wishes = [(f"s{i}", " ".join(chance.sample(names[:STUDENTS * 3 // 4], CHOICES)))
              for i in range(STUDENTS)]
    assert round_.bring("CHOICES", table("student,choices", wishes))["stored"]
    round_.move("RANKING_CLOSED")
    return round_


PLACES = ("SELECT md5(string_agg(student || topic || choice || basis || barriers, ',' ORDER BY "
          "student)) FROM matching.round_place")


@pytest.mark.promise("R7")
def test_a_round_outlives_the_instance_that_solves_it(pair, seed, figure):
    cluster = pair.cluster
    round_ = requested(pair, random.Random(seed))
    first = round_.solve()
    places, sheet = one(cluster, PLACES), round_.sheet()
    trap = Trap(cluster,
                "SELECT count(*) FROM matching.round WHERE state = 6 AND lease_until > now()",
                "SELECT count(*) FROM matching.round WHERE state = 6")

    def ask():
        round_.officer.post(round_.path("/solve"), {"expectedVersion": round_.get()["version"]})

    tries = next((n for n in range(1, TRIES + 1) if trap.spring(ask)), None)
    assert tries, "every solving was done before its instance was stopped"
    began = time.monotonic()
    wait_for(lambda: round_.get()["state"] == "SOLVED", ROUND_LEASE_S + 30, "the other instance")
    seconds = time.monotonic() - began
    assert seconds < ROUND_LEASE_S + 20
    now = round_.get()
    assert (now["run"], now["inputHash"], now["failure"]) == (1 + tries, first["inputHash"], "")
    assert one(cluster, PLACES) == places
    again = round_.sheet()
    for name in ("run", "solvedUnixMs"):
        again.pop(name), sheet.pop(name)
    assert again == sheet
    solved = [e for e in round_.officer.get("/v1/events?limit=200")
              if e["type"] == "org.samverka.round.solved.v1"]
    assert [e["data"]["run"] for e in solved] == list(range(1, 2 + tries))
    figure("R7", students=STUDENTS, taken_over_after_s=round(seconds, 1), tries=tries)


@pytest.mark.promise("R7")
def test_a_composition_outlives_the_instance_that_solves_it(pair, chance, figure):
    cluster = pair.cluster
    for n in range(60):
        kind, country, nuts = chance.choice([("COMPANY", "FI", "FI1D2"), ("COMPANY", "SE", "SE312"),
                                             ("ASSOCIATION", "DE", "DE212"),
                                             ("AUTHORITY", "DE", "DE212")])
        pair.add_organisation(f"Organisation {n}", kind=kind, nuts=nuts, country=country)
    alliance = Alliance(pair)
    composition = alliance.start(setsWanted=10)
    found = alliance.solved(composition)
    path = f"/v1/compositions/{composition}"
    trap = Trap(cluster, "SELECT count(*) FROM matching.composition_job WHERE due_at > now()",
                "SELECT count(*) FROM matching.composition_job")

    def ask():
        version = alliance.officer.get(path)["composition"]["version"]
        alliance.officer.post(f"{path}/repeat", {}, etag=version)

    tries = next((n for n in range(1, TRIES + 1) if trap.spring(ask)), None)
    assert tries, "every composition was done before its instance was stopped"
    began = time.monotonic()
    wait_for(lambda: not one(cluster, "SELECT count(*) FROM matching.composition_job"),
             2 * COMPOSITION_LEASE_S + 30, "the other instance")
    seconds = time.monotonic() - began
    runs = alliance.officer.get(f"{path}/runs")["runs"]
    assert [r["number"] for r in runs] == list(range(1, 2 + tries))
    assert {r["answerHash"] for r in runs} == {found["run"]["answerHash"]}
    assert runs[-1]["sets"] == found["run"]["sets"] and runs[-1]["proven"]
    figure("R7", taken_over_after_s=round(seconds, 1), tries=tries)

"""While the store is away, what the gateway has read of late is still given, and says that it is
old; when the store is back, it is read anew."""

import time

import pytest

from faults.town import GENEROUS
from faults.traffic import query
from journeys.conftest import settings
from journeys.world import World
from samverka_client import Problem, wait_for

STALE = '110 - "Response is Stale"'


@pytest.fixture
def world(make_cluster, contract, mail_sink):
    """What is read counts as fresh for a moment only, so that all of it is soon old."""
    made = World(make_cluster(extra={**settings(mail_sink),
                                     "gateway": {**GENEROUS, "cache_ms": 100}}, durable=True),
                 contract, mail_sink)
    try:
        yield made
    finally:
        made.close()


def await_news(world, web):
    """Until the gateway has heard all that has happened."""
    def heard():
        (left, head), = query(world.cluster, "SELECT (SELECT count(*) FROM events.outbox), "
                                             "(SELECT position FROM events.head)")
        web.get("/v1/organisations?pageSize=1")
        return left == 0 and int(web.answer["Samverka-Position"]) == head
    wait_for(heard, 30, "the gateway to hear of all")


def ask(web, path):
    """The answer at once, also when it is a refusal."""
    patience, web.patience = web.patience, 0
    try:
        return web.get(path)
    except Problem as problem:
        return problem
    finally:
        web.patience = patience


@pytest.mark.promise("R8")
def test_reads_of_late_are_given_marked_while_postgres_is_away(world, figure):
    address, _ = world.add_account("officer", "PARTNERSHIP_OFFICER")
    web = world.web(address)
    kept = f"/v1/organisations/{world.add_organisation('Lastprov AB')}"
    other = f"/v1/organisations/{world.add_organisation('Annan AB')}"
    await_news(world, web)
    document = web.get(kept)
    assert "Warning" not in web.answer and "Age" not in web.answer
    world.cluster.postgres.stop_immediately()
    began = time.monotonic()

    def late():
        """What was read a moment ago still counts as fresh."""
        assert ask(web, kept) == document
        return web.answer["Warning"] == STALE
    wait_for(late, 5, "an answer that is marked")
    assert int(web.answer["Age"]) >= 0
    stranger = ask(web, other)  # never read before: an honest refusal
    assert stranger.status == 503 and int(stranger.headers["Retry-After"]) > 0
    seconds = time.monotonic() - began
    world.cluster.postgres.start()
    wait_for(lambda: web.get(kept) == document and "Warning" not in web.answer, 30,
             "an answer that is not old")
    web.patch(kept, {"website": "https://lastprov.example"}, web.answer["ETag"].strip('"'))
    assert web.get(kept)["organisation"]["website"] == "https://lastprov.example"
    assert "Warning" not in web.answer
    figure("R8", reads_while_away_s=round(seconds, 2))

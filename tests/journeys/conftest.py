"""What a journey needs: the network's tenants, a company, people, a mail sink, a follower."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from journeys.world import World  # noqa: E402
from mail_sink import MailSink  # noqa: E402
from samverka_client import Contract  # noqa: E402


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture
def mail_sink():
    sink = MailSink()
    try:
        yield sink
    finally:
        sink.stop()


@pytest.fixture
def world(make_cluster, contract, mail_sink):
    """A cluster of the journey's own, with the network's tenants and nothing else."""
    cluster = make_cluster(extra={"notifications": {"smtp_url": mail_sink.url,
                                                    "mail_from": "no-reply@samverka.example"}})
    made = World(cluster, contract, mail_sink)
    try:
        yield made
    finally:
        made.close()

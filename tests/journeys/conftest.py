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


def settings(sink):
    """Of a journey's cluster; a short limit for mails makes their lease short, too."""
    return {"notifications": {"smtp_url": sink.url, "mail_from": "no-reply@samverka.example",
                              "mail_send_ms": 1000}}


@pytest.fixture
def world(make_cluster, contract, mail_sink):
    """A cluster of the journey's own, with the network's tenants and nothing else."""
    made = World(make_cluster(extra=settings(mail_sink)), contract, mail_sink)
    try:
        yield made
    finally:
        made.close()

"""One composition for all tests of this folder, because it takes a minute to come up."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/containers")]

import composition as compositions  # noqa: E402
from journeys.world import World  # noqa: E402
from mail_sink import MailSink  # noqa: E402
from samverka_client import Contract  # noqa: E402


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture(scope="session")
def engine():
    why = compositions.engine_missing()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def mail_sink(engine):
    address = compositions.bridge_address()
    sink = MailSink(address)
    try:
        yield sink
    finally:
        sink.stop()


@pytest.fixture(scope="session")
def composition(engine, mail_sink, tmp_path_factory):
    made = compositions.Composition(tmp_path_factory.mktemp("composition"), mail_sink.url)
    try:
        made.build()
        made.up()
        made.await_ready()
        made.fetch_operator_keys()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def world(composition, contract, mail_sink):
    made = World(composition, contract, mail_sink)
    try:
        yield made
    finally:
        made.close()

"""The log of a database from before partitions becomes the first partition, whole, and can be rolled
and trimmed like one that was born so."""

import pathlib
import shutil

import pytest

from test_migrate import House, pg  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "services/events/sql/migrations"


@pytest.fixture
def house(pg, tmp_path):  # noqa: F811
    """A database with the first migration of events and three blocks, of an hour ago."""
    house = House(pg, tmp_path)
    house.write("0001_create.sql", (MIGRATIONS / "0001_create.sql").read_text(), "events")
    assert house.set_up().returncode == 0
    house.query("INSERT INTO events.log (position, last, count, tenants, types, shared, data, checksum, "
                "created_at) SELECT n * 10 + 1, n * 10 + 10, 10, '{}', '{}', false, 'x', sha256('x'), "
                "now() - interval '1 hour' FROM generate_series(0, 2) AS n")
    house.query("UPDATE events.head SET position = 30")
    for path in sorted(MIGRATIONS.glob("*.sql"))[1:]:
        shutil.copy(path, tmp_path / "events/sql/migrations")
    yield house
    pg.execute("DROP DATABASE IF EXISTS scratch WITH (FORCE)")


def test_blocks_written_before_partitions_stay_where_they_are(house):
    before = house.query("SELECT position, last, data, checksum, created_at FROM events.log "
                         "ORDER BY position")
    assert house.again().returncode == 0
    assert house.query("SELECT position, last, data, checksum, created_at FROM log ORDER BY position",
                       "app_events") == before
    assert house.query("SELECT tableoid::regclass::text, count(*) FROM events.log GROUP BY 1") == [
        ("events.log_1", 3)]
    assert house.query("SELECT start, opened_at < now() - interval '59 minutes' "
                       "FROM events.log_partition") == [(1, True)]


def test_a_log_from_before_partitions_is_rolled_and_trimmed_like_any_other(house):
    house.again()
    assert house.query("SELECT roll_log(30)", "app_events") == [(31,)]
    house.query("INSERT INTO log (position, last, count, tenants, types, shared, data, checksum) "
                "VALUES (31, 31, 1, '{}', '{}', false, 'y', sha256('y'))", "app_events")
    house.query("UPDATE head SET position = 31", "app_events")
    assert house.query("SELECT first_kept FROM trim_log(31, 0)", "app_events") == [(30,)]
    assert house.query("SELECT position FROM log", "app_events") == [(31,)]


def test_a_services_role_reaches_partitions_only_through_the_log(house):
    house.again()
    assert house.query("SELECT has_table_privilege('app_events', 'events.log_1', 'SELECT, INSERT')") == [
        (False,)]
    assert house.query("SELECT has_table_privilege('app_events', 'events.log', 'SELECT')") == [(True,)]

"""scripts/migrate against a real Postgres, with services made up for the test."""

import pathlib
import subprocess
import sys

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import servers  # noqa: E402

CREATE = "CREATE TABLE thing (id uuid PRIMARY KEY);\n"


@pytest.fixture(scope="module")
def pg(tmp_path_factory):
    folder = servers.own_folder(tmp_path_factory.mktemp("pg"))
    for parent in folder.parents[:3]:  # pytest's folders are closed to the servers' account
        if str(parent) != "/tmp":
            parent.chmod(0o711)
    with servers.Postgres(folder, durable=False, die_with_parent=True) as server:
        yield server


@pytest.fixture
def house(pg, tmp_path):
    """A fresh database and a folder of services with one migration."""
    house = House(pg, tmp_path)
    house.write("0001_create.sql", CREATE)
    yield house
    pg.execute("DROP DATABASE IF EXISTS scratch WITH (FORCE)")


class House:
    def __init__(self, pg, folder):
        self.pg = pg
        self.folder = folder

    def write(self, name, text, service="registry"):
        path = self.folder / service / "sql/migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def migrate(self, *arguments):
        return subprocess.run([ROOT / "scripts/migrate", "--services-folder", self.folder,
                               *arguments], capture_output=True, text=True, timeout=60)

    def set_up(self, *arguments):
        return self.migrate("--admin-dsn", self.pg.dsn(), "--database", "scratch", *arguments)

    def again(self, *arguments):
        return self.migrate("--dsn", self.pg.dsn("scratch", "samverka_deploy"), *arguments)

    def query(self, sql, user="postgres"):
        return self.pg.execute(sql, "scratch", user)


def test_a_first_run_makes_roles_database_common_tables_and_the_services_own(house):
    assert house.set_up().returncode == 0
    assert house.query("SELECT version, name FROM registry.schema_migration ORDER BY 1") == [
        (0, "common"), (1, "create")]
    assert house.query("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'registry'") \
        == [("samverka_owner",)]
    assert house.query("SHOW search_path", "app_registry") == [("registry",)]


def test_a_service_without_migrations_gets_no_schema(house):
    house.set_up()
    assert house.query("SELECT nspname FROM pg_namespace WHERE nspname = 'matching'") == []


def test_a_second_run_changes_nothing_and_a_new_file_is_applied_by_the_deploy_login(house):
    house.set_up()
    assert house.again().stdout == ""
    house.write("0002_more.sql", "CREATE TABLE more (id uuid PRIMARY KEY);")
    assert house.again().stdout == "registry: applied 0002_more\n"
    assert house.query("SELECT count(*) FROM registry.more") == [(0,)]


def test_an_applied_file_that_changed_is_refused_by_name(house):
    house.set_up()
    house.write("0001_create.sql", CREATE + "-- a comment is a change too\n")
    result = house.again()
    assert result.returncode == 1
    assert "0001_create.sql has changed" in result.stderr


def test_code_older_than_the_database_is_refused(house):
    house.write("0002_more.sql", "CREATE TABLE more (id uuid PRIMARY KEY);")
    house.set_up()
    (house.folder / "registry/sql/migrations/0002_more.sql").unlink()
    result = house.again()
    assert result.returncode == 1
    assert "0002_more" in result.stderr


def test_a_failing_file_leaves_nothing_of_itself_behind(house):
    house.set_up()
    house.write("0002_bad.sql", "CREATE TABLE half (id uuid); SELECT nonsense;")
    result = house.again()
    assert result.returncode == 1
    assert "0002_bad.sql" in result.stderr
    assert house.query("SELECT to_regclass('registry.half')") == [(None,)]
    assert house.query("SELECT max(version) FROM registry.schema_migration") == [(1,)]


def test_a_gap_in_the_numbers_is_refused(house):
    house.write("0003_gap.sql", "SELECT 1;")
    result = house.set_up()
    assert result.returncode == 1
    assert "expected number 0002" in result.stderr


def test_status_tells_what_is_missing(house):
    house.set_up()
    house.write("0002_more.sql", "SELECT 1;")
    result = house.again("--status")
    assert result.returncode == 3
    assert result.stdout.splitlines()[-1] == "registry\t0002_more\tmissing"


def test_two_runs_at_once_apply_each_file_once(house):
    house.set_up()
    house.write("0002_slow.sql", "CREATE TABLE slow (id uuid); SELECT pg_sleep(0.3);")
    command = [ROOT / "scripts/migrate", "--services-folder", house.folder, "--dsn",
               house.pg.dsn("scratch", "samverka_deploy")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(said) == ["", "registry: applied 0002_slow\n"]


def test_passwords_are_set_from_files_and_asked_for_on_loopback(house, tmp_path):
    passwords = tmp_path / "passwords"
    passwords.mkdir()
    (passwords / "app_registry.password").write_text("a long secret\n")
    assert house.set_up("--password-folder", str(passwords)).returncode == 0
    login = f"host=127.0.0.1 port={house.pg.port} dbname=scratch user=app_registry"
    psycopg2.connect(login, password="a long secret").close()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(login, password="another")


def test_a_service_role_cannot_write_the_migration_table_or_create_anything(house):
    house.set_up()
    for sql in ("DELETE FROM schema_migration", "CREATE TABLE mine (id int)",
                "CREATE TEMPORARY TABLE mine (id int)", "CREATE SCHEMA mine"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            house.query(sql, "app_registry")

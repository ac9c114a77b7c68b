"""Tenant isolation: the migrated database keeps every rule of catalogue.py, and each rule is seen
to fail on a mutant that is made in a transaction and rolled back."""

import os
import pathlib
import subprocess
import sys
import tempfile

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import catalogue  # noqa: E402
import servers  # noqa: E402

TABLE = """
    CREATE TABLE registry.mutant (tenant_id uuid, id uuid, name text,
                                  PRIMARY KEY (tenant_id, id));
    GRANT SELECT, INSERT, UPDATE ON registry.mutant TO app_registry;
    ALTER TABLE registry.mutant ENABLE ROW LEVEL SECURITY;
    ALTER TABLE registry.mutant FORCE ROW LEVEL SECURITY;
"""
OWN = "tenant_id = current_setting('app.tenant')::uuid"
POLICY = f"CREATE POLICY own ON registry.mutant TO app_registry USING ({OWN}) WITH CHECK ({OWN});"
GOOD = TABLE + POLICY

# rule -> what breaks it
MUTANTS = {
    "a tenant's table enables and forces row-level security": [
        GOOD + "ALTER TABLE registry.mutant NO FORCE ROW LEVEL SECURITY",
        GOOD + "ALTER TABLE registry.mutant DISABLE ROW LEVEL SECURITY"],
    "a tenant's table has a policy with a check on what is written": [
        TABLE + f"CREATE POLICY own ON registry.mutant TO app_registry USING ({OWN})"],
    "a policy that lets rows change says what may be written": [
        TABLE + f"CREATE POLICY own ON registry.mutant TO app_registry USING ({OWN})"],
    "a policy compares with the tenant, unless it is allowed not to": [
        GOOD + "CREATE POLICY mutant ON registry.mutant FOR SELECT TO app_registry USING (true)",
        GOOD + "CREATE POLICY mutant ON registry.mutant FOR SELECT TO app_registry "
               "USING (name = 'x')",
        GOOD + "CREATE POLICY mutant ON registry.mutant FOR INSERT TO app_registry "
               "WITH CHECK (tenant_id = tenant_id)",
        "CREATE POLICY mutant ON events.outbox FOR SELECT TO app_registry USING (true)"],
    "a policy for all tenants outside of events only reads or removes": [
        GOOD + "CREATE POLICY mutant ON registry.mutant TO app_matching USING (true) "
               "WITH CHECK (true)"],
    "a policy has no answer for a tenant that is not set": [
        TABLE + "CREATE POLICY mutant ON registry.mutant TO app_registry "
                "USING (tenant_id = current_setting('app.tenant', true)::uuid) "
                f"WITH CHECK ({OWN})"],
    "a policy names its role": [
        GOOD + f"CREATE POLICY mutant ON registry.mutant FOR SELECT USING ({OWN})"],
    "a view has the rights of its reader": [
        GOOD + "CREATE VIEW registry.mutant_view AS SELECT * FROM registry.mutant",
        GOOD + "CREATE VIEW registry.mutant_view WITH (security_invoker = false) "
               "AS SELECT * FROM registry.mutant"],
    "a function with its owner's rights is allowed to have them": [
        "CREATE FUNCTION registry.mutant() RETURNS int LANGUAGE sql SECURITY DEFINER "
        "SET search_path = registry AS 'SELECT 1'"],
    "a function with its owner's rights pins its search path": [
        "CREATE FUNCTION registry.mutant() RETURNS int LANGUAGE sql SECURITY DEFINER "
        "AS 'SELECT 1'"],
    "no service reads a materialised view": [
        GOOD + "CREATE MATERIALIZED VIEW registry.mutant_kept AS SELECT * FROM registry.mutant; "
               "GRANT SELECT ON registry.mutant_kept TO app_registry"],
    "a service's role has only the rights that row-level security binds": [
        GOOD + "GRANT TRUNCATE ON registry.mutant TO app_registry",
        GOOD + "GRANT REFERENCES ON registry.mutant TO app_registry"],
    "everybody has no right to anything": [
        GOOD + "GRANT SELECT ON registry.mutant TO PUBLIC",
        GOOD + "GRANT SELECT (name) ON registry.mutant TO PUBLIC"],
    "a service works in its own schema": [
        GOOD + "GRANT UPDATE ON registry.mutant TO app_matching",
        GOOD + "GRANT SELECT ON registry.mutant TO app_notifications",
        GOOD + "GRANT INSERT (name) ON registry.mutant TO app_events"],
    "what registry publishes of tenants' tables is granted by column": [
        GOOD + "GRANT SELECT ON registry.mutant TO app_matching"],
    "nobody's name or contact is published": [
        GOOD + "ALTER TABLE registry.mutant ADD display_name text; "
               "GRANT SELECT (display_name) ON registry.mutant TO app_matching",
        "CREATE VIEW registry.mutant_view WITH (security_invoker = true) AS SELECT 'x' AS email"],
    "every key of a tenant's table has the tenant in it": [
        GOOD + "CREATE UNIQUE INDEX ON registry.mutant (name)"],
    "a reference between tenants' tables has the tenant in it": [
        GOOD + "CREATE UNIQUE INDEX mutant_by_id ON registry.mutant (id); "
               "CREATE TABLE registry.mutant_part (tenant_id uuid, "
               "mutant_id uuid REFERENCES registry.mutant (id))"],
    "a service's role is bound by everything": [
        "ALTER ROLE app_registry BYPASSRLS", "ALTER ROLE app_matching CREATEDB",
        "ALTER ROLE samverka_deploy SUPERUSER"],
    "a service's role is a member of nothing": ["GRANT samverka_owner TO app_registry"],
    "a service's role owns nothing and creates nothing": [
        GOOD + "ALTER TABLE registry.mutant OWNER TO app_registry",
        "GRANT CREATE ON SCHEMA registry TO app_registry",
        "CREATE FUNCTION registry.mutant() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
        "ALTER FUNCTION registry.mutant() OWNER TO app_registry"],
    "no role that sees all tenants can log in": ["ALTER ROLE auditor LOGIN"],
    "a policy calls nothing that may change its answer": [
        TABLE + f"CREATE POLICY mutant ON registry.mutant TO app_registry "
                f"USING ({OWN} AND random() < 2) WITH CHECK ({OWN})",
        "CREATE FUNCTION registry.mutant_true() RETURNS boolean LANGUAGE plpgsql VOLATILE "
        "AS 'BEGIN RETURN true; END';" + TABLE +
        f"CREATE POLICY mutant ON registry.mutant TO app_registry "
        f"USING ({OWN}) WITH CHECK ({OWN} AND registry.mutant_true())"],
}


@pytest.fixture(scope="module")
def database():
    """The migrated database: an outer with-servers', or one of our own."""
    if os.environ.get("SAMVERKA_TEST_PG_HOST"):
        yield (f"host={os.environ['SAMVERKA_TEST_PG_HOST']} "
               f"port={os.environ['SAMVERKA_TEST_PG_PORT']} "
               f"dbname={os.environ['SAMVERKA_TEST_PG_DATABASE']} user={servers.SUPERUSER}")
        return
    with tempfile.TemporaryDirectory(prefix="samverka-") as folder:
        servers.own_folder(folder)
        with servers.Postgres(pathlib.Path(folder) / "pg", durable=False,
                              die_with_parent=True) as pg:
            subprocess.run([ROOT / "scripts/migrate", "--admin-dsn", pg.dsn(), "--quiet"],
                           check=True)
            yield pg.dsn("samverka")


@pytest.fixture
def cursor(database):
    """In a transaction that never commits."""
    connection = psycopg2.connect(database)
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()
    connection.close()


def test_the_migrated_database_keeps_every_rule(cursor):
    assert catalogue.all_violations(cursor) == []


def test_every_service_has_its_schema_and_something_to_check(cursor):
    cursor.execute(f"SELECT split_part(name, '.', 1), count(*) FROM ({catalogue.TENANT_TABLES}) t "
                   "GROUP BY 1")
    assert set(dict(cursor.fetchall())) == set(catalogue.SCHEMAS)


def test_no_exception_outlives_its_reason(cursor):
    assert catalogue.stale_exceptions(cursor) == []


def test_a_table_made_as_it_should_be_breaks_no_rule(cursor):
    cursor.execute(GOOD)
    assert [text for text in catalogue.all_violations(cursor) if "mutant" in text] == []


def test_every_rule_has_a_mutant():
    assert set(MUTANTS) == set(catalogue.RULES)


@pytest.mark.parametrize("rule, mutant", [(rule, mutant) for rule, mutants in MUTANTS.items()
                                          for mutant in mutants])
def test_a_rule_sees_its_mutant(cursor, rule, mutant):
    before = catalogue.violations(cursor, rule)
    cursor.execute(mutant)
    assert len(catalogue.violations(cursor, rule)) > len(before)

"""The rules of tenant isolation, asked of Postgres's own catalogue.

Each rule is a query that gives one text per violation.  What is allowed beyond a rule stands here,
with its reason, and nowhere else.
"""

import re

SCHEMAS = ("events", "registry", "matching", "notifications")
APP_ROLES = tuple(f"app_{schema}" for schema in SCHEMAS)

# (schema.table, policy, reason): policies that do not compare with app.tenant.
POLICIES_FOR_ALL = [
    ("registry.person", "person_published", "matching indexes all tenants; column grants"),
    ("registry.need", "need_published", "matching indexes all tenants; column grants"),
    ("registry.capability", "capability_published", "matching indexes all tenants; column grants"),
    ("registry.equipment", "equipment_published", "matching indexes all tenants; column grants"),
    ("registry.placement", "placement_published", "matching indexes all tenants; column grants"),
    ("registry.system", "system_published", "events knows every system's key; column grants"),
    *[(f"{schema}.idempotency", policy, "old keys of all tenants are removed at once")
      for schema in SCHEMAS for policy in ("expired_seen", "expired_removed")],
]
# Blocks of the log hold many tenants; Follow and Read enforce the rights.
ROLE_OF_EVENTS = "app_events"
# (schema.function): functions that run with their owner's rights.  A service owns nothing, so events
# ends and drops partitions of its log by these two, which check for themselves that they may.
SECURITY_DEFINERS = ["events.roll_log", "events.trim_log"]
# Tables whose key is not the tenant's: rows are numbered over all tenants, seen by app_events alone.
KEYS_OVER_TENANTS = ["events.outbox", "events.parked"]
# (schema.table, role): what a service may touch in another's schema, besides published views and
# the columns behind them, which are rules of their own.
FOREIGN_RIGHTS = [("events.outbox", role) for role in APP_ROLES]
# Columns that must not be readable through what registry publishes.
PERSONAL = "(display_name|given_name|family_name|email|phone|contact|password|birth)"


def quoted(names):
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names) or "''"


IN_SCHEMAS = f"n.nspname IN ({quoted(SCHEMAS)})"
TENANT_TABLES = f"""
    SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relrowsecurity, c.relforcerowsecurity,
           a.attnum
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND {IN_SCHEMAS}"""
POLICIES = f"""
    SELECT n.nspname || '.' || c.relname AS name, n.nspname AS schema, p.*,
           coalesce(pg_get_expr(p.polqual, p.polrelid), '') AS shown,
           coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') AS taken,
           coalesce(p.polqual::text, '') || coalesce(p.polwithcheck::text, '') AS tree
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {IN_SCHEMAS}"""
RIGHTS = f"""
    SELECT n.nspname AS schema, n.nspname || '.' || c.relname AS name, c.relkind, c.oid, NULL AS
           column_name, CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END
           AS role, x.privilege_type AS right
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) x
    WHERE {IN_SCHEMAS}
    UNION ALL
    SELECT n.nspname, n.nspname || '.' || c.relname, c.relkind, c.oid, a.attname,
           CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
           x.privilege_type
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(a.attacl) x
    WHERE {IN_SCHEMAS}"""

RULES = {
    "a tenant's table enables and forces row-level security": f"""
        SELECT name FROM ({TENANT_TABLES}) t WHERE NOT (relrowsecurity AND relforcerowsecurity)""",
    "a tenant's table has a policy with a check on what is written": f"""
        SELECT name FROM ({TENANT_TABLES}) t
        WHERE NOT EXISTS (SELECT FROM pg_policy p
                          WHERE p.polrelid = t.oid AND p.polwithcheck IS NOT NULL)
          AND EXISTS (SELECT FROM ({RIGHTS}) r WHERE r.oid = t.oid
                      AND r.role IN ({quoted(APP_ROLES)}) AND r.right IN ('INSERT', 'UPDATE'))""",
    "a policy that lets rows change says what may be written": f"""
        SELECT name || ': ' || polname FROM ({POLICIES}) p
        WHERE polcmd IN ('*', 'a', 'w') AND polwithcheck IS NULL""",
    "a policy compares with the tenant, unless it is allowed not to": f"""
        SELECT name || ': ' || polname FROM ({POLICIES}) p
        WHERE ((polqual IS NOT NULL AND position('current_setting(''app.tenant''' IN shown) = 0)
               OR (polwithcheck IS NOT NULL
                   AND position('current_setting(''app.tenant''' IN taken) = 0))
          AND name || ': ' || polname NOT IN ({quoted(f"{t}: {p}" for t, p, _ in POLICIES_FOR_ALL)})
          AND NOT (schema = 'events' AND polroles = ARRAY['{ROLE_OF_EVENTS}'::regrole::oid])""",
    "a policy for all tenants outside of events only reads or removes": f"""
        SELECT name || ': ' || polname FROM ({POLICIES}) p
        WHERE (shown = 'true' OR taken = 'true') AND schema <> 'events' AND polcmd <> 'r'""",
    "a policy has no answer for a tenant that is not set": f"""
        SELECT name || ': ' || polname FROM ({POLICIES}) p
        WHERE shown || ' ' || taken ~ 'current_setting\\([^)]*,'""",
    "a policy names its role": f"""
        SELECT name || ': ' || polname FROM ({POLICIES}) p WHERE 0 = ANY (polroles)""",
    "a view has the rights of its reader": f"""
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND {IN_SCHEMAS}
          AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)""",
    "a function with its owner's rights is allowed to have them": f"""
        SELECT n.nspname || '.' || f.proname
        FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
        WHERE f.prosecdef AND {IN_SCHEMAS}
          AND n.nspname || '.' || f.proname NOT IN ({quoted(SECURITY_DEFINERS)})""",
    "a function with its owner's rights pins its search path": f"""
        SELECT n.nspname || '.' || f.proname
        FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
        WHERE f.prosecdef AND {IN_SCHEMAS}
          AND NOT EXISTS (SELECT FROM unnest(f.proconfig) c WHERE c LIKE 'search_path=%')""",
    "no service reads a materialised view": f"""
        SELECT name || ' by ' || role FROM ({RIGHTS}) r
        WHERE relkind = 'm' AND role IN ('PUBLIC', {quoted(APP_ROLES)})""",
    "a service's role has only the rights that row-level security binds": f"""
        SELECT name || ': ' || r.right || ' for ' || role FROM ({RIGHTS}) r
        WHERE relkind IN ('r', 'p', 'v', 'm') AND role IN ({quoted(APP_ROLES)})
          AND r.right NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')""",
    "everybody has no right to anything": f"""
        SELECT name || ': ' || r.right FROM ({RIGHTS}) r WHERE role = 'PUBLIC'""",
    "a service works in its own schema": f"""
        SELECT name || ': ' || r.right || ' for ' || role FROM ({RIGHTS}) r
        WHERE role IN ({quoted(APP_ROLES)}) AND role <> 'app_' || schema
          AND NOT (schema = 'registry' AND r.right = 'SELECT'
                   AND role IN ('app_matching', 'app_events'))
          AND NOT (r.right = 'INSERT'
                   AND name || ' ' || role IN ({quoted(f"{t} {r}" for t, r in FOREIGN_RIGHTS)}))""",
    "what registry publishes of tenants' tables is granted by column": f"""
        SELECT name || ' to ' || role FROM ({RIGHTS}) r
        WHERE schema = 'registry' AND role IN ('app_matching', 'app_events')
          AND relkind IN ('r', 'p') AND column_name IS NULL
          AND oid IN (SELECT oid FROM ({TENANT_TABLES}) t)""",
    "nobody's name or contact is published": f"""
        SELECT name || '.' || column_name || ' to ' || role FROM ({RIGHTS}) r
        WHERE schema = 'registry' AND role IN ('app_matching', 'app_events')
          AND column_name ~ '{PERSONAL}'
        UNION ALL
        SELECT n.nspname || '.' || c.relname || '.' || a.attname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind = 'v' AND n.nspname = 'registry' AND a.attname ~ '{PERSONAL}'""",
    "every key of a tenant's table has the tenant in it": f"""
        SELECT t.name || ': ' || i.indexrelid::regclass
        FROM ({TENANT_TABLES}) t JOIN pg_index i ON i.indrelid = t.oid
        WHERE i.indisunique AND NOT t.attnum = ANY (i.indkey)
          AND t.name NOT IN ({quoted(KEYS_OVER_TENANTS)})""",
    "a reference between tenants' tables has the tenant in it": f"""
        SELECT t.name || ': ' || k.conname
        FROM ({TENANT_TABLES}) t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
        JOIN ({TENANT_TABLES}) other ON other.oid = k.confrelid
        WHERE NOT (t.attnum = ANY (k.conkey) AND other.attnum = ANY (k.confkey))""",
    "a service's role is bound by everything": f"""
        SELECT rolname FROM pg_roles
        WHERE rolname IN ({quoted(APP_ROLES)}, 'samverka_deploy', 'samverka_owner')
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)""",
    "a service's role is a member of nothing": f"""
        SELECT m.member::regrole || ' of ' || m.roleid::regrole FROM pg_auth_members m
        WHERE m.member::regrole::text IN ({quoted(APP_ROLES)})""",
    "a service's role owns nothing and creates nothing": f"""
        SELECT c.relname || ' of ' || c.relowner::regrole FROM pg_class c
        WHERE c.relowner::regrole::text IN ({quoted(APP_ROLES)})
        UNION ALL
        SELECT f.proname || ' of ' || f.proowner::regrole FROM pg_proc f
        WHERE f.proowner::regrole::text IN ({quoted(APP_ROLES)})
        UNION ALL
        SELECT n.nspname || ' by ' || x.grantee::regrole FROM pg_namespace n, aclexplode(n.nspacl) x
        WHERE x.privilege_type = 'CREATE' AND x.grantee <> 0
          AND x.grantee::regrole::text IN ({quoted(APP_ROLES)})""",
    "no role that sees all tenants can log in": """
        SELECT rolname FROM pg_roles
        WHERE rolcanlogin AND rolbypassrls AND NOT rolsuper""",
}

VOLATILE_IN_POLICY = f"""
    SELECT p.name || ': ' || p.polname || ' calls ' || f.proname
    FROM ({POLICIES}) p, regexp_matches(p.tree, ':(?:op)?funcid (\\d+)', 'g') m
    JOIN pg_proc f ON f.oid = m[1]::oid
    WHERE f.provolatile = 'v'"""
RULES["a policy calls nothing that may change its answer"] = VOLATILE_IN_POLICY


def violations(cursor, rule):
    cursor.execute(RULES[rule])
    return sorted(row[0] for row in cursor.fetchall())


def all_violations(cursor):
    found = []
    for rule in RULES:
        found += [f"{rule}: {text}" for text in violations(cursor, rule)]
    return found


def stale_exceptions(cursor):
    """Exceptions that nothing needs any more."""
    cursor.execute(f"SELECT name || ': ' || polname, name FROM ({POLICIES}) p")
    rows = cursor.fetchall()
    policies = {row[0] for row in rows}
    stale = [f"{table}: {policy}" for table, policy, _ in POLICIES_FOR_ALL
             if f"{table}: {policy}" not in policies]
    cursor.execute("SELECT n.nspname || '.' || f.proname FROM pg_proc f "
                   "JOIN pg_namespace n ON n.oid = f.pronamespace WHERE f.prosecdef")
    definers = {row[0] for row in cursor.fetchall()}
    return stale + [name for name in SECURITY_DEFINERS if name not in definers]


assert all(re.fullmatch(r"[a-z_.]+", name) for name in KEYS_OVER_TENANTS)

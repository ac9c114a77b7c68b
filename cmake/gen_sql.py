"""Turns a room's sql/*.sql into a header: sql/enroll.sql becomes SQL_ENROLL.

usage: gen_sql.py PLACE HEADER FILE...

Each statement is a struct pg_statement with a name unique in the process; SQL_STATEMENTS lists all
of the room, NULL at the end, for the preparation at start.
"""

import pathlib
import sys


def literal(sql: str) -> str:
    lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in sql.splitlines()]
    return "\n".join(f'    "{line}\\n"' for line in lines)


def main() -> int:
    place, header, *files = sys.argv[1:]
    prefix = place.replace("services/", "").replace("/", "_")
    out = ["#pragma once", "", f"/* Made from {place}/sql by cmake/gen_sql.py. */", "",
           '#include "common/pg/pg.h"', ""]
    names = []
    for file in sorted(files):
        stem = pathlib.Path(file).stem
        name = f"SQL_{stem.upper()}"
        names.append(name)
        out += [f"__attribute__((unused)) static const struct pg_statement {name} = {{",
                f'    "{prefix}_{stem}",', literal(pathlib.Path(file).read_text().strip()), "};", ""]
    out.append("__attribute__((unused)) static const struct pg_statement *const SQL_STATEMENTS[] = {")
    out += [f"    &{name}," for name in names] + ["    0,", "};", ""]
    path = pathlib.Path(header)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(out))
    return 0


sys.exit(main())

"""Builds the rule-set documents into the program.

usage: embed.py OUT FILE...
"""

import pathlib
import sys


def main() -> int:
    out, *files = sys.argv[1:]
    lines = ["/* Made from rulesets/ by embed.py. */", "",
             '#include "services/registry/programmes/rulesets.h"', ""]
    table = []
    for number, file in enumerate(sorted(files)):
        data = pathlib.Path(file).read_bytes()
        lines.append(f"static const unsigned char document_{number}[] = {{")
        lines += ["    " + ", ".join(str(byte) for byte in data[at:at + 24]) + ","
                  for at in range(0, len(data), 24)]
        lines += ["};", ""]
        table.append(f'    {{"{pathlib.Path(file).name}", document_{number}, '
                     f"sizeof document_{number}}},")
    lines += ["const struct ruleset_file rulesets[] = {", *table, "};",
              "const size_t rulesets_count = sizeof rulesets / sizeof rulesets[0];", ""]
    path = pathlib.Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    return 0


sys.exit(main())

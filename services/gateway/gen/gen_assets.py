"""Embeds the web files.

usage: gen_assets.py OUT.c WEB_FOLDER MADE_FOLDER

Files of WEB_FOLDER and MADE_FOLDER become entries of `assets` (asset.h), those in folders by their
path.  In pages, {{@x.part}} is
replaced by that file and {{@x.css}} by the address of that file, whose name carries its digest.
Texts, {{name}}, are filled in by the gateway at start.
"""

import hashlib
import pathlib
import re
import sys

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8",
         ".json": "application/json", ".proto": "text/plain; charset=utf-8"}
REFERENCE = re.compile(r"\{\{@([\w.]+)\}\}")


def hashed_name(path, data):
    digest = hashlib.sha256(data).hexdigest()[:12]
    return f"{path.stem}.{digest}{path.suffix}"


def etag(data):
    return rf'\"{hashlib.sha256(data).hexdigest()[:32]}\"'


def expand(text, files, names):
    def replace(match):
        name = match[1]
        if name not in files:
            sys.exit(f"gen_assets: no file {name}")
        if name.endswith(".part"):
            return expand(files[name].decode().rstrip("\n"), files, names)
        return f"/assets/{names[name]}"
    return REFERENCE.sub(replace, text)


def as_c(data):
    """Lines of string literals: compilers read these far quicker than lists of numbers."""
    lines = []
    for start in range(0, len(data), 96):
        piece = data[start:start + 96]
        lines.append('"' + "".join(f"\\{byte:03o}" if byte < 32 or byte > 126 or byte in b'"\\?'
                                   else chr(byte) for byte in piece) + '"')
    return "\n    ".join(lines) or '""'


def main():
    out = pathlib.Path(sys.argv[1])
    files = {str(path.relative_to(folder)): path.read_bytes() for folder in sys.argv[2:]
             for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()}
    names = {name: hashed_name(pathlib.Path(name), data) for name, data in files.items()
             if pathlib.Path(name).suffix in (".css", ".js", ".svg")}
    lines = ["/* Made from services/gateway/web by gen_assets.py. */", "",
             '#include "services/gateway/asset.h"', "", "const struct asset assets[] = {"]
    for name, data in sorted(files.items()):
        suffix = pathlib.Path(name).suffix
        if suffix == ".part":
            continue
        if name.startswith("schemas/") and suffix == ".json" and name != "schemas/index.json":
            kind = "application/schema+json"
        else:
            kind = TYPES[suffix]
        if suffix == ".html":
            data = expand(data.decode(), files, names).encode()
        lines.append(f'    {{"{names.get(name, name)}", "{kind}", "{etag(data)}", '
                     f"(const unsigned char *)\n    {as_c(data)}, {len(data)}}},")
    lines += ["};", "", "const size_t asset_count = sizeof assets / sizeof assets[0];", ""]
    out.write_text("\n".join(lines))


main()

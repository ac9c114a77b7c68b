"""Makes what describes the events: schemas/ and asyncapi.json.

usage: gen_events.py PROTO_ROOT PROTOCOL.md OUT_FOLDER VERSION

Fails the build when a frame of the stream has no words in asyncapi_document.py, or words have no
frame.
"""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import asyncapi_document as asyncapi  # noqa: E402
import event_contract  # noqa: E402
import event_schemas  # noqa: E402
import openapi_document as document  # noqa: E402


def main():
    proto_root, protocol, out = map(pathlib.Path, sys.argv[1:4])
    version = sys.argv[4]
    contract = event_contract.Contract(proto_root)
    problems = list(asyncapi.check(contract))
    if problems:
        sys.exit("\n".join(f"asyncapi: {problem}" for problem in problems))
    shutil.rmtree(out / "schemas", ignore_errors=True)  # a type may be gone
    event_schemas.write(contract, proto_root, out, version)
    made = asyncapi.make(contract, proto_root, protocol.read_text(), version)
    (out / "asyncapi.json").write_text(document.to_text(made))


main()

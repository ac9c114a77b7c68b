"""The reader written in Go (go/main.go), as a program that is built once and asked often.

    reader = Reader(folder)                     builds; skips the test where Go is not installed
    reader.read("protobuf", [packed, ...])      -> a list of events for each, or ReaderError
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GO = shutil.which("go") or shutil.which("go", path="/usr/bin:/usr/local/go/bin")
BUILD_DEADLINE_S = 240
READ_DEADLINE_S = 60


class ReaderError(Exception):
    """The independent reader does not take what it was given."""


def compile_contract(out):
    """The contract's descriptors by stock protoc, with what they import."""
    proto = ROOT / "proto"
    files = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
    subprocess.run(["protoc", f"-I{proto}", "-I/usr/include", "--include_imports",
                    f"--descriptor_set_out={out}", *files], check=True)
    return out


class Reader:
    def __init__(self, folder):
        if GO is None:
            pytest.skip("Go is not installed (golang-go)")
        self.folder = pathlib.Path(folder)
        self.descriptors = compile_contract(self.folder / "contract.desc")
        self.program = self.folder / "interop"
        done = subprocess.run([GO, "build", "-o", str(self.program), "."], cwd=HERE / "go",
                              env={**os.environ, "GOFLAGS": "-buildvcs=false"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=BUILD_DEADLINE_S)
        assert done.returncode == 0, done.stdout
        self._count = 0

    def _write(self, content):
        self._count += 1
        path = self.folder / f"case-{self._count}"
        path.write_bytes(content)
        return path

    def read(self, kind, contents):
        paths = [self._write(content) for content in contents]
        asked = "".join(json.dumps({"kind": kind, "path": str(path)}) + "\n" for path in paths)
        done = subprocess.run([str(self.program), str(self.descriptors)], input=asked.encode(),
                              stdout=subprocess.PIPE, check=True, timeout=READ_DEADLINE_S)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["path"] for answer in answers] == [str(path) for path in paths]
        for answer in answers:
            if "error" in answer:
                raise ReaderError(answer["error"])
        for path in paths:
            path.unlink()
        return [answer["events"] for answer in answers]

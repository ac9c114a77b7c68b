"""What the checks of the house share: which files there are, and how a problem is told.

A check is `scripts/check-x [ROOT]`: it prints `file:line: what is wrong` for each problem and ends
with 1 when there is any.
"""

import pathlib
import re
import subprocess
import sys

HOME = pathlib.Path(__file__).resolve().parent.parent


def root():
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    return pathlib.Path(arguments[0]).resolve() if arguments else HOME


def files(top):
    """Files of the repository (tracked ones, where there is a repository), relative to `top`."""
    if (top / ".git").exists():
        listed = subprocess.run(["git", "-C", str(top), "ls-files", "-z"], check=True,
                                stdout=subprocess.PIPE).stdout.decode().split("\0")
        paths = [pathlib.Path(name) for name in listed if name]
    else:
        paths = [path.relative_to(top) for path in top.rglob("*")]
    return sorted(path for path in paths if (top / path).is_file())


def c_files(top):
    return [path for path in files(top) if path.suffix in (".c", ".h")]


def read(top, path):
    return (top / path).read_text(errors="replace")


def is_python(top, path):
    return path.suffix == ".py" or (not path.suffix and first_line(top, path).endswith("python3"))


def first_line(top, path):
    with open(top / path, "rb") as file:
        return file.readline(200).decode(errors="replace").strip()


def is_test(path):
    """Code that only tests run."""
    return (path.parts[0] == "tests" or path.stem.endswith(("_test", "_fuzz", "_bench"))
            or path.name.startswith(("rpc_test", "test_")) or path.name == "test.h")


LITERAL_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/', re.S)


def blank(text):
    """The same number of lines and columns, without anything on them."""
    return re.sub(r"[^\n]", " ", text)


def code_of(source):
    """C without comments and without what stands in literals, line for line."""
    return LITERAL_OR_COMMENT.sub(lambda match: blank(match[0]), source)


def without_comments(source):
    """C with its literals, line for line."""
    return LITERAL_OR_COMMENT.sub(
        lambda match: blank(match[0]) if match[0].startswith("/*") else match[0], source)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(problems):
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)

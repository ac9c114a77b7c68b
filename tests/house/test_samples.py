"""Each rule about files and code against a sample that breaks it, and one that keeps it."""

import pytest

HEADER = "#pragma once\n"
LONG_FUNCTION = "int\nlong_one(int a)\n{\n" + "    a++;\n" * 56 + "    return a;\n}\n"
LONG_PYTHON = "def long_one(a):\n" + "    a += 1\n" * 60


def include(header):
    return f'#include "{header}"\n'


BAD = [
    ("layers", "common/base/x.c", include("common/wire/zap.h"), "layer base may not use"),
    ("layers", "common/base/x.c", "#include <zmq.h>\n", "<zmq.h> belongs to"),
    ("layers", "common/base/x.c", include("wire/v1/status.pb-c.h"), "may not know"),
    ("layers", "common/base/x.c", include("common/wire/contract.h"), "layer base may not use"),
    ("layers", "common/wire/x.c", include("common/pg/pg.h"), "layer wire may not use"),
    ("layers", "common/redis/x.c", include("common/pg/pg.h"), "layer redis may not use"),
    ("layers", "common/pg/x.c", include("common/wire/zap.h"), "layer pg may not use"),
    ("layers", "common/service/x.c", include("services/registry/rules.h"), "layer service"),
    ("layers", "common/service/x.c", include("registry/v1/needs.pb-c.h"), "may not know"),
    ("layers", "services/events/x.c", include("services/registry/rules.h"), "meet in proto/"),
    ("layers", "services/events/x_test.c", include("services/registry/rules.h"), "meet in"),
    ("layers", "services/events/x.c", "#  include <libpq-fe.h>\n", "belongs to common/pg"),
    ("layers", "services/events/x.c", include("store.h"), "not rooted"),
    ("layers", "services/events/x.c", include("services/../x.h"), "climbs"),
    ("layers", "clients/c/x.c", include("common/base/arena.h"), "contract alone"),
    ("layers", "services/events/x.h", "int x;\n", "#pragma once"),
    ("size", "common/base/x.c", "\n" * 501, "501 lines, at most 500"),
    ("size", "common/base/x.h", "\n" * 201, "201 lines, at most 200"),
    ("size", "tests/x.py", "\n" * 501, "501 lines"),
    ("size", "scripts/run", "#!/bin/sh\n" + "\n" * 500, "501 lines"),
    ("size", "services/x.c", LONG_FUNCTION, "long_one has 61 lines"),
    ("size", "tests/x.py", LONG_PYTHON, "long_one has 61 lines"),
    ("size", "scripts/x", "#!/usr/bin/python3\n" + LONG_PYTHON, "long_one has 61 lines"),
    ("format", "common/base/x.c", "int  x ;\n", "clang-format"),
    ("banned", "services/x/store.c", "void f(void) { PQexec(c, q); }\n", "without a deadline"),
    ("banned", "common/pg/x.c", "void f(void) { PQexecParams (c); }\n", "without a deadline"),
    ("banned", "services/x/y.c", "void f(void) { zmq_socket(c, 1); }\n", "common/wire/socket.c"),
    ("banned", "services/x/store.c", 'const char *q = "select id from person";\n', "sql/*.sql"),
    ("banned", "services/x/store.c", 'const char *q = "\\n INSERT INTO x ";\n', "sql/*.sql"),
    ("banned", "services/x/store.c", 'const char *q = "SELECT id "\n"FROM x";\n', "sql/*.sql"),
    ("banned", "services/x/y_test.c", "void f(void) { usleep(5); }\n", "nobody sleeps"),
    ("banned", "services/x/y.c", "void f(void) { assert(request->name); }\n", "never for input"),
    ("banned", "services/x/y.c", "void f(void) { pthread_mutex_lock(&m); }\n", "no lock"),
    ("banned", "services/x/y.c", "typedef struct x x;\n", "called struct"),
    ("banned", "services/x/y.c", "int x; // why\n", "comments are"),
    ("banned", "services/x/y.c", "int TODO;\n", "say it in an issue"),
    ("banned", "services/x/y.c", 'void f(void) { system("ls"); }\n', "safer way"),
    ("banned", "tests/x.py", "import time\ntime.sleep(1)\n", "only a function called wait_"),
    ("banned", "tests/x.py", "def wait_x():\n    pass\ndef f():\n    sleep(1)\n", "x.py:4"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a {m}", "b {n}", "c {m}")\n', "placeholders"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a", "", "c")\n', "empty text"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a", "c")\n', "has 2 texts"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a {m", "b {m", "c {m")\n', "brace"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a", "b", "c")\nTEXT(a, "a", "b", "c")\n', "twice"),
    ("texts", "services/x/texts.def", 'TEXT(a, "a", B, "c")\n', "is not TEXT"),
    ("texts", "services/x/texts.def",
     'TEXT(a, "one and the same long sentence here", "b", "one and the same long "\n'
     '"sentence here")\n', "not translated"),
]


@pytest.mark.parametrize("check, name, content, message", BAD, ids=lambda value: None if "\n" in value else value)
def test_a_bad_sample_is_refused(sample, check, name, content, message):
    code, output = sample(f"check-{check}", {name: content})
    assert code == 1, output
    assert message in output
    assert name.rsplit("/", 1)[-1] in output


def test_its_own_header_comes_first(sample):
    code, output = sample("check-layers", {
        "common/base/x.h": HEADER,
        "common/base/x.c": "#include <string.h>\n\n" + include("common/base/x.h")})
    assert code == 1 and "comes first" in output


GOOD = {
    "layers": {
        "common/base/x.h": HEADER,
        "common/base/x.c": include("common/base/x.h") + "#include <string.h>\n"
                           '/* #include "services/registry/rules.h" */\n',
        "common/pg/y.c": include("common/wire/contract.h") + "#include <libpq-fe.h>\n",
        "services/registry/needs/z.c": include("services/registry/needs/store.h")
                                       + include("matching/v1/events.pb-c.h"),
        "services/registry/z_test.c": "#include <libpq-fe.h>\n",
    },
    "size": {
        "common/base/x.c": LONG_FUNCTION.replace("    a++;\n", "", 1) + "\n" * 400,
        "services/x/countries.def": "\n" * 2000,
        "tests/golden/big.c": "\n" * 2000,
        "scripts/data": "\n" * 2000,
    },
    "format": {"common/base/x.c": "int x;\n"},
    "banned": {
        "common/base/x.c": 'const char *a = "https://x"; /* TODO is only a word; sleep(1) */\n'
                           'const char *b = "Select a person, or update it";\n',
        "common/wire/socket.c": "void f(void) { zmq_socket(c, 1); }\n",
        "services/x/y.c": "void f(void) { assert(state); my_sleep(1); filesystem(2); }\n",
        "services/x/y_test.c": 'const char *q = "SELECT 1";\nvoid f(void) { PQexec(c, q); }\n',
        "tests/x.py": "def wait_until(x):\n    time.sleep(0.01)\n",
    },
    "texts": {
        "services/x/texts.def": '/* TEXT(not, "one") */\nTEXT(a, "a {m} {n}", "b {n} {m}",\n'
                                '     "c {m}"\n     " {n}")\n',
    },
}


@pytest.mark.parametrize("check", GOOD)
def test_a_good_sample_passes(sample, check):
    code, output = sample(f"check-{check}", GOOD[check])
    assert (code, output) == (0, "")


CODE_DEF = 'CODE(OK, 0, 200, NEVER, "success")\nCODE(X, 3, 400, LATER, "it\'s "\n     "bad")\n'
DOCS = {"common/base/code.def": CODE_DEF, "common/base/README.md": "[other](../README.md)\n",
        "common/README.md": "", "README.md": "[web](https://x) `[code](no)`\n",
        "docs/README.md": ""}
PROGRAM = "#!/bin/sh\nenv | grep -q SAMVERKA_ && exit 1\necho '| `workers` |'\n"


@pytest.fixture
def documented(sample, tmp_path, monkeypatch):
    """A repository with all its docs; returns the check."""
    monkeypatch.setenv("SAMVERKA_WORKERS", "4")
    programs = {f"build/dev/bin/samverka-{name}": PROGRAM for name in
                ("registry", "matching", "events", "notifications", "gateway")}
    sample("check-texts", {**DOCS, **programs})
    for name in programs:
        (tmp_path / name).chmod(0o755)
    assert sample("gen-docs", {}) == (0, "")
    return sample


def test_made_docs_say_what_the_sources_say(documented, tmp_path):
    assert documented("check-docs", {}) == (0, "")
    assert ("| `X` | 3 | 400 | after the time given, or after a second | it's bad |\n"
            in (tmp_path / "docs/errors.md").read_text())
    assert "## gateway\n\n| `workers` |\n" in (tmp_path / "docs/settings.md").read_text()


@pytest.mark.parametrize("name, content, message", [
    ("common/base/code.def", CODE_DEF.replace("400", "404"), "docs/errors.md: not fresh"),
    ("docs/settings.md", "by hand\n", "docs/settings.md: not fresh"),
    ("docs/a.md", "\n[gone](nothing.md#there)\n", "docs/a.md:2: nothing.md does not exist"),
    ("services/x/main.c", "", "services/x/README.md:1: is missing"),
    ("common/wire/x.c", "", "common/wire/README.md:1: is missing"),
    ("services/x/README.md", "\n" * 121, "longer than a page"),
])
def test_bad_docs_are_refused(documented, name, content, message):
    code, output = documented("check-docs", {name: content})
    assert code == 1
    assert message in output


def test_settings_without_a_build_are_not_called_fresh(documented, tmp_path):
    (tmp_path / "build/dev/bin/samverka-gateway").unlink()
    code, output = documented("check-docs", {})
    assert code == 1 and "build gateway first" in output

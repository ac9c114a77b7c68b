"""libsamverka as a stranger uses it: installed, found by pkg-config, its examples against real servers."""

import os
import pathlib
import re
import subprocess

import pytest
from servers import wait_for

from events_place import (  # noqa: F401
    alone, await_head, await_leader, client, cluster, DEADLINE_S, enrol, event, execute, follow, head,
    number, own_key, publish, read_to, ROOT, start, TENANTS, writer)

C = ROOT / "clients/c"


def key_files(keys, folder, name="mine"):
    for text, suffix in zip(keys, (".pub", ".key")):
        (folder / f"{name}{suffix}").write_bytes(text + b"\n")
    return folder / name


def words(cluster, keys, folder, *more, endpoints=None):
    return [endpoints or cluster.stream_endpoint, cluster.key_folder / "events.pub",
            key_files(keys, folder), *more]


def run(cluster, example, *arguments, check=True, **options):
    return subprocess.run([cluster.build / "examples" / f"example_{example}", *arguments],
                          capture_output=True, text=True, timeout=60, check=check, **options)


def test_the_example_prints_every_event_in_order(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS)
    connection = writer(cluster)
    sent = []
    for i in range(30):
        batch = [event(client, TENANTS[i % 2]) for _ in range(1 + i % 7)]
        publish(connection, TENANTS[i % 2], batch)
        sent += batch
    told = run(cluster, "follow", *words(cluster, keys, tmp_path, "0", str(len(sent)))).stdout
    assert told.split("\n")[:-1] == [f"{i} {item.type} {item.id}"
                                     for i, item in enumerate(sent, 1)]
    later = run(cluster, "follow", *words(cluster, keys, tmp_path, "5", str(len(sent)))).stdout
    assert later.split("\n")[:-1] == told.split("\n")[5:-1]


def test_the_example_filters_by_type(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS)
    kinds = ["org.samverka.need.published.v1", "org.samverka.person.added.v1", "com.example.x.v1"]
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0], kind) for kind in kinds])
    told = run(cluster, "follow", *words(cluster, keys, tmp_path, "0", "3",
                                         "org.samverka.need.", "com.")).stdout
    assert [line.split()[:2] for line in told.splitlines()] == [["1", kinds[0]], ["3", kinds[2]]]


def test_a_follower_goes_on_at_another_instance_when_its_own_is_killed(make_cluster, client,
                                                                       tmp_path):
    cluster = start(make_cluster, slots={"events": 2})
    cluster.start_service("events-2")
    endpoints = ",".join([cluster.stream_endpoint,
                          f"tcp://127.0.0.1:{cluster.ports['events-2.stream']}"])
    keys, _ = enrol(cluster, TENANTS)
    connection = writer(cluster)
    sent = []

    def publish_some():
        batch = [event(client, TENANTS[0]) for _ in range(20)]
        publish(connection, TENANTS[0], batch)
        sent.extend(item.id for item in batch)
    out = tmp_path / "out"
    with open(out, "w", encoding="utf-8") as file, subprocess.Popen(
            [cluster.build / "examples/example_follow",
             *words(cluster, keys, tmp_path, "0", "100", endpoints=endpoints)],
            stdout=file) as process:
        publish_some()
        for name in ("events", "events-2"):
            wait_for(lambda: len(out.read_text().splitlines()) == len(sent), DEADLINE_S, "events")
            cluster.kill(name)
            publish_some()  # its fellow leads after a while
            cluster.start_service(name)
            publish_some()
        assert process.wait(DEADLINE_S) == 0
    assert [line.split()[2] for line in out.read_text().splitlines()] == sent


@pytest.mark.parametrize("after, code", [("99", "INVALID"), ("0", "GONE")])
def test_a_position_that_cannot_be_served_is_told(cluster, client, tmp_path, after, code):
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0]) for _ in range(7)])
    await_head(cluster, 7)
    execute(cluster, "UPDATE events.head SET first_kept = 3")
    cluster["events"].stop()
    cluster.start_service("events")
    answer = run(cluster, "follow", *words(cluster, own_key(cluster), tmp_path, after),
                 check=False)
    assert answer.returncode == 1 and answer.stderr.startswith(f"follow: {code}: ")


def test_a_revoked_key_is_told_so(cluster, client, tmp_path):
    keys, system = enrol(cluster, TENANTS)
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0])])
    with subprocess.Popen([cluster.build / "examples/example_follow",
                           *words(cluster, keys, tmp_path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("1 ")
        execute(cluster, "DELETE FROM events.test_system WHERE system_id = %s", system)
        told = process.communicate(timeout=10)[1]
    assert process.returncode == 1 and told.startswith("follow: DENIED: ")


# Appending.


def appended(cluster, keys, folder, lines, source="/crm", next_batch=1, kind="com.example.order.v1",
             endpoints=None):
    told = run(cluster, "append", *words(cluster, keys, folder, source, str(next_batch), kind,
                                         endpoints=endpoints),
               input="".join(f"{line}\n" for line in lines), check=False)
    return told, [tuple(map(int, line.split())) for line in told.stdout.splitlines()]


def test_appended_lines_are_in_the_log_once_and_in_order(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS[:1], appends=["com.example."])
    lines = [f"order {i}" for i in range(200)]
    told, batches = appended(cluster, keys, tmp_path, lines)
    assert told.returncode == 0, told.stderr
    assert sorted(batch for batch, _ in batches) == list(range(1, 201))
    got = read_to(follow(client, cluster, keys), 200)
    assert [item.binary_data.decode() for item in got] == lines
    assert {item.source for item in got} == {"/crm"}
    place = {number(item): item.binary_data for item in got}
    for batch, position in batches:
        assert place[position].decode() == lines[batch - 1]


def test_a_type_that_a_system_may_not_append_is_told(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS[:1], appends=["com.example."])
    for kind, code in (("org.samverka.need.published.v1", "DENIED"), ("net.else.x.v1", "DENIED")):
        told, batches = appended(cluster, keys, tmp_path, ["x"], kind=kind)
        assert told.returncode == 1 and not batches
        assert told.stderr.startswith(f"append: {code}: batch 1: batch.events[0].type: ")


def test_a_batch_number_with_other_content_is_a_conflict(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS[:1], appends=["com."])
    assert appended(cluster, keys, tmp_path, ["x"])[0].returncode == 0
    told, _ = appended(cluster, keys, tmp_path, ["y"])
    assert told.returncode == 1 and told.stderr.startswith("append: CONFLICT: batch 1: ")


def test_appends_beyond_the_keys_limit_are_late_and_not_lost(cluster, client, tmp_path):
    keys, _ = enrol(cluster, TENANTS[:1], appends=["com."], limits=(0, 0, 40))
    told, batches = appended(cluster, keys, tmp_path, range(100))
    assert told.returncode == 0, told.stderr
    assert len({position for _, position in batches}) == 100


def test_appends_find_the_leader_and_survive_its_death(make_cluster, client, tmp_path):
    cluster = start(make_cluster, slots={"events": 2})
    cluster.start_service("events-2")
    endpoints = ",".join([cluster.stream_endpoint,
                          f"tcp://127.0.0.1:{cluster.ports['events-2.stream']}"])
    keys, _ = enrol(cluster, TENANTS[:1], appends=["com."])
    with subprocess.Popen(
            [cluster.build / "examples/example_append",
             *words(cluster, keys, tmp_path, "/crm", "1", "com.x.v1", endpoints=endpoints)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            for part in range(3):
                process.stdin.writelines(f"{part}-{i}\n" for i in range(300))
                process.stdin.flush()
                await_head(cluster, 300 * part + 150)
                if part < 2:
                    leads = await_leader(cluster).name
                    cluster.kill(leads)
                    cluster.start_service(leads)
            told = process.communicate(timeout=60)[0]
        finally:
            process.kill()
    assert process.returncode == 0
    last = head(cluster)
    assert len(told.splitlines()) == 900 and last == 900
    got = read_to(follow(client, cluster, own_key(cluster)), last)
    assert len({item.id for item in got}) == 900
    assert {item.binary_data.decode() for item in got} == {
        f"{part}-{i}" for part in range(3) for i in range(300)}


# Installed.


def sanitizers(build):
    found = re.search(r"^HOUSE_SANITIZE:STRING=(\S+)$",
                      (build / "CMakeCache.txt").read_text(), re.M)
    return [f"-fsanitize={found[1]}"] if found else []


@pytest.fixture(scope="module")
def installed(build_folder, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", build_folder, "--prefix", prefix], check=True,
                   capture_output=True)
    return prefix


def pkg_config(prefix, *arguments):
    path = next(prefix.rglob("pkgconfig"))
    return subprocess.run(["pkg-config", *arguments, "samverka"], check=True, capture_output=True,
                          text=True, env={**os.environ, "PKG_CONFIG_PATH": str(path)}
                          ).stdout.split()


def test_what_is_installed_is_the_library_its_header_and_its_description(installed):
    files = sorted(path.name for path in installed.rglob("*") if not path.is_dir())
    assert files == ["libsamverka.a", "libsamverka.so", "libsamverka.so.1",
                     "libsamverka.so.1.0.0", "samverka.h", "samverka.pc"]


@pytest.mark.parametrize("kind", ["shared", "static"])
@pytest.mark.parametrize("example", ["follow", "append", "worker"])
def test_an_example_is_compiled_by_what_pkg_config_says(installed, build_folder, tmp_path, kind,
                                                        example):
    libraries = pkg_config(installed, "--libs")
    folder = pathlib.Path(libraries[0].removeprefix("-L"))
    if kind == "static":
        libraries = [folder / "libsamverka.a", "-lzmq", "-lprotobuf-c", "-lsodium"]
    program = tmp_path / example
    subprocess.run(["gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror",
                    *sanitizers(build_folder), *pkg_config(installed, "--cflags"), "-o", program,
                    C / f"examples/{example}.c", *libraries], check=True)
    told = subprocess.run([program], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": str(folder)})
    assert told.returncode in (1, 2) and told.stderr, "words are missing"


def test_the_header_stands_alone_in_c99_and_in_cplusplus(installed, tmp_path):
    source = tmp_path / "only.c"
    source.write_text("#include <samverka.h>\n")
    for compiler in (["gcc", "-std=c99", "-pedantic-errors", "-xc"], ["g++", "-xc++"]):
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                        *pkg_config(installed, "--cflags"), source], check=True)


def test_the_shared_library_shows_nothing_but_the_header(installed):
    library = next(installed.rglob("libsamverka.so.1.0.0"))
    listed = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                            capture_output=True, text=True).stdout.split("\n")
    shown = {line.split()[2] for line in listed if " T " in line}
    declared = set(re.findall(r"\b(samverka_\w+)\(", (C / "samverka.h").read_text()))
    assert shown == declared


def test_examples_are_shorter_than_sixty_lines():
    for path in (C / "examples").glob("*.c"):
        assert path.read_text().count("\n") < 60, path.name

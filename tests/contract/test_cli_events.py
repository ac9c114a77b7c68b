"""`samverka events`: following, bulk, export and proof of the log, as the operator."""

import hashlib
import json
import re

import pytest

from events_place import (  # noqa: F401
    alone, await_head, client, cluster, event, execute, publish, roll, TENANTS, writer)

NEED, PERSON = "org.samverka.need.published.v1", "org.samverka.person.added.v1"


def fill(cluster, client):
    """Events of two tenants in several regions, some internal; gives what was written."""
    connection, sent = writer(cluster), []
    for i in range(60):
        tenant = TENANTS[i % 2]
        one = event(client, tenant, (NEED, PERSON)[i % 3 == 0], subject=f"s{i % 5}",
                    audience="internal" if i % 7 == 0 else "")
        one.attributes["nuts"].ce_string = ("SE312", "SE232", "FI1B1")[i % 3]
        one.attributes["programme"].ce_string = ("KTP", "LUP")[i % 2]
        publish(connection, tenant, [one])
        sent.append(one)
    await_head(cluster, len(sent))
    return sent


def events(cluster, *words, check=True):
    return cluster.command_line("events", *words, check=check)


def lines(answer):
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_replay_is_every_event_as_cloudevents_with_its_position(cluster, client):
    sent = fill(cluster, client)
    answer = events(cluster, "replay", "--after", "0")
    told = lines(answer)
    assert [one["position"] for one in told] == list(range(1, 61))
    assert [one["id"] for one in told] == [one.id for one in sent]
    for one in told:
        assert one["specversion"] == "1.0" and int(one["sequence"]) == one["position"]
    assert re.fullmatch(r"replayed 60 events, \d+ a second, up to position 60\n", answer.stderr)
    part = lines(events(cluster, "replay", "--after", "10", "--through", "20"))
    assert [one["position"] for one in part] == list(range(11, 21))


@pytest.mark.parametrize("words, passes", [
    (["--type", PERSON], lambda one: one["type"] == PERSON),
    (["--type", "org.samverka.need.", "--type", "x"], lambda one: one["type"] == NEED),
    (["--subject", "s1", "--subject", "s4"], lambda one: one["subject"] in ("s1", "s4")),
    (["--nuts", "SE3", "--nuts", "FI"], lambda one: one["nuts"][:2] == "FI" or one["nuts"][2] == "3"),
    (["--programme", "LUP"], lambda one: one["programme"] == "LUP"),
    (["--tenant", TENANTS[1]], lambda one: one["tenantid"] == TENANTS[1]),
    (["--nuts", "SE", "--programme", "KTP", "--type", NEED],
     lambda one: one["nuts"][:2] == "SE" and one["programme"] == "KTP" and one["type"] == NEED),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_filters_narrow_each_other(cluster, client, words, passes):
    fill(cluster, client)
    everything = lines(events(cluster, "replay"))
    expected = [one["position"] for one in everything if passes(one)]
    assert 0 < len(expected) < 60
    assert [one["position"] for one in lines(events(cluster, "replay", *words))] == expected
    followed = events(cluster, "follow", "--after", "0", "--count", str(len(expected)), *words)
    assert [one["position"] for one in lines(followed)] == expected


def test_an_export_lies_whole_on_the_disk_under_its_name(cluster, client, tmp_path):
    sent = fill(cluster, client)
    target = tmp_path / "log.jsonl"
    answer = events(cluster, "export", "--to", str(target), "--through", "50")
    kept = [json.loads(line) for line in target.read_text().splitlines()]
    assert [int(one["sequence"]) for one in kept] == list(range(1, 51))
    assert [one["id"] for one in kept] == [one.id for one in sent[:50]]
    assert all("position" not in one for one in kept), "pure CloudEvents"
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]
    assert "exported 50 events" in answer.stderr and not answer.stdout
    again = events(cluster, "export", "--to", "-")
    assert len(lines(again)) == 60


@pytest.mark.parametrize("words, complaint", [
    (["follow", "--after", "x"], "--after: must be a number"),
    (["follow", "--shared"], "--shared: needs --consumer"),
    (["follow", "--consumer", "No Such"], "consumer: 1 to 64"),
    (["follow", "--after", "0", "--type", "x" * 200], "types: each has 1 to 128 bytes"),
    (["follow", "--after", "999", "--count", "1"], "the log ends at 0"),
    (["follow", "--to", "x"], "--to: is not an option"),
    (["replay", "--through", "1"], "--through: the log ends at 0"),
    (["replay", "--to", "/nowhere/at/all"], "--to: /nowhere/at/all.part: "),
    (["export"], "--to: names a file"),
    (["export", "--to", "-", "--trim"], "--trim: needs a file"),
    (["verify", "--after", "5"], "--after: the log ends at 0"),
    (["consumers", "x"], "events follow | replay"),
    (["forget", "x"], "events follow | replay"),
    (["nothing"], "events follow | replay"),
    ([], "events follow | replay"),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_wrong_words_are_told(cluster, words, complaint):
    answer = events(cluster, *words, check=False)
    assert answer.returncode == 1 and complaint in answer.stderr, answer.stderr


# Proof.


def spoil(cluster, position, what):
    """Changes the stored block that holds the position."""
    execute(cluster, f"UPDATE events.log SET {what} WHERE position <= %s AND last >= %s", position,
            position)


def test_a_sound_log_is_proved(cluster, client):
    fill(cluster, client)
    answer = events(cluster, "verify")
    assert re.fullmatch(r"positions 1 to 60: \d+ blocks, 9 internal events, 2 tenants; "
                        r"chains compared\n", answer.stdout), answer.stdout
    part = events(cluster, "verify", "--after", "30").stdout
    assert "positions 31 to 60: " in part and "chains not compared" in part


def test_an_empty_log_is_proved(cluster):
    assert "positions 1 to 0: 0 blocks, 0 internal events, 0 tenants" in \
        events(cluster, "verify").stdout


def test_a_changed_byte_is_found_by_checksum_and_by_chain(cluster, client):
    sent = fill(cluster, client)
    data = bytes(execute(cluster, "SELECT data FROM events.log WHERE position <= 20 AND last >= 20")
                 [0][0])
    at = data.index(b"x" * 40, data.index(sent[19].id.encode())) + 7  # in the data of the 20th
    first = execute(cluster, "SELECT position FROM events.log WHERE position <= 20 AND last >= 20")
    spoil(cluster, 20, f"data = set_byte(data, {at}, 121)")
    answer = events(cluster, "verify", check=False)
    assert answer.returncode == 1
    assert answer.stdout.startswith(f"position {first[0][0]}: "), answer.stdout
    assert f"the first at position {first[0][0]}\n" in answer.stderr
    # One who can write blocks can write checksums: the chain tells all the same.
    spoil(cluster, 20, "checksum = "
          f"decode('{hashlib.blake2b(data[:at] + b'y' + data[at + 1:], digest_size=32).hexdigest()}',"
          " 'hex')")
    restart(cluster)
    answer = events(cluster, "verify", check=False)
    assert answer.returncode == 1 and "is not that of the log" in answer.stdout, answer.stdout


def restart(cluster):
    """Nothing of the log is in memory any more."""
    cluster["events"].stop()
    cluster.start_service("events")


def test_a_lost_block_is_found(cluster, client):
    connection = writer(cluster)
    for block in range(1, 5):
        publish(connection, TENANTS[0], [event(client, TENANTS[0]) for _ in range(5)])
        await_head(cluster, 5 * block)
    lost = execute(cluster, "DELETE FROM events.log WHERE position > 1 AND last < 20 "
                            "AND position = (SELECT max(position) FROM events.log WHERE last < 20) "
                            "RETURNING position")[0][0]
    restart(cluster)
    answer = events(cluster, "verify", check=False)
    assert answer.returncode == 1 and str(lost) in answer.stdout, answer.stdout + answer.stderr


def test_what_was_exported_is_let_go_of_and_the_rest_still_proved(cluster, client, tmp_path):
    fill(cluster, client)
    roll(cluster)
    restart(cluster)
    publish(writer(cluster), TENANTS[0], [event(client, TENANTS[0]) for _ in range(5)])
    await_head(cluster, 65)
    target = tmp_path / "log.jsonl"
    told = events(cluster, "export", "--to", str(target), "--through", "60", "--trim").stderr
    assert told.endswith("the log begins after position 60 now\n"), told
    assert len(target.read_text().splitlines()) == 60
    assert "positions 61 to 65: " in events(cluster, "verify").stdout
    gone = events(cluster, "replay", "--after", "0", check=False)
    assert gone.returncode == 1 and "POSITION_GONE: the first position kept is 60" in gone.stderr

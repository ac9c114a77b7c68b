"""`samverka events`: following, bulk, export and proof of the log, as the operator."""

import json
import re

import pytest

from events_place import (  # noqa: F401
    alone, await_head, client, cluster, event, execute, follow, head, own_key, publish, read_to, TENANTS, writer)

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

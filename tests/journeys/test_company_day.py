"""The timetable of a company day, through HTTP: planned, a company falls ill, repaired."""

import random

import pytest

from samverka_client import Problem

SLOTS, TABLES, GAP = 10, 6, 2


def check(asked, planned, away=()):
    """No clash, no more than the tables, nobody where it cannot be, nobody waits too long."""
    who = {m["meetingId"]: (m["first"], m["second"]) for m in asked}
    held = [m for m in planned["meetings"] if m["slot"]]
    assert len(held) == planned["held"]
    assert len({(m["slot"], m["table"]) for m in held}) == len(held)
    assert all(1 <= m["table"] <= TABLES and m["slot"] != 5 for m in held)
    busy = {}
    for meeting in held:
        for participant in who[meeting["meetingId"]]:
            assert participant not in away
            busy.setdefault(participant, []).append(meeting["slot"])
    for slots in busy.values():
        assert len(set(slots)) == len(slots)
        work = [s - (s > 5) for s in sorted(slots)]  # the break is no waiting
        assert all(b - a - 1 <= GAP for a, b in zip(work, work[1:]))
    for meeting in planned["meetings"]:
        assert (meeting["slot"] == 0) == bool(meeting["text"]) == (meeting["reason"] != "MEETING_HELD")
    return {m["meetingId"]: m["slot"] for m in planned["meetings"]}


def test_a_company_day_is_planned_and_repaired(world):
    address, _ = world.add_account("arranger", "PROCESS_MANAGER")
    arranger = world.web(address)
    draw = random.Random(7)
    pairs = draw.sample([(f"c{c}", f"s{s}") for c in range(8) for s in range(25)], 48)
    meetings = [{"meetingId": f"m{i}", "first": c, "second": s, "priority": i % 3}
                for i, (c, s) in enumerate(pairs)]
    day = {"tables": [0 if slot == 4 else TABLES for slot in range(SLOTS)], "gapMax": GAP}
    planned = arranger.post("/v1/timetables/plan", {**day, "meetings": meetings})
    slots = check(meetings, planned)
    assert planned["held"] > 36 and planned["longestWait"] <= GAP and planned["moved"] == 0
    assert planned == arranger.post("/v1/timetables/plan", {**day, "meetings": meetings})

    now = [{**m, "slot": slots[m["meetingId"]]} for m in meetings]
    repaired = arranger.post("/v1/timetables/plan", {
        **day, "meetings": now, "absences": [{"participant": "c3"}]})
    after = check(meetings, repaired, away={"c3"})
    own = [m["meetingId"] for m in meetings if m["first"] == "c3" and slots[m["meetingId"]]]
    assert own and all(after[i] == 0 for i in own)
    assert len(own) <= repaired["moved"] <= len(own) + 8

    for change, field in (({"tables": []}, "/tables"),
                          ({"meetings": [{**meetings[0], "second": "c0", "first": "c0"}]},
                           "/meetings/0/second"),
                          ({"absences": [{"participant": "ingen"}]}, "/absences/0/participant")):
        with pytest.raises(Problem) as refusal:
            arranger.post("/v1/timetables/plan", {**day, "meetings": meetings, **change})
        assert refusal.value.status == 400
        assert refusal.value.document["errors"][0]["pointer"] == field

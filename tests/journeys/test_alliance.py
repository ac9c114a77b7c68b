"""A partnership officer composes a Knowledge Alliance (J2), through HTTP: the composer proposes, one
firm declines, the composer proposes again, a partner-country member is justified, all commit."""

import pytest

from journeys.test_ktp import rule, short
from samverka_client import Problem, wait_for


class Alliance:
    """The organisations that there are: who could join, and what they offer."""

    def __init__(self, world):
        self.world = world
        self.address, _ = world.add_account("officer", "PARTNERSHIP_OFFICER")
        self.officer = world.web(self.address, language="en")
        self.fi_hei = world.add_organisation("Itä-Suomen yliopisto", kind="HEI_UNIVERSITY",
                                             nuts="FI1D2", country="FI")
        self.se_firm = world.add_organisation("Dalahus Komponenter AB")
        self.fi_firm = world.add_organisation("Kuopion Konepaja Oy", nuts="FI1D2", country="FI")
        self.se_firm_2 = world.add_organisation("Borlänge Lärsystem AB")
        self.de_association = world.add_organisation("Verein Lernen", kind="ASSOCIATION",
                                                     nuts="DE212", country="DE")
        self.de_authority = world.add_organisation("Stadt München", kind="AUTHORITY",
                                                   nuts="DE212", country="DE")
        self.ca_hei = world.add_organisation("University of Waterloo", kind="HEI_UNIVERSITY",
                                             nuts="", country="CA")
        for organisation in (self.fi_firm, self.de_association):
            self.offer(organisation)
        self.board = [world.university, self.fi_hei, self.se_firm]

    def offer(self, organisation):
        self.officer.post("/v1/capabilities", {
            "organisationId": organisation, "kind": "EXPERTISE", "visibility": "PUBLIC",
            "skills": self.world.skills("problem-based-learning"),
            "text": [{"lang": "en", "value": "Problem-based learning with companies."}]})

    def compose(self, **question):
        fields = {"programmeCode": "KA", "board": self.board,
                  "topic": [self.world.concepts["problem-based-learning"]], **question}
        made = self.officer.post("/v1/compositions", {"question": fields})["composition"]
        return self.solved(made["compositionId"])

    def solved(self, composition_id, run=1):
        def done():
            found = self.officer.get(f"/v1/compositions/{composition_id}")["composition"]
            assert found["state"] not in ("COMPOSITION_FAILED", "COMPOSITION_UNSOLVED"), found
            return found if found["state"] == "COMPOSITION_SOLVED" \
                and found["run"]["number"] == run else None
        return wait_for(done, 60, "a composition")

    def step(self, partnership, path, body=None):
        return self.officer.post(f"/v1/partnerships/{partnership['partnershipId']}/{path}",
                                 body or {}, etag=partnership["version"])["partnership"]

    def answer(self, partnership, organisation, **body):
        return self.step(partnership, f"members/{organisation}/answer", body)

    def describe(self, partnership, organisation, **body):
        return self.officer.put(
            f"/v1/partnerships/{partnership['partnershipId']}/members/{organisation}", body,
            partnership["version"])["partnership"]

    def evaluate(self, partnership, mode="DRAFT"):
        return self.officer.post(f"/v1/partnerships/{partnership['partnershipId']}/evaluate",
                                 {"mode": mode})

    def events(self):
        return self.officer.get("/v1/events?limit=200")


def ids(found):
    return [addition["organisationId"] for addition in found["additions"]]


def is_alliance(found):
    """What the example of the rule set says: three more, at least one firm and one new country."""
    additions = found["additions"]
    return (len(additions) == 3 and any(a["type"] == "company" for a in additions)
            and any(a["country"] not in ("SE", "FI", "CA") for a in additions)
            and not any(a["country"] == "CA" for a in additions) and found["newCountries"] >= 1)


def test_an_alliance_is_composed_again_after_a_no_and_becomes_eligible(world):
    alliance = Alliance(world)
    officer = alliance.officer

    # The composer proposes.
    first = alliance.compose(setsWanted=5)
    run = first["run"]
    assert run["proven"] and run["rankingProven"] and run["sets"], run
    assert all(is_alliance(found) for found in run["sets"]), run["sets"]
    chosen = run["sets"][0]
    assert {alliance.fi_firm, alliance.de_association} <= set(ids(chosen)), chosen
    assert "person decides" in chosen["explanation"]
    assert run["ruleSetVersion"] == "RS-KA v1" and run["weightsVersion"]

    # Invited; those on board commit, a firm declines.
    partnership = officer.post("/v1/partnerships", {
        "title": "Problem-based learning", "programmeCode": "KA", "activities": ["problem_based"],
        "organisationIds": alliance.board + ids(chosen)})["partnership"]
    for organisation in alliance.board:
        partnership = alliance.answer(partnership, organisation, commit=True)
    with pytest.raises(Problem) as problem:
        alliance.answer(partnership, alliance.fi_firm, commit=False)
    assert problem.value.status == 400, "a no needs a reason"
    partnership = alliance.answer(partnership, alliance.fi_firm, commit=False,
                                  reason="No staff this year")
    assert partnership["state"] == "COMPOSING"
    others = [o for o in ids(chosen) if o != alliance.fi_firm]
    for organisation in others:
        partnership = alliance.answer(partnership, organisation, commit=True)

    # Composed again without the firm that said no.
    alliance.board += others
    second = alliance.compose(excluded=[alliance.fi_firm])
    assert [len(found["additions"]) for found in second["run"]["sets"]][0] == 1
    replacement = ids(second["run"]["sets"][0])[0]
    assert replacement == alliance.se_firm_2
    partnership = alliance.step(partnership, "invite", {"organisationId": replacement})

    # A university from outside the programme's countries must be justified.
    partnership = alliance.step(partnership, "invite", {"organisationId": alliance.ca_hei})
    verdict = alliance.evaluate(partnership)["verdict"]
    assert rule(verdict, "KA-06")["outcome"] == "FAIL", verdict
    assert "Waterloo" in rule(verdict, "KA-06")["remedy"]
    partnership = officer.get(f"/v1/partnerships/{partnership['partnershipId']}")["partnership"]
    partnership = alliance.describe(partnership, alliance.ca_hei, task="Method", benefit="Cases",
                                    addedValue="Invented the method that the project builds on.")
    for organisation in (world.university, alliance.se_firm):
        partnership = alliance.describe(partnership, organisation, task="Courses",
                                        benefit="New ways to learn")

    # All commit; three years.
    for organisation in (replacement, alliance.ca_hei):
        partnership = alliance.answer(partnership, organisation, commit=True)
    assert partnership["state"] == "PARTNERSHIP_COMMITTED"
    partnership = officer.patch(f"/v1/partnerships/{partnership['partnershipId']}", {
        "start": "2026-01-01", "end": "2028-07-01"}, partnership["version"])["partnership"]
    verdict = alliance.evaluate(partnership, "SUBMISSION")["verdict"]
    assert verdict["overall"] == "INELIGIBLE" and rule(verdict, "KA-07")["outcome"] == "FAIL"
    partnership = officer.get(f"/v1/partnerships/{partnership['partnershipId']}")["partnership"]
    partnership = officer.patch(f"/v1/partnerships/{partnership['partnershipId']}", {
        "end": "2029-01-01"}, partnership["version"])["partnership"]
    judged = alliance.evaluate(partnership, "SUBMISSION")
    assert judged["verdict"]["overall"] == "ELIGIBLE", judged["verdict"]
    assert judged["partnership"]["state"] == "PARTNERSHIP_SUBMITTED"

    # Told: every member's commitment, that it was formed, the verdicts.
    members = {m["organisationId"] for m in judged["partnership"]["members"]
               if m["state"] == "MEMBER_COMMITTED"}
    assert members == set(alliance.board) | {replacement, alliance.ca_hei}

    def told():
        events = [e for e in alliance.events() if e.get("subject") == partnership["partnershipId"]]
        committed = {e["data"]["organisationId"] for e in events
                     if short(e["type"]) == "membership.committed"}
        kinds = [short(e["type"]) for e in events]
        return committed == members and "partnership.formed" in kinds \
            and kinds.count("eligibility.evaluated") == 3
    wait_for(told, 20, "commitments in the log")

    # Solved again from the same inputs: the same hashes, both runs on record.
    officer.post(f"/v1/compositions/{first['compositionId']}/repeat", {}, etag=first["version"])
    alliance.solved(first["compositionId"], run=2)
    runs = officer.get(f"/v1/compositions/{first['compositionId']}/runs")["runs"]
    assert [r["number"] for r in runs] == [1, 2]
    assert len({r["inputsHash"] for r in runs}) == 1 and runs[0]["inputsHash"]
    assert len({r["answerHash"] for r in runs}) == 1
    assert runs[0]["sets"] == runs[1]["sets"]


def test_rules_that_cannot_be_met_are_named(world):
    alliance = Alliance(world)
    swedish = [alliance.se_firm_2, alliance.fi_firm]
    found = alliance.compose(candidates=[{"organisationId": o} for o in swedish])["run"]
    assert found["proven"] and not found.get("sets")
    assert found["conflict"]["minimal"]
    assert found["conflict"]["ruleIds"] in (["KA-01"], ["KA-02"]), found["conflict"]
    assert found["conflict"]["ruleIds"][0] in found["conflict"]["explanation"]

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

    def start(self, **question):
        fields = {"programmeCode": "KA", "board": self.board,
                  "topic": [self.world.concepts["problem-based-learning"]], **question}
        made = self.officer.post("/v1/compositions", {"question": fields})["composition"]
        return made["compositionId"]

    def compose(self, **question):
        return self.solved(self.start(**question))

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

    def evaluate(self, partnership, mode="DRAFT", **more):
        return self.officer.post(f"/v1/partnerships/{partnership['partnershipId']}/evaluate",
                                 {"mode": mode, **more})

    def owns(self, parent, child, share):
        self.world.call("registry.v1.Organisations/RelateOrganisations", {
            "parentId": parent, "childId": child, "kind": "OWNS", "shareThousandths": share,
            "source": "Bolagsverket"}, tenant=self.world.tenant)


def ids(found):
    return [addition["organisationId"] for addition in found["additions"]]


def is_alliance(found):
    """What the example of the rule set says: three more, at least one firm and one new country."""
    additions = found["additions"]
    return (len(additions) == 3 and any(a["type"] == "company" for a in additions)
            and any(a["country"] not in ("SE", "FI", "CA") for a in additions)
            and not any(a["country"] == "CA" for a in additions) and found["newCountries"] >= 1)


class Journey:
    """The steps, one after the other."""

    def __init__(self, world):
        self.world = world
        self.alliance = Alliance(world)
        self.officer = self.alliance.officer
        self.partnership = self.chosen = self.first = self.replacement = None

    def update(self, **fields):
        path = f"/v1/partnerships/{self.partnership['partnershipId']}"
        self.partnership = self.officer.patch(path, fields,
                                              self.partnership["version"])["partnership"]

    def answer(self, organisation, **body):
        self.partnership = self.alliance.answer(self.partnership, organisation, **body)

    def describe(self, organisation, **body):
        self.partnership = self.alliance.describe(self.partnership, organisation, **body)

    def evaluate(self, mode="DRAFT"):
        judged = self.alliance.evaluate(self.partnership, mode)
        self.partnership = judged["partnership"]
        return judged["verdict"]

    def composer_proposes(self):
        self.first = self.alliance.compose(setsWanted=5)
        run = self.first["run"]
        assert run["proven"] and run["rankingProven"] and run["sets"], run
        assert all(is_alliance(found) for found in run["sets"]), run["sets"]
        best = run["sets"][0]
        self.chosen = ids(best)
        assert {self.alliance.fi_firm, self.alliance.de_association} <= set(self.chosen), best
        assert "person decides" in best["explanation"]
        assert run["ruleSetVersion"] == "RS-KA v1" and run["weightsVersion"]

    def a_firm_declines(self):
        alliance = self.alliance
        self.partnership = self.officer.post("/v1/partnerships", {
            "title": "Problem-based learning", "programmeCode": "KA",
            "activities": ["problem_based"],
            "organisationIds": alliance.board + self.chosen})["partnership"]
        for organisation in alliance.board:
            self.answer(organisation, commit=True)
        with pytest.raises(Problem) as problem:
            self.answer(alliance.fi_firm, commit=False)
        assert problem.value.status == 400, "a no needs a reason"
        self.answer(alliance.fi_firm, commit=False, reason="No staff this year")
        assert self.partnership["state"] == "COMPOSING"

    def composer_proposes_again(self):
        alliance = self.alliance
        others = [o for o in self.chosen if o != alliance.fi_firm]
        for organisation in others:
            self.answer(organisation, commit=True)
        alliance.board += others
        best = alliance.compose(excluded=[alliance.fi_firm])["run"]["sets"][0]
        assert ids(best) == [alliance.se_firm_2]
        self.replacement = alliance.se_firm_2
        self.partnership = alliance.step(self.partnership, "invite",
                                         {"organisationId": self.replacement})

    def a_partner_country_member_is_justified(self):
        alliance = self.alliance
        self.partnership = alliance.step(self.partnership, "invite",
                                         {"organisationId": alliance.ca_hei})
        verdict = self.evaluate()
        assert rule(verdict, "KA-06")["outcome"] == "FAIL", verdict
        assert "Waterloo" in rule(verdict, "KA-06")["remedy"]
        self.describe(alliance.ca_hei, task="Method", benefit="Cases",
                      addedValue="Invented the method that the project builds on.")
        for organisation in (self.world.university, alliance.se_firm):
            self.describe(organisation, task="Courses", benefit="New ways to learn")

    def all_commit_to_three_years(self):
        for organisation in (self.replacement, self.alliance.ca_hei):
            self.answer(organisation, commit=True)
        assert self.partnership["state"] == "PARTNERSHIP_COMMITTED"
        self.update(start="2026-01-01", end="2028-07-01")
        verdict = self.evaluate("SUBMISSION")
        assert verdict["overall"] == "INELIGIBLE" and rule(verdict, "KA-07")["outcome"] == "FAIL"
        self.update(end="2029-01-01")
        verdict = self.evaluate("SUBMISSION")
        assert verdict["overall"] == "ELIGIBLE", verdict
        assert self.partnership["state"] == "PARTNERSHIP_SUBMITTED"

    def the_log_tells(self):
        members = {m["organisationId"] for m in self.partnership["members"]
                   if m["state"] == "MEMBER_COMMITTED"}
        assert members == {*self.alliance.board, self.replacement, self.alliance.ca_hei}

        def told():
            events = [e for e in self.officer.get("/v1/events?limit=200")
                      if e.get("subject") == self.partnership["partnershipId"]]
            kinds = [short(e["type"]) for e in events]
            committed = {e["data"]["organisationId"] for e in events
                         if short(e["type"]) == "membership.committed"}
            return committed == members and "partnership.formed" in kinds \
                and kinds.count("eligibility.evaluated") == 3
        wait_for(told, 20, "commitments in the log")

    def solved_again_it_is_the_same(self):
        path = f"/v1/compositions/{self.first['compositionId']}"
        self.officer.post(f"{path}/repeat", {}, etag=self.first["version"])
        self.alliance.solved(self.first["compositionId"], run=2)
        runs = self.officer.get(f"{path}/runs")["runs"]
        assert [r["number"] for r in runs] == [1, 2]
        assert len({r["inputsHash"] for r in runs}) == 1 and runs[0]["inputsHash"]
        assert len({r["answerHash"] for r in runs}) == 1
        assert runs[0]["sets"] == runs[1]["sets"]


def test_an_alliance_is_composed_again_after_a_no_and_becomes_eligible(world):
    journey = Journey(world)
    journey.composer_proposes()
    journey.a_firm_declines()
    journey.composer_proposes_again()
    journey.a_partner_country_member_is_justified()
    journey.all_commit_to_three_years()
    journey.the_log_tells()
    journey.solved_again_it_is_the_same()


def test_a_composition_outlives_the_instance_that_had_it(world):
    alliance = Alliance(world)
    composition = alliance.start()
    world.cluster.kill("matching")
    world.cluster.start_service("matching")
    assert alliance.solved(composition)["run"]["sets"]


def test_rules_that_cannot_be_met_are_named(world):
    alliance = Alliance(world)
    swedish = [alliance.se_firm_2, alliance.fi_firm]
    found = alliance.compose(candidates=[{"organisationId": o} for o in swedish])["run"]
    assert found["proven"] and not found.get("sets")
    assert found["conflict"]["minimal"]
    assert found["conflict"]["ruleIds"] in (["KA-01"], ["KA-02"]), found["conflict"]
    assert found["conflict"]["ruleIds"][0] in found["conflict"]["explanation"]


def test_firms_of_one_owner_count_as_one_from_the_register_to_the_composer(world):
    """KA-X1: who owns whom stands in the register; the composer leaves out who depends on somebody on
    board, the checker names the path, and what cannot be is explained by the rule."""
    alliance = Alliance(world)
    holding = world.add_organisation("Dalahus Holding AB")
    alliance.owns(holding, alliance.se_firm, 600)
    alliance.owns(holding, alliance.fi_firm, 300)
    alliance.owns(holding, alliance.se_firm_2, 200)  # too little to depend on it
    others = [alliance.de_association, alliance.de_authority]
    pool = [{"organisationId": o} for o in (alliance.fi_firm, alliance.se_firm_2, *others)]

    free = alliance.compose(candidates=pool, setsWanted=10)["run"]
    assert alliance.fi_firm in ids(free["sets"][0])  # it offers the topic
    strict = alliance.compose(candidates=pool, setsWanted=10, switches=["KA-X1"])["run"]
    assert strict["proven"] and strict["sets"]
    for found in strict["sets"]:
        assert alliance.fi_firm not in ids(found) and alliance.se_firm_2 in ids(found)
    everybody = alliance.compose(setsWanted=20, switches=["KA-X1"])["run"]["sets"]
    assert everybody
    for found in everybody:
        assert not {holding, alliance.fi_firm} & set(ids(found))

    none = alliance.compose(candidates=[p for p in pool if p["organisationId"]
                                        != alliance.se_firm_2], switches=["KA-X1"])["run"]
    assert none["proven"] and not none.get("sets")
    assert "KA-X1" in none["conflict"]["ruleIds"], none["conflict"]

    made = alliance.officer.post("/v1/partnerships", {
        "title": "Of one owner", "programmeCode": "KA", "activities": ["problem_based"],
        "organisationIds": [*alliance.board, alliance.fi_firm, *others]})["partnership"]
    judged = alliance.evaluate(made, switches=["KA-X1"])["verdict"]
    failed = rule(judged, "KA-X1")
    assert failed["outcome"] == "FAIL", judged
    for name in ("Dalahus Komponenter AB", "Dalahus Holding AB", "Kuopion Konepaja Oy"):
        assert name in failed["remedy"], failed
    off = [r for r in alliance.evaluate(made)["verdict"]["results"] if r["ruleId"] == "KA-X1"]
    assert all(r["outcome"] == "NOT_APPLICABLE" for r in off), off


def test_a_partnership_that_is_asked_for_twice_is_one(world):
    alliance, body = Alliance(world), {"title": "Once", "programmeCode": "KA"}
    body["organisationIds"] = alliance.board
    ask = alliance.officer.post
    first, again = (ask("/v1/partnerships", body, key="once")["partnership"] for _ in range(2))
    assert first == again
    assert len(alliance.officer.get("/v1/partnerships")["partnerships"]) == 1
    with pytest.raises(Problem) as problem:
        ask("/v1/partnerships", {**body, "title": "Another"}, key="once")
    assert problem.value.document["code"] == "KEY_REUSED"
    path = f"/v1/partnerships/{first['partnershipId']}/members/{alliance.se_firm}/answer"
    answers = [ask(path, {"commit": True}, etag=first["version"], key="yes")["partnership"]
               for _ in range(2)]
    assert answers[0] == answers[1] and answers[0]["version"] == "2"

    def told(kind):
        return [e for e in alliance.officer.get("/v1/events?limit=200") if short(e["type"]) == kind]
    alliance.answer(answers[0], world.university, commit=True)
    wait_for(lambda: len(told("membership.committed")) >= 2, 20, "both commitments in the log")
    assert len(told("membership.committed")) == 2

"""Two yeses: what a person would like to work with counts in a match, and stays the person's own."""

import uuid

import pytest
from http_place import contract, place  # noqa: F401
from samverka_client import wait_for

URI = "https://samverka.example/skill/"
WANTED, UNWANTED = "welding", "home-care"


class Shop:
    """A need, and three people who can do the same: one wants it, one wants something else, one says
    nothing."""

    def __init__(self, place):  # noqa: F811
        self.place, self.officer = place, place.officer
        self.concepts = {name: place.call("registry.v1.Concepts/GetConcept",
                                          {"conceptId": URI + name},
                                          tenant=place.tenant)["concept"]["conceptId"]
                         for name in (WANTED, UNWANTED, "lean-production")}
        company = place.organisation().json["organisation"]["organisationId"]
        self.need = self.post("/v1/needs", {
            "organisationId": company, "visibility": "PRIVATE", "publish": True, "nuts": "SE312",
            "text": [{"lang": "sv", "value": "Sömmarna spricker när vi fogar tunn plåt."}],
            "focus": ["PROCESS"], "skills": self.skills(WANTED)})["need"]["needId"]
        self.willing = self.person({"concepts": self.skills(WANTED, UNWANTED), "nuts": ["SE31"],
                                    "focus": ["PROCESS"]})
        self.unwilling = self.person({"concepts": self.skills(UNWANTED), "nuts": ["SE31", "FI1D"],
                                      "themes": ["HEALTH_AND_WELFARE"]})
        self.silent = self.person(None)

    def post(self, path, body):
        answer = self.officer.ask("POST", path, body)
        assert answer.status in (200, 201), answer
        return answer.json

    def skills(self, *names):
        return [{"conceptId": self.concepts[name]} for name in names]

    def person(self, wishes):
        body = {"kind": "RESEARCHER", "displayName": "Prov Person", "nuts": "SE312",
                "skills": self.skills(WANTED, "lean-production")}
        made = self.post("/v1/people", body | ({"wishes": wishes} if wishes else {}))["person"]
        answer = self.officer.ask("PUT", f"/v1/people/{made['personId']}/talent-pool",
                                  {"talentPool": True, "visibility": "PUBLIC"},
                                  If_Match=f'"{made["version"]}"')
        assert answer.status == 200, answer
        return made["personId"]

    def found(self, kind, subject, who, language="en", path="/v1/matches/find"):
        """The counterparts with these ids, by id, when all are there."""
        answer = self.officer.ask("POST", path, {
            "subject": {"kind": kind, "id": subject}, "limit": 100, "language": language})
        if answer.status == 404:
            return None  # matching hears of it a moment later
        assert answer.status == 200, answer
        by_id = {c["profile"]["id"]: c for c in answer.json.get("candidates", [])}
        return {name: by_id[name] for name in who} if set(who) <= set(by_id) else None

    def people(self, **options):
        who = (self.willing, self.unwilling, self.silent)
        return wait_for(lambda: self.found("NEED", self.need, who, **options), 20, "the people")

    def needs(self, person):
        return wait_for(lambda: self.found("PERSON", person, (self.need,)), 20,
                        "the need")[self.need]


@pytest.fixture(scope="module")
def shop(place):  # noqa: F811
    return Shop(place)


def wish_reasons(candidate):
    return [reason for reason in candidate["reasons"] if reason["part"] == "WISHES"]


def deduction(things):
    return sum(thing.get("deductionThousandths", 0) for thing in things)


def assert_adds_up(candidate):
    score = candidate["scoreThousandths"]
    for things in (candidate["parts"], candidate["reasons"]):
        assert sum(t.get("scoreThousandths", 0) for t in things) - deduction(things) == score
        assert all(t["part"] == "WISHES" for t in things if t.get("deductionThousandths"))


def test_who_wants_the_work_comes_before_who_wants_another(shop):
    people = shop.people()
    willing, unwilling, silent = (people[p] for p in (shop.willing, shop.unwilling, shop.silent))
    for candidate in people.values():
        assert_adds_up(candidate)
    assert willing["scoreThousandths"] == silent["scoreThousandths"]
    fit = silent["scoreThousandths"]
    wish = 2 * 100_000 // 10  # of concepts, kinds of work and regions the region alone: 2 of 10
    assert unwilling["scoreThousandths"] == 2 * fit * wish // (fit + wish)
    assert deduction(unwilling["parts"]) == fit - unwilling["scoreThousandths"]
    assert not [p for c in (willing, silent) for p in c["parts"] if p["part"] == "WISHES"]
    assert not wish_reasons(silent)


def test_what_is_met_is_told_in_each_language(shop):
    texts = {language: [r["text"] for r in wish_reasons(shop.people(language=language)[shop.willing])]
             for language in ("sv", "fi", "en")}
    assert len({text for told in texts.values() for text in told}) == 12
    assert texts["en"] == [
        "It fits the person's own wishes to 100 %.",
        "The person wants to work in this region: NUTS SE31.",
        "The person wants to work with this focus or theme: process.",
        "The person wants to work with what is sought: welding (comes from concepts)."]
    reason = wish_reasons(shop.people()[shop.willing])[3]
    assert reason["conceptId"] == reason["foundConceptId"] == shop.concepts[WANTED]
    assert reason["nearness"] == "SAME"


def test_what_is_not_met_stays_the_persons(shop):
    candidate = shop.people()[shop.unwilling]
    first, *met = wish_reasons(candidate)
    assert first["sharePercent"] == 20
    assert first["text"] == ("It fits the person's own wishes to 20 %, less than what is sought; "
                             "hence a deduction.")
    assert [reason["text"] for reason in met] == [
        "The person wants to work in this region: NUTS SE31."]
    remembered = shop.people(path="/v1/matches/suggest")[shop.unwilling]["matchId"]
    match = shop.officer.ask("GET", f"/v1/matches/{remembered}").json["match"]
    assert deduction(match["reasons"]) == deduction(candidate["reasons"])
    for shown in (candidate, match):
        for secret in (shop.concepts[UNWANTED], "FI1D", "home care", "hemtjänst", "health"):
            assert secret not in str(shown)
    for browser, sees in ((shop.officer, True), (shop.place.other, False)):
        person = browser.ask("GET", f"/v1/people/{shop.unwilling}").json["person"]
        assert ("wishes" in person) == sees


def test_the_person_finds_the_need_with_the_same_score(shop):
    people = shop.people()
    for person in people:
        need = shop.needs(person)
        assert need["scoreThousandths"] == people[person]["scoreThousandths"]
        assert need["parts"] == people[person]["parts"]


def test_wishes_that_change_are_heard_of(shop):
    path = f"/v1/people/{shop.person({'concepts': shop.skills(UNWANTED)})}"
    person = path.rsplit("/", 1)[1]
    fit = shop.people()[shop.silent]["scoreThousandths"]

    def score():
        found = shop.found("NEED", shop.need, [person])
        return found and found[person]["scoreThousandths"]
    wait_for(lambda: score() is not None, 20, "the person")
    assert score() == 2 * fit * 10_000 // (fit + 10_000)  # the last, but not nobody
    kept = shop.officer.ask("GET", path).json["person"]
    assert kept["wishes"]["concepts"][0]["label"]
    answer = shop.officer.ask("PATCH", path, {"wishes": {}}, If_Match=f'"{kept["version"]}"')
    assert answer.status == 200 and "wishes" not in answer.json["person"], answer
    wait_for(lambda: score() == fit, 20, "the person without wishes")


@pytest.mark.parametrize("wishes, pointer, status", [
    ({"concepts": [{"conceptId": str(uuid.uuid4())}]}, "/wishes/concepts/0/conceptId", 409),
    ({"concepts": [{"conceptId": "welding"}]}, "/wishes/concepts/0/conceptId", 400),
    ({"concepts": [{"conceptId": str(uuid.uuid4())} for _ in range(21)]}, "/wishes/concepts", 400),
    ({"nuts": ["SE31", "Dalarna"]}, "/wishes/nuts/1", 400),
    ({"nuts": [f"SE{n}" for n in range(11, 20)]}, "/wishes/nuts", 400),
    ({"focus": ["PROCESS", "PROCESS"]}, "/wishes/focus/1", 400)])
def test_a_wish_that_cannot_be_is_named(shop, wishes, pointer, status):
    answer = shop.officer.ask("POST", "/v1/people", {
        "kind": "RESEARCHER", "displayName": "Prov Person", "wishes": wishes})
    assert answer.status == status, answer
    assert answer.json["errors"][0]["pointer"] == pointer, answer

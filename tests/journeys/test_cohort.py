"""A cohort is assigned (J6): 120 students, 80 topics, 30 supervisors with quotas in 6 companies with
limits, through HTTP; what comes out is checked here by the definition, from what the rpcs show."""

import random

import pytest

from journeys.test_ktp import Subscriber, short
from samverka_client import Problem, wait_for

STUDENTS, TOPICS, SUPERVISORS, COMPANIES = 120, 80, 30, 6
SEED = 20261130
PINNED, PAIR, SILENT = range(20, 24), (2, 3), range(100, 109)
OBJECTOR = 4
FIRST_PROFILES = 5   # students with an account of their own
LANGUAGES = ("sv", "fi", "en", "sv", "fi")   # theirs
ONE_WITHOUT_MAIL = 3
# Of the news of a round, in the order of their telling; students are not told of the first solving.
SUBJECTS = {
    "sv": ["En fördelningsomgång är öppen för önskemål", "En fördelningsomgång är löst",
           "En fördelningsomgång har ett resultat", "En fördelningsomgång har ett nytt resultat",
           "En fördelningsomgång är slutgiltig", "En plats i en fördelningsomgång har rättats"],
    "fi": ["Sijoittelukierros on avoinna toiveille", "Sijoittelukierros on ratkaistu",
           "Sijoittelukierroksella on tulos", "Sijoittelukierroksella on uusi tulos",
           "Sijoittelukierros on lopullinen", "Paikkaa sijoittelukierroksella on korjattu"],
    "en": ["A round of assignments is open for wishes", "A round of assignments is solved",
           "A round of assignments has a result", "A round of assignments has a new result",
           "A round of assignments is final", "A place in a round of assignments has been amended"],
}


def code(kind, number):
    return f"{kind}{number:03}"


def table(heading, rows):
    return "\n".join([heading, *(",".join(str(v) for v in row) for row in rows)]) + "\n"


class Cohort:
    """Limits, topics and wishes, drawn from a seed."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.company = {code("h", i): code("c", i % COMPANIES) for i in range(SUPERVISORS)}
        self.owner = {code("t", i): code("h", i % SUPERVISORS) for i in range(TOPICS)}
        self.capacity = {topic: draw.choice((1, 2, 2, 3)) for topic in self.owner}
        self.capacity |= {h: draw.randint(3, 6) for h in self.company}
        self.capacity |= {code("c", i): draw.randint(20, 24) for i in range(COMPANIES)}
        names = [code("s", i) for i in range(STUDENTS)]
        topics = sorted(self.owner)
        popular = [1 / (1 + i) ** 0.4 for i in range(TOPICS)]
        self.choices = {}
        for i, name in enumerate(names):
            listed = []
            while i not in SILENT and len(listed) < 8:
                topic, = draw.choices(topics, popular)
                if topic not in listed:
                    listed.append(topic)
            self.choices[name] = listed
        both = next(t for t in topics if self.capacity[t] >= 2)
        for i in PAIR:
            rest = [t for t in self.choices[code("s", i)] if t != both]
            self.choices[code("s", i)] = [rest[0], both, *rest[1:7]]
        self.rank = {}
        for supervisor in self.company:
            ranked = draw.sample(names, 70)
            self.rank |= {(supervisor, s): 1 + place // 3 for place, s in enumerate(ranked)}

    def limits(self):
        return table("code,kind,capacity,title,parent", [
            *((c, "company", self.capacity[c], f"Företag {c}", "")
              for c in sorted(set(self.company.values()))),
            *((h, "supervisor", self.capacity[h], f"Handledare {h}", c)
              for h, c in self.company.items())])

    def topics(self):
        return table("code,title,capacity,owner", [
            *((t, f"Ämne {t}", self.capacity[t], h) for t, h in self.owner.items()),
            ("t999", "Ett ämne som inte duger", 3, "h001")])

    def wrong_topics(self):
        return table("code,title,capacity,owner", [
            ("t001", "Ämne", 2, "h001"), ("t002", "Ämne", "många", "h001"),
            ("t003", "Ämne", 2, "h999"), ("t001", "Ämne igen", 2, "h002")])

    def students(self, people):
        return table("code,person_id", [(s, people.get(s, "")) for s in self.choices])

    def wishes(self, leave_out):
        return table("student,choices", [(s, " ".join(listed)) for s, listed in self.choices.items()
                                         if s not in leave_out and listed])

    def rankings(self):
        return table("owner,student,rank", [(h, s, r) for (h, s), r in self.rank.items()])


class Round:
    def __init__(self, officer, title, seed=SEED, **more):
        self.officer = officer
        self.id = officer.post("/v1/rounds", {"title": title, "seed": seed, **more})["round"]["roundId"]

    def path(self, rest=""):
        return f"/v1/rounds/{self.id}{rest}"

    def get(self):
        return self.officer.get(self.path())["round"]

    def bring(self, part, csv, **more):
        return self.officer.post(self.path("/import"), {"part": part, "csv": csv, **more})

    def move(self, state):
        moved = self.officer.post(self.path("/move"), {
            "state": state, "expectedVersion": self.get()["version"]})["round"]
        assert moved["state"] == state

    def pin(self, student, topic, reason):
        return self.officer.request("PUT", self.path("/pin"), {
            "student": student, "topic": topic, "reason": reason})

    def solve(self):
        asked = self.officer.post(self.path("/solve"), {
            "expectedVersion": self.get()["version"]})["round"]
        assert asked["state"] == "SOLVE_REQUESTED"

        def solved():
            now = self.get()
            return None if now["state"] == "SOLVE_REQUESTED" else now
        now = wait_for(solved, 60, "the round to be solved")
        assert now["failure"] == "", now
        return now

    def assignments(self):
        found, token = {}, ""
        while True:
            page = self.officer.get(self.path(f"/assignments?limit=50&cursor={token}"))
            found |= {a["student"]: a for a in page["assignments"]}
            token = page["nextPageToken"]
            if not token:
                return found

    def sheet(self, run=0):
        return self.officer.get(self.path(f"/sheet?run={run}"))["sheet"]


def blocking_pairs(cohort, assigned):
    """By the definition: the first limit without room on the way up has somebody ranked lower.  Equal
    ranks are the lottery's, which is not shown, so they count as no block."""
    def way(topic):
        supervisor = cohort.owner[topic]
        return [topic, supervisor, cohort.company[supervisor]]

    def rank(student, topic):
        return cohort.rank.get((cohort.owner[topic], student), 10000)

    inside = {}
    for student, topic in assigned.items():
        for limit in way(topic) if topic else []:
            inside.setdefault(limit, []).append((student, topic))
    for limit, members in inside.items():
        assert len(members) <= cohort.capacity[limit], limit
    found = set()
    for student, listed in cohort.choices.items():
        for topic in listed:
            if topic == assigned[student]:
                break
            full = next((u for u in way(topic)
                         if len(inside.get(u, [])) >= cohort.capacity[u]), None)
            if full is None or any(
                    (rank(s, t) if t in cohort.choices[s] else 20000) > rank(student, topic)
                    for s, t in inside.get(full, [])):
                found.add((student, topic))
    return found


class Journey:
    def __init__(self, world):
        self.world = world
        self.cohort = Cohort(SEED)
        self.coordinator, _ = world.add_account("coordinator", "PROGRAMME_DIRECTOR",
                                                "PARTNERSHIP_OFFICER")
        self.officer = world.web(self.coordinator)
        public, secret, server = world.follower_keys()
        self.officer.post("/v1/systems", {"name": "sis", "curvePublicKey": public.decode()})
        self.subscriber = Subscriber(world, (public, secret, server))
        self.subscriber.start()
        self.people, self.student, self.address = {}, {}, {}
        for i in range(FIRST_PROFILES):
            name = code("s", i)
            login, _ = world.add_account(f"student{i}", "STUDENT", language=LANGUAGES[i])
            person = world.web(login).post("/v1/people", {
                "kind": "CURRENT_STUDENT", "displayName": f"Student {i}", "languages": ["sv"],
                "nuts": "SE312"})["person"]
            self.people[name] = person["personId"]
            self.student[name] = world.web(login)  # a session made after the profile
            self.address[name] = login

    def collect(self, round_):
        assert round_.bring("LIMITS", self.cohort.limits())["stored"]
        round_.move("COLLECTING_TOPICS")
        tried = round_.bring("TOPICS", self.cohort.wrong_topics(), dryRun=True)
        assert tried["problemCount"] == 3 and not tried["stored"]
        assert {(p["line"], p["column"]) for p in tried["problems"]} == {
            (3, "capacity"), (4, "owner"), (5, "code")}
        assert all(p["text"] for p in tried["problems"])
        assert round_.get()["topicCount"] == 0
        brought = round_.bring("TOPICS", self.cohort.topics())
        assert brought["stored"] and brought["added"] == TOPICS + 1
        round_.move("TOPIC_CHECK")
        refused(409, round_.move, "RANKING_OPEN")  # nobody has looked at the topics
        self.officer.post(round_.path("/topics/check"), {
            "codes": ["t999"], "state": "TOPIC_REJECTED", "reason": "Saknar handledning."})
        checked = self.officer.post(round_.path("/topics/check"), {"state": "TOPIC_APPROVED"})
        assert checked["changed"] == TOPICS

    def rank(self, round_, own=True):
        people = self.people if own else {}
        assert round_.bring("STUDENTS", self.cohort.students(people))["added"] == STUDENTS
        round_.move("RANKING_OPEN")
        assert round_.bring("RANKINGS", self.cohort.rankings())["stored"]
        assert round_.bring("CHOICES", self.cohort.wishes(self.student if own else {}))["stored"]
        for i in range(FIRST_PROFILES if own else 0):
            name = code("s", i)
            partner = code("s", PAIR[1 - PAIR.index(i)]) if i in PAIR else ""
            set_ = self.student[name].request("PUT", round_.path("/choices"), {
                "topics": self.cohort.choices[name], "partner": partner})["choices"]
            assert set_["student"] == name and set_["topics"] == self.cohort.choices[name]
        for i in PAIR if not own else []:
            self.officer.request("PUT", round_.path("/choices"), {
                "student": code("s", i), "topics": self.cohort.choices[code("s", i)],
                "partner": code("s", PAIR[1 - PAIR.index(i)])})
        for i in PINNED:
            round_.pin(code("s", i), code("t", 40 + i), "Har redan avtalat med företaget.")
        assert round_.get()["voterCount"] == STUDENTS - len(SILENT)
        round_.move("RANKING_CLOSED")

    def check(self, round_, sheet, pins):
        """No limit is passed, nothing blocks without a cause, who did not vote harms nobody."""
        places = round_.assignments()
        assert len(places) == STUDENTS
        assigned = {s: a["topic"] for s, a in places.items()}
        for student, topic in pins.items():
            assert assigned[student] == topic and places[student]["basis"] == "BY_PIN"
        told = {(b["student"], b["topic"]): b["cause"] for b in sheet["blocking"]}
        assert int(sheet["blockingCount"]) == len(told)
        assert blocking_pairs(self.cohort, assigned) <= set(told)
        pair = {code("s", i) for i in PAIR}
        for (student, topic), cause in told.items():
            assert cause in ("OWN_PIN", "OWN_PAIR", "OTHER_PIN"), (student, topic, cause)
            assert (cause == "OWN_PIN") == (student in pins)
            if cause == "OWN_PAIR":
                assert student in pair
        profile = [0] * len(sheet["rankProfile"])
        for place in places.values():
            if place["choice"]:
                profile[place["choice"] - 1] += 1
        assert profile == sheet["rankProfile"] and sum(profile) > 80
        loads = {u["code"]: u["load"] for u in sheet["limits"]}
        for supervisor in self.cohort.company:
            assert loads[supervisor] == sum(self.cohort.owner.get(t) == supervisor
                                            for t in assigned.values() if t)
        for i in SILENT:
            assert places[code("s", i)]["basis"] in ("BY_FILL", "WITHOUT_PLACE")
        return places

    def twin(self, round_, places):
        """The same input gives the same result, in another round, too."""
        twin = Round(self.officer, "Samma igen")
        self.collect(twin)
        self.rank(twin, own=False)
        assert twin.solve()["inputHash"] == round_.get()["inputHash"]
        assert twin.assignments() == places

    def what_if(self, round_, sheet):
        """Nothing is stored."""
        same = self.officer.post(round_.path("/try"), {})
        assert same["moveCount"] == 0 and same["sheet"]["inputHash"] == sheet["inputHash"]
        other = self.officer.post(round_.path("/try"), {"objective": "GENEROUS"})
        assert len(other["sheet"]["rankProfile"]) <= len(sheet["rankProfile"])
        assert other["moveCount"] > 0
        assert "OTHER_OBJECTIVE" in {b["cause"] for b in other["sheet"]["blocking"]}
        assert round_.sheet() == sheet

    def look(self, round_, places):
        """Students see their own place and why, nobody else's."""
        for name, web in self.student.items():
            own = web.get(round_.path("/assignment"))
            assert own["assignment"] == places[name] and own["text"]
            better = own["assignment"]["choice"] - 1 if own["assignment"]["choice"] else 8
            assert [r["choice"] for r in own["reasons"]] == list(range(1, better + 1))
            assert all(r["text"] for r in own["reasons"])
            for rest in ("/assignment?student=s050", "/sheet", "/assignments"):
                refused(403, web.get, round_.path(rest))
        words = [self.world.web(self.address["s004"], language=language)
                 .get(round_.path("/assignment"))["text"] for language in ("sv", "fi", "en")]
        assert len(set(words)) == 3

    def object(self, round_, student, topic):
        """An objection is upheld with a pin; the round is not final before both are done with."""
        self.student[student].post(round_.path("/objections"), {
            "text": "Jag har ett avtal med ett annat företag."})
        raised, = self.officer.get(round_.path("/objections"))["objections"]
        assert "objection" in refused(409, round_.move, "FINAL")["detail"]
        decided = self.officer.post(
            round_.path(f"/objections/{raised['objectionId']}/decide"),
            {"uphold": True, "answer": "Avtalet gäller.", "pinTopic": topic})["objection"]
        assert decided["state"] == "OBJECTION_UPHELD"
        assert "solve" in refused(409, round_.move, "FINAL")["detail"]

    def amend(self, round_, student, topic):
        return self.officer.post(round_.path("/amendments"), {
            "student": student, "topic": topic, "reason": "Företaget drog sig ur.",
            "expectedVersion": round_.get()["version"]})["amendment"]

    def change_after_the_end(self, round_, student):
        """One place is taken away, given back and moved; what the result was stays to be seen."""
        before, sheet = round_.assignments(), round_.sheet()
        full = next(t for t, owner in self.cohort.owner.items() if before[student]["topic"] != t
                    and [a["topic"] for a in before.values()].count(t) == self.cohort.capacity[t])
        said = refused(409, self.amend, round_, student, full)["detail"]
        assert f"{full} takes {self.cohort.capacity[full]}" in said
        refused(403, self.student[student].post, round_.path("/amendments"), {
            "student": student, "topic": "", "reason": "Jag vill.",
            "expectedVersion": round_.get()["version"]})
        refused(412, self.officer.post, round_.path("/amendments"), {
            "student": student, "topic": "", "reason": "Gammal.", "expectedVersion": "1"})
        solved = before[student]["topic"]
        assert self.amend(round_, student, "")["from"] == solved
        self.amend(round_, student, solved)
        self.amend(round_, student, "")
        own = self.student[student].get(round_.path("/assignment"))
        assert own["assignment"]["solvedTopic"] == solved and own["assignment"]["topic"] == ""
        assert own["assignment"]["amendment"] == 3 and own["reasons"] == [] and own["text"]
        after = round_.assignments()
        assert [s for s in after if after[s] != before[s]] == [student]
        listed = self.officer.get(round_.path("/amendments"))["amendments"]
        assert [(a["number"], a["from"], a["to"]) for a in listed] == [
            (1, solved, ""), (2, "", solved), (3, solved, "")]
        now = round_.sheet()
        assert now.pop("amendments") == listed and now.pop("amendmentCount") == 3
        assert {**sheet, "amendments": [], "amendmentCount": 0} == {
            **now, "amendments": [], "amendmentCount": 0}

    def leave(self, round_, student):
        """A student goes for ever; the round keeps its counts under a code that means nobody."""
        before, sheet = round_.assignments(), round_.sheet()
        refused(404, self.student["s000"].request, "DELETE",
                f"/v1/people/{self.people[student]}")
        self.student[student].request("DELETE", f"/v1/people/{self.people[student]}")
        wait_for(lambda: student not in round_.assignments(), 30, "the student to be forgotten")
        after = round_.assignments()
        marker, = set(after) - set(before)
        assert marker.startswith("erased-") and len(after) == len(before)
        assert {**after[marker], "student": student} == before[student]
        amendments = self.officer.get(round_.path("/amendments"))["amendments"]
        assert {(a["student"], a["reason"]) for a in amendments} == {(marker, "erased")}
        objection, = self.officer.get(round_.path("/objections"))["objections"]
        assert (objection["student"], objection["text"]) == (marker, "erased")
        refused(404, self.officer.get, round_.path(f"/assignment?student={student}"))
        refused(404, self.student[student].get, round_.path("/assignment"))
        now = round_.sheet()
        for name in ("students", "placed", "rankProfile", "blockingCount", "amendmentCount"):
            assert now[name] == sheet[name]
        assert student not in str(now)
        wait_for(lambda: "org.samverka.subject.erased.v1"
                 in self.subscriber.types(self.people[student]), 30,
                 "the subscriber to hear of the erasure")

    def check_mail(self, round_, amended):
        """Everybody hears once of what concerns them, in their language; officers of all of it."""
        def subjects(address):
            return [str(m["Subject"]) for m in self.world.sink.to(address)]

        # The twin was opened and solved, too; three places were amended.
        told = SUBJECTS["sv"]
        wanted = {self.coordinator: told + told[:2] + [told[5]] * 2}
        for i in range(FIRST_PROFILES):
            words = SUBJECTS[LANGUAGES[i]]
            times = 3 if code("s", i) == amended else 0
            wanted[self.address[code("s", i)]] = [words[0], *words[2:5], *[words[5]] * times]
        wanted[self.address[code("s", ONE_WITHOUT_MAIL)]] = []
        for address, expected in wanted.items():
            wait_for(lambda: len(subjects(address)) >= len(expected), 60, f"mails to {address}")
        for address, expected in wanted.items():
            assert sorted(subjects(address)) == sorted(expected), address
            for mail in self.world.sink.to(address):
                assert "Student" in mail.get_content() or address == self.coordinator
                assert amended not in mail.get_content()
        quiet = self.student[code("s", ONE_WITHOUT_MAIL)].get("/v1/messages")["messages"]
        assert [m["title"] for m in quiet] == [SUBJECTS["sv"][n] for n in (4, 3, 2, 0)]
        assert {(m["subjectKind"], m["subjectId"]) for m in quiet} == {("round", round_.id)}

    def check_events(self, round_):
        last = "org.samverka.round.amended.v1"
        wait_for(lambda: self.subscriber.types(round_.id).count(last) == 3, 30,
                 "the subscriber to hear of the amendments")
        assert [short(t) for t in self.subscriber.types(round_.id)] == [
            "round.opened", "round.solved", "round.objections_opened", "round.solved",
            "round.finalised", "round.amended", "round.amended", "round.amended"]
        assert self.subscriber.complaints == []
        self.subscriber.stop()


def refused(status, act, *arguments):
    with pytest.raises(Problem) as refusal:
        act(*arguments)
    assert refusal.value.status == status, refusal.value.document
    return refusal.value.document


def test_a_cohort_is_assigned_objected_to_and_made_final(world):
    journey = Journey(world)
    journey.officer.post("/v1/subscriptions", {"topic": "ROUND_MOVED", "email": True})
    journey.student[code("s", ONE_WITHOUT_MAIL)].post("/v1/subscriptions", {"topic": "ROUND_OWN"})
    refused(403, journey.student["s000"].post, "/v1/subscriptions", {"topic": "ROUND_MOVED"})
    round_ = Round(journey.officer, "Examensarbeten våren 2027")
    journey.collect(round_)
    journey.rank(round_)
    pins = {code("s", i): code("t", 40 + i) for i in PINNED}
    first = round_.solve()
    assert first["state"] == "SOLVED" and first["run"] == 1
    sheet = round_.sheet()
    assert sheet["inputHash"] == first["inputHash"] and sheet["algorithm"]
    places = journey.check(round_, sheet, pins)
    assert places[code("s", PAIR[0])]["topic"] == places[code("s", PAIR[1])]["topic"]
    assert {places[code("s", i)]["basis"] for i in PAIR} == {"BY_PAIR"}
    journey.twin(round_, places)
    journey.what_if(round_, sheet)

    objector = code("s", OBJECTOR)
    refused(409, journey.student[objector].get, round_.path("/assignment"))
    round_.move("OBJECTIONS")
    journey.look(round_, places)
    taken = {a["topic"] for a in places.values()}
    wanted = next(t for t in journey.cohort.owner if t not in taken)
    journey.object(round_, objector, wanted)
    second = round_.solve()
    assert (second["state"], second["run"]) == ("OBJECTIONS", 2)
    assert second["inputHash"] != first["inputHash"]
    journey.check(round_, round_.sheet(), pins | {objector: wanted})
    assert round_.sheet(run=1) == sheet

    round_.move("FINAL")
    refused(409, round_.pin, "s001", "", "")
    refused(409, journey.officer.post, round_.path("/solve"),
            {"expectedVersion": round_.get()["version"]})
    round_.move("NOTIFIED")
    assert journey.student[objector].get(round_.path("/assignment"))["assignment"]["topic"] == wanted
    journey.change_after_the_end(round_, objector)
    journey.check_mail(round_, objector)
    journey.leave(round_, objector)
    journey.check_events(round_)


def test_what_cannot_be_is_refused_by_name_and_neighbours_see_nothing(world):
    journey = Journey(world)
    round_ = Round(journey.officer, "Prov")
    journey.collect(round_)
    journey.rank(round_)

    ask = journey.officer.request
    one = next(t for t, c in journey.cohort.capacity.items() if t[0] == "t" and c == 1
               and t not in [code("t", 40 + i) for i in PINNED])
    round_.pin("s030", one, "Först.")
    told = refused(400, round_.pin, "s031", one, "Också.")
    assert one in str(told) and "s03" in str(told)
    refused(409, ask, "PUT", round_.path("/choices"), {"student": "s030", "topics": []})
    refused(400, ask, "POST", "/v1/rounds", {"title": "  "})
    refused(400, ask, "POST", "/v1/rounds", {"title": "x", "choicesMax": 31})
    refused(400, ask, "POST", round_.path("/try"), {"pins": [{"student": "s999", "topic": one}]})
    refused(400, ask, "POST", round_.path("/try"), {"capacities": [{"code": one, "capacity": 0}]})
    assert journey.officer.post(round_.path("/try"), {
        "capacities": [{"code": "c000", "capacity": 5}]})["sheet"]["withoutPlace"] > 0
    refused(404, ask, "GET", round_.path("/sheet"), None)
    journey.student["s000"].get(round_.path())
    elsewhere = world.tenants["hogskolan-gavle"]
    address, _ = world.add_account("neighbour", "PROGRAMME_DIRECTOR", tenant=elsewhere)
    neighbour = world.web(address, tenant=elsewhere)
    for rest in ("", "/topics", "/objections", "/assignments"):
        refused(404, neighbour.get, round_.path(rest))
    assert neighbour.get("/v1/rounds")["rounds"] == []
    journey.subscriber.stop()

"""The lives of the demonstration's placements, as steps."""

import sys

SERVICE = "registry.v1.Placements/"
OFFICER = {"roles": ["PARTNERSHIP_OFFICER"]}
REACHED = ["drafted", "eligible", "advertised", "associate_selected", "contracted", "started",
           "midway_reviewed", "ended"]
MOTIVATIONS = {
    "sv": "Jag vill använda min utbildning där den syns och läsa klart er bransch på plats.",
    "fi": "Haluan käyttää koulutustani siellä, missä sen tulos näkyy.",
    "en": "I want to use what I have learnt where the result can be seen.",
}


class Placement:
    """One line of placements.txt."""

    def __init__(self, demo, fields):
        (self.key, self.tenant, self.host, self.need, self.academic, self.business, self.associates,
         self.focus, self.start, self.months, self.reached, self.outcome, self.title,
         self.rationale) = fields
        self.demo = demo
        self.name = f"placement/{self.key}"
        self.begin = f"{{today{int(self.start):+d}d}}"
        self.finish = f"{{today{int(self.start):+d}d+{self.months}m}}"
        if self.reached not in REACHED:
            sys.exit(f"{self.key}: no state {self.reached}")

    def has_reached(self, state):
        return REACHED.index(self.reached) >= REACHED.index(state)

    def step(self, what, call, request, actor=None, versioned=True):
        if versioned:
            request = {"placementId": f"@{self.name}",
                       "expectedVersion": f"@{self.name}.version"} | request
        self.demo.step(f"{self.name}/{what}" if what else self.name, SERVICE + call, request,
                       self.tenant, **({"as": actor} if actor else {}))

    def draft(self):
        demo = self.demo
        request = {"title": self.title, "focus": self.focus.replace(",", " ").split(),
                   "hostOrganisationId": demo.organisation(self.host, self.tenant),
                   "academicCoachId": demo.person(self.academic, self.tenant),
                   "fteThousandths": 1000, "start": self.begin, "end": self.finish,
                   "strategicRationale": self.rationale}
        if self.need != "-":
            request["needId"] = f"@need/{self.need}"
        else:
            request["description"] = [{"lang": "sv", "value": self.rationale}]
        if self.business != "-":
            request["businessCoachId"] = demo.person(self.business, self.tenant)
        self.step("", "CreatePlacement", request, versioned=False)
        self.step("rationale", "ApproveRationale", {}, OFFICER)
        self.step("verdict", "EvaluatePlacement",
                  {"placementId": f"@{self.name}",
                   "mode": "SUBMISSION" if self.has_reached("eligible") else "DRAFT"},
                  OFFICER, versioned=False)

    def apply(self, reference):
        """The first of them is chosen if the placement has come so far."""
        person = self.demo.person(reference, self.tenant)
        self.step(f"apply/{reference}", "ApplyToPlacement",
                  {"placementId": f"@{self.name}", "motivation": MOTIVATIONS["sv"]},
                  {"roles": ["GRADUATE"], "person": person}, versioned=False)

    def choose(self, reference):
        application = f"{self.name}/apply/{reference}"
        version = {"applicationId": f"@{application}", "expectedVersion": f"@{application}.version"}
        person = self.demo.person(reference, self.tenant)
        self.step("offer", "DecideApplication", version | {"state": "APPLICATION_OFFERED"}, OFFICER,
                  versioned=False)
        self.step("accept", "AnswerOffer", version | {"accept": True},
                  {"roles": ["GRADUATE"], "person": person}, versioned=False)

    def work(self):
        steps = [
            ("contracted", "sign", "SignContract", {}, None),
            ("started", "start", "StartPlacement", {"startedOn": self.begin}, None),
            ("midway_reviewed", "review", "RecordReview",
             {"heldOn": f"{{today{int(self.start) + 240:+d}d}}",
              "participantIds": [self.demo.person(p, self.tenant)
                                 for p in (self.academic, self.business) if p != "-"],
              "summary": "Projektet följer planen; båda coacherna deltog."}, OFFICER),
            ("ended", "end", "EndPlacement", {"endedOn": self.finish}, None)]
        for state, what, call, request, actor in steps:
            if self.has_reached(state):
                self.step(what, call, request, actor)
        if self.outcome:
            outcome, _, answer = self.outcome.partition(" ")
            self.step("outcome", "RecordOutcome",
                      {"outcome": outcome} | ({"offerAnswer": answer} if answer else {}))

    def live(self):
        self.draft()
        if self.has_reached("advertised"):
            self.step("advertise", "AdvertisePlacement", {})
            references = [r.lstrip("+") for r in self.associates.split() if r != "-"]
            for reference in references:
                self.apply(reference)
            if self.has_reached("associate_selected"):
                self.choose(references[0])
        self.work()


def add(demo, lines):
    for fields in lines:
        Placement(demo, fields).live()

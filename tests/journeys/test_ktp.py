"""From a company's sentence to an eligible KTP placement (J1), and from a graduate's profile to a job
offer (J5), through HTTP, with another system following along."""

import threading

import zmq

from samverka_client import Problem, Web, wait_for


class Subscriber(threading.Thread):
    """An independent system with its own key: follows everything it may see and checks that nothing
    is missing.  Written from docs/protocol.md."""

    def __init__(self, world, keys):
        super().__init__(daemon=True)
        public, secret, server = keys
        self.contract = world.contract
        self.endpoint = world.cluster.stream_endpoint
        self.keys = (public, secret, server)
        self.events = []
        self.through = 0
        self.complaints = []
        self.stopping = threading.Event()

    def _connect(self):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.linger = 0
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = self.keys
        socket.heartbeat_ivl, socket.heartbeat_timeout = 1000, 3000
        socket.connect(self.endpoint)
        frame = self.contract.message("events.v1.ClientFrame")()
        frame.follow.after = self.through
        frame.follow.credit = 1000
        socket.send(frame.SerializeToString())
        return socket

    def run(self):
        socket = self._connect()
        while not self.stopping.is_set():
            # A heartbeat comes each second; silence also means that the key is not known yet.
            if not socket.poll(2500):
                socket.close()
                socket = self._connect()
                continue
            frames = socket.recv_multipart()
            server = self.contract.message("events.v1.ServerFrame").FromString(frames[0])
            kind = server.WhichOneof("frame")
            if kind == "batch":
                self._take(socket, server.batch, frames[1])
            elif kind == "ended":
                socket.close()
                socket = self._connect()
        socket.close()

    def _take(self, socket, batch, packed):
        if batch.after != self.through:
            self.complaints.append(f"a gap: {self.through} to {batch.after}")
        events = self.contract.message("io.cloudevents.v1.CloudEventBatch").FromString(packed).events
        last = batch.after
        for event in events:
            position = int(event.attributes["sequence"].ce_string)
            if not last < position <= batch.through:
                self.complaints.append(f"{position} is not in {last}..{batch.through}")
            last = position
            self.events.append(event)
        self.through = batch.through
        credit = self.contract.message("events.v1.ClientFrame")()
        credit.credit.events = max(1, len(events))
        socket.send(credit.SerializeToString())

    def types(self, subject=None):
        return [e.type for e in list(self.events)
                if subject is None or e.attributes["subject"].ce_string == subject]

    def stop(self):
        self.stopping.set()
        self.join(10)


def short(event_type):
    return event_type.removeprefix("org.samverka.").removesuffix(".v1")


def rule(verdict, rule_id):
    return next(r for r in verdict["results"] if r["ruleId"] == rule_id)


def add_person(officer, world, kind, name, skills, organisation=None, degree=None, about=None,
               languages=("sv", "en"), pool=True):
    body = {"kind": kind, "displayName": name, "skills": world.skills(*skills), "nuts": "SE312",
            "languages": list(languages), "capacity": 2}
    if organisation:
        body["affiliations"] = [{"organisationId": organisation, "role": "lektor",
                                 "validFrom": "2020-01-01"}]
    if degree:
        body["degrees"] = [{"iscedF": "0713", "eqf": 7, "awardedOn": degree}]
    if about:
        body["about"] = [{"lang": "sv", "value": about}]
    person = officer.post("/v1/people", body)["person"]
    if pool:
        person = officer.put(f"/v1/people/{person['personId']}/talent-pool",
                             {"talentPool": True, "visibility": "PRIVATE"},
                             person["version"])["person"]
    return person["personId"]


class Journey:
    """The steps, one after the other, so that a fault can be put between any two of them."""

    def __init__(self, world):
        self.world = world
        self.company = world.add_organisation("Dalahus Komponenter AB", headcount=48,
                                              nace="25.11")
        self.park = world.add_organisation("Dalarna Science Park", kind="SCIENCE_PARK")
        self.address, _ = world.add_account("officer", "PARTNERSHIP_OFFICER")
        self.officer = world.web(self.address)
        self.subscriber = self._subscribe()
        for topic in ("MATCH_SUGGESTED", "VERDICT_CHANGED"):
            self.officer.post("/v1/subscriptions", {"topic": topic, "email": True})
        self.researcher = add_person(
            self.officer, world, "RESEARCHER", "Anna Energi", ["energy-audit", "energy-efficiency"],
            world.university, about="Forskar om energianvändning i tillverkande industri.")
        self.marketer = add_person(self.officer, world, "RESEARCHER", "Bo Marknad",
                                   ["social-media", "lean"], world.university)
        self.adviser = add_person(self.officer, world, "BUSINESS_ADVISER", "Carl Coach", ["lean"],
                                  self.park)
        self.officer.post("/v1/equipment", {
            "organisationId": world.university, "type": "EQUIPMENT",
            "names": [{"lang": "sv", "value": "Värmekamera för energikartläggning"}],
            "skills": world.skills("energy-audit"), "visibility": "PUBLIC"})

    def _subscribe(self):
        public, secret, server = self.world.follower_keys()
        self.officer.post("/v1/systems", {"name": "crm", "curvePublicKey": public.decode()})
        subscriber = Subscriber(self.world, (public, secret, server))
        subscriber.start()
        return subscriber

    def _ask(self, path, body, who=None):
        """Matching hears of a profile a moment after it was made."""
        try:
            return (who or self.officer).post(path, body)
        except Problem as problem:
            if problem.status != 404:
                raise
            return {}

    def steps(self):
        return [self.need, self.matches, self.placement, self.remedies, self.graduate,
                self.application, self.work, self.outcome]

    def need(self):
        self.need = self.officer.post("/v1/needs", {
            "organisationId": self.company,
            "text": [{"lang": "sv", "value": "Vi vill sänka energianvändningen i vår "
                                             "produktionslinje och ta vara på spillvärmen."}],
            "focus": ["ENERGY_EFFICIENCY"], "themes": ["ENERGY_TRANSITION"],
            "visibility": "PRIVATE", "publish": True})["need"]
        assert self.need["state"] == "NEED_PUBLISHED"

    def matches(self):
        def found():
            answer = self._ask("/v1/matches/suggest", {
                "subject": {"kind": "NEED", "id": self.need["needId"]}, "limit": 20})
            by_id = {c["profile"]["id"]: c for c in answer.get("candidates", [])}
            kinds = {c["profile"]["kind"] for c in by_id.values()}
            if self.researcher in by_id and "INFRASTRUCTURE" in kinds:
                return answer, by_id
            return None
        answer, by_id = wait_for(found, 15, "the researcher and the camera among the matches")
        assert answer["statement"]
        best = by_id[self.researcher]
        for candidate in by_id.values():
            assert candidate["reasons"]
            assert sum(r["scoreThousandths"] for r in candidate["reasons"]) == \
                candidate["scoreThousandths"]
            assert sum(p["scoreThousandths"] for p in candidate["parts"]) == \
                candidate["scoreThousandths"]
        other = next((c for i, c in by_id.items() if i != self.researcher), None)
        accepted = self.officer.post(f"/v1/matches/{best['matchId']}/accept", {
            "role": "ACADEMIC_COACH", "expectedVersion": best["version"]})["match"]
        assert accepted["state"] == "ACCEPTED"
        declined = self.officer.post(f"/v1/matches/{other['matchId']}/decline", {
            "reason": "NO_CAPACITY", "expectedVersion": other["version"]})["match"]
        assert declined["state"] == "DECLINED"

    def placement(self):
        placement = self.officer.post("/v1/placements", {
            "title": "Energieffektiv produktionslinje", "needId": self.need["needId"],
            "heiOrganisationIds": [self.world.university],
            "academicCoachId": self.researcher, "focus": ["ENERGY_EFFICIENCY"],
            "fteThousandths": 1000, "start": "2024-08-01", "end": "2026-09-01",
            "strategicRationale": "Energi är företagets näst största kostnad; projektet bär "
                                  "företagets klimatmål."})["placement"]
        self.placement_id = placement["placementId"]
        self.officer.post(f"/v1/placements/{self.placement_id}/approve-rationale",
                          {"expectedVersion": placement["version"]})
        verdict = self.officer.post(f"/v1/placements/{self.placement_id}/evaluate",
                                    {"mode": "DRAFT"})["verdict"]
        assert verdict["overall"] == "INELIGIBLE"
        assert rule(verdict, "KTP-07")["outcome"] == "FAIL"
        assert rule(verdict, "KTP-09")["outcome"] == "UNKNOWN"
        assert "1 månad" in rule(verdict, "KTP-07")["remedy"]
        self.explained = {}
        for language in ("sv", "fi", "en"):
            reader = self.world.web(self.address, language=language)
            listed = reader.get(f"/v1/placements/{self.placement_id}/verdicts")["verdicts"]
            self.explained[language] = rule(listed[0], "KTP-07")
        assert self.explained["en"]["remedy"].lower().startswith("shorten by 1 month")
        assert len({e["explanation"] for e in self.explained.values()}) == 3

    def remedies(self):
        placement = self.officer.get(f"/v1/placements/{self.placement_id}")["placement"]
        placement = self.officer.patch(
            f"/v1/placements/{self.placement_id}",
            {"end": "2026-08-01", "businessCoachId": self.adviser},
            placement["version"])["placement"]
        assert placement["eligibility"] == "OVERALL_UNSPECIFIED"
        answer = self.officer.post(f"/v1/placements/{self.placement_id}/evaluate",
                                   {"mode": "SUBMISSION"})
        assert answer["verdict"]["overall"] == "ELIGIBLE", [
            (r["ruleId"], r["explanation"]) for r in answer["verdict"]["results"]
            if r["outcome"] == "FAIL"]
        assert answer["placement"]["state"] == "ELIGIBLE_PLACEMENT"
        self.officer.post(f"/v1/placements/{self.placement_id}/advertise",
                          {"expectedVersion": answer["placement"]["version"]})

    def graduate(self):
        address, _ = self.world.add_account("graduate", "GRADUATE")
        self.graduate = self.world.web(address)
        person = self.graduate.post("/v1/people", {
            "kind": "RECENT_GRADUATE", "displayName": "Disa Examen", "languages": ["sv", "en"],
            "degrees": [{"iscedF": "0713", "eqf": 7, "awardedOn": "2024-06-07"}],
            "skills": self.world.skills("energy-efficiency", "production-line"),
            "nuts": "SE312", "capacity": 1})["person"]
        assert not person["talentPool"]
        assert person["visibility"] == "PRIVATE"
        self.graduate = self.world.web(address)  # a session made after the profile
        self.graduate.put(f"/v1/people/{person['personId']}/talent-pool", {"talentPool": True},
                          person["version"])

        def suggested():
            answer = self._ask("/v1/matches/find", {
                "subject": {"kind": "PERSON", "id": person["personId"]},
                "wanted": ["PLACEMENT"]}, self.graduate)
            return [answer] if any(c["profile"]["id"] == self.placement_id
                                   for c in answer.get("candidates", [])) else None
        answer, = wait_for(suggested, 15, "the placement among the graduate's matches")
        candidate = next(c for c in answer["candidates"]
                         if c["profile"]["id"] == self.placement_id)
        assert candidate["reasons"] and answer["statement"]

    def application(self):
        application = self.graduate.post(
            f"/v1/placements/{self.placement_id}/applications",
            {"motivation": "Jag vill arbeta med energi i industrin."})["application"]
        path = f"/v1/applications/{application['applicationId']}"
        version = application["version"]
        for state in ("UNDER_REVIEW", "INTERVIEW", "APPLICATION_OFFERED"):
            version = self.officer.post(f"{path}/decide", {
                "state": state, "expectedVersion": version})["application"]["version"]
        answer = self.graduate.post(f"{path}/answer",
                                    {"accept": True, "expectedVersion": version})
        assert answer["placement"]["state"] == "ASSOCIATE_SELECTED"

    def work(self):
        placement = self.officer.get(f"/v1/placements/{self.placement_id}")["placement"]
        path = f"/v1/placements/{self.placement_id}"
        for step, body, state in (
                ("sign-contract", {}, "CONTRACTED"),
                ("start", {"startedOn": "2024-08-01"}, "STARTED"),
                ("review", {"heldOn": "2025-08-01",
                            "participantIds": [self.researcher, self.adviser]},
                 "MIDWAY_REVIEWED"),
                ("end", {"endedOn": "2026-08-01"}, "ENDED")):
            placement = self.officer.post(f"{path}/{step}", {
                **body, "expectedVersion": placement["version"]})["placement"]
            assert placement["state"] == state
        self.before = self.officer.get("/v1/indicators/ktp-offered")["indicator"]

    def outcome(self):
        placement = self.officer.get(f"/v1/placements/{self.placement_id}")["placement"]
        self.officer.post(f"/v1/placements/{self.placement_id}/outcome", {
            "outcome": "OFFERED_PERMANENT", "offerAnswer": "ANSWER_ACCEPTED",
            "expectedVersion": placement["version"]})
        after = self.officer.get("/v1/indicators/ktp-offered")["indicator"]
        assert int(after["numerator"]) == int(self.before["numerator"]) + 1
        assert int(after["denominator"]) == int(self.before["denominator"]) == 1
        assert after["intervalLowThousandths"] < after["valueThousandths"] == 1000
        assert after["definition"] and after["defined"]

    # What must be true at the end, whatever happened on the way.

    def check_events(self):
        last = "org.samverka.placement.outcome_recorded.v1"
        wait_for(lambda: last in self.subscriber.types(self.placement_id), 30,
                 "the subscriber to hear of the outcome")
        head = int(self.officer.get("/v1/status")["log"]["head"])
        wait_for(lambda: self.subscriber.through >= head, 20, "the subscriber to reach the head")
        self.subscriber.stop()
        assert self.subscriber.complaints == []
        events = self.subscriber.events
        assert len({e.id for e in events}) == len(events)
        assert all(e.attributes["audience"].ce_string != "internal" for e in events)
        numbers = [int(e.attributes["tenantsequence"].ce_string) for e in events
                   if e.attributes["tenantid"].ce_string == self.world.tenant]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        wanted = ["need.published", "match.accepted", "match.declined", "eligibility.evaluated",
                  "eligibility.evaluated"]
        told = [short(e.type) for e in events if short(e.type) in set(wanted)]
        assert told[:len(wanted)] == wanted, told
        assert self.subscriber.types(self.placement_id)[-3:] == [
            f"org.samverka.placement.{step}.v1" for step in
            ("started", "ended", "outcome_recorded")]

    def check_mail(self, crashed=False):
        """Every event that the officer wants mail of has brought one; after a crash a mail may have
        come again, as the same."""
        def verdicts():
            return {m["Message-ID"]: str(m["Subject"]) for m in self.world.sink.to(self.address)
                    if str(m["Subject"]).startswith("Bedömning")}
        wait_for(lambda: len(verdicts()) >= 2, 60, "the officer's mails about both verdicts")
        assert sorted(verdicts().values()) == ["Bedömning: behörig", "Bedömning: inte behörig"]
        suggested = self.subscriber.types().count("org.samverka.match.suggested.v1")
        assert suggested >= 1
        wait_for(lambda: len({m["Message-ID"] for m in self.world.sink.to(self.address)})
                 >= suggested + 2, 60, f"mails about {suggested} suggestions")
        mails = self.world.sink.to(self.address)
        contents = {(m["Message-ID"], str(m["Subject"]), m.get_content()) for m in mails}
        assert len(contents) == len({m["Message-ID"] for m in mails}) == suggested + 2
        assert crashed or len(mails) == suggested + 2


def test_a_sentence_becomes_a_placement_and_a_job(world):
    journey = Journey(world)
    for step in journey.steps():
        step()
    journey.check_events()
    journey.check_mail()
    messages = journey.officer.get("/v1/messages")
    assert messages["unreadCount"] >= 3


def test_another_tenant_sees_nothing_of_it(world):
    journey = Journey(world)
    journey.need()
    elsewhere = world.tenants["hogskolan-gavle"]
    address, _ = world.add_account("neighbour", "PARTNERSHIP_OFFICER", tenant=elsewhere)
    neighbour = world.web(address, tenant=elsewhere)
    for path in (f"/v1/needs/{journey.need['needId']}", f"/v1/people/{journey.researcher}"):
        try:
            neighbour.get(path)
            raise AssertionError(f"{path} was shown to another tenant")
        except Problem as problem:
            assert problem.status == 404
    assert neighbour.get("/v1/needs")["needs"] == []
    journey.subscriber.stop()


def test_without_a_credential_nothing_opens(world):
    stranger = Web(world.cluster.url, patience=0)
    for path in ("/v1/needs", "/v1/people", "/v1/placements", "/v1/indicators", "/v1/events"):
        try:
            stranger.get(path)
            raise AssertionError(f"{path} opened without a credential")
        except Problem as problem:
            assert problem.status == 401
            assert problem.document["code"] == "UNAUTHENTICATED"

"""An index of matching in four shards: the gateway and the command line answer as one index does,
to the last point, and say which shard is away."""

import json
import random
import time
import uuid

import cluster as clusters
import pytest
from rpc_place import add_tenant, organisation
from samverka_client import Contract, Problem, Rpc, RpcError, Web, wait_for

SHARDS = 4
PASSWORD = "en lång lösenfras för prov"
OFFICER = ("PARTNERSHIP_OFFICER",)
SUGGESTED = "org.samverka.match.suggested.v1"
SUGGEST_LEAST = 48000
REQUEST_S = 5  # the gateway's request_ms
DEADLINE_S = 30
OFFERS, NEEDS = 120, 20
TEXTS = ("Energieffektivisering av värmepumpar i industrin", "Bildanalys av svetsfogar",
         "Maskininlärning för produktionsplanering", "Kvalitetskontroll och statistik")


class Place:
    """A tenant with an officer and profiles, in a cluster whose index has four shards; and beside
    them an instance of the whole index, which nobody is led to."""

    def __init__(self, cluster, offers=OFFERS, needs=NEEDS):
        self.cluster, self.contract, self.random = cluster, Contract(), random.Random(7)
        self.lines = {name: Rpc(self.contract, cluster.endpoint(name), cluster.key_folder,
                                name.split("-")[0])
                      for name in ("registry", "events", *shard_names(cluster))}
        self.tenant = add_tenant(self.lines["registry"])
        self.concepts = [c["conceptId"] for c in
                         self.registry("Concepts/ListConcepts", {"pageSize": 12})["concepts"]]
        address = f"prov-{uuid.uuid4().hex[:12]}@samverka.example"
        self.registry("Accounts/CreateAccount", {
            "email": address, "displayName": "Prov", "password": PASSWORD, "language": "sv",
            "roles": list(OFFICER)}, roles=("OPERATOR",))
        self.web = Web(cluster.url)
        self.web.sign_in(address, PASSWORD, self.tenant)
        self.seeker, self.offerer = (
            self.registry("Organisations/CreateOrganisation",
                          organisation(name))["organisation"]["organisationId"]
            for name in ("Sökaren AB", "Kunnaren AB"))
        self.offers = [self.add_offer() for _ in range(offers)]
        self.needs = [self.add_need() for _ in range(needs)]
        self.whole = None

    def start_whole(self):
        name = "matching-9"
        self.cluster.ports.update(zip((f"{name}.rpc", f"{name}.admin"), clusters.free_ports(2)))
        self.cluster.extra[name] = {"shard": "1/1"}
        self.cluster.instances[name] = clusters.Instance(self.cluster, "matching", 9)
        self.cluster.start_service(name)
        self.whole = Rpc(self.contract, self.cluster.endpoint(name), self.cluster.key_folder,
                         "matching")

    def close(self):
        for line in (*self.lines.values(), *([self.whole] if self.whole else [])):
            line.close()

    def registry(self, method, fields, roles=OFFICER):
        return self.lines["registry"].call(f"registry.v1.{method}", fields, tenant=self.tenant,
                                           roles=roles)

    def _profile(self):
        concepts = self.random.sample(self.concepts, self.random.randint(1, 4))
        return {"visibility": "PRIVATE",
                "text": [{"lang": "sv", "value": self.random.choice(TEXTS)}],
                "skills": [{"conceptId": c} for c in concepts]}

    def add_offer(self):
        return self.registry("Capabilities/CreateCapability", {
            "kind": "EXPERTISE", "organisationId": self.offerer, **self._profile()})["capability"]["capabilityId"]

    def add_need(self):
        return self.registry("Needs/CreateNeed", {
            "publish": True, "organisationId": self.seeker, **self._profile()})["need"]["needId"]

    def question(self, kind, subject, limit=50):
        return {"subject": {"kind": kind, "id": subject}, "limit": limit, "language": "sv"}

    def by_shards(self, kind, subject, **options):
        return self.web.post("/v1/matches/find", self.question(kind, subject, **options))

    def by_whole(self, kind, subject, **options):
        return self.whole.call("matching.v1.Matches/FindMatches",
                               self.question(kind, subject, **options), tenant=self.tenant,
                               roles=OFFICER)

    def subjects(self):
        return ([("NEED", need) for need in self.needs]
                + [("CAPABILITY", offer) for offer in self.offers[::6]])

    def head(self):
        return int(self.lines["events"].call("events.v1.Log/Head")["position"])

    def await_agreement(self):
        """The log is quiet, and every shard has heard of everything and of the others' counts."""
        head = self.head()
        for kind, subject in self.subjects():
            def agree(kind=kind, subject=subject):
                return (int(self.by_shards(kind, subject)["position"]) >= head
                        and same(self.by_shards(kind, subject), self.by_whole(kind, subject)))
            wait_for(agree, DEADLINE_S, f"the shards to agree about {kind} {subject}")

    def told(self):
        """The pairs of this tenant in the log, one for each event."""
        return [(event["data"]["query"]["id"], event["data"]["candidate"]["id"])
                for event in self.web.get(f"/v1/events?types={SUGGESTED}&limit=1000")
                if event["type"] == SUGGESTED
                and event["data"]["queryTenantId"] == self.tenant
                and event["data"]["candidateTenantId"] == self.tenant]


def shard_names(cluster):
    return ["matching"] + [f"matching-{n}" for n in range(2, cluster.slots["matching"] + 1)]


def candidates(answer):
    """Everything that is shown of each, in its order."""
    return [json.dumps({"id": c["profile"]["id"], "score": c["scoreThousandths"],
                        "parts": c["parts"], "reasons": c["reasons"],
                        "tenant": c["tenantId"]}, sort_keys=True) for c in answer["candidates"]]


def same(one, other):
    return (candidates(one) == candidates(other)
            and all(one[name] == other[name]
                    for name in ("inputHash", "weightsVersion", "statement", "emptyBecause")))


@pytest.fixture(scope="module")
def place(make_module_cluster):
    cluster = make_module_cluster(demo=True, slots={"matching": SHARDS},
                                  shards={"matching": SHARDS},
                                  extra={"matching": {"suggest_least": SUGGEST_LEAST}})
    made = Place(cluster)
    yield made
    made.close()


def test_each_pair_is_told_once_by_the_shard_of_the_counterpart(place):
    """Before the whole index is there, which would tell as well."""
    wait_for(lambda: len(place.told()) > 20, DEADLINE_S, "suggestions")
    place.needs.append(place.add_need())
    head = place.head()
    wait_for(lambda: int(place.by_shards("NEED", place.needs[-1])["position"]) >= head, DEADLINE_S,
             "the shards to hear of the last one")
    place.start_whole()
    place.await_agreement()
    good = [c["profile"]["id"] for c in place.by_whole("NEED", place.needs[-1])["candidates"]
            if c["scoreThousandths"] >= SUGGEST_LEAST + 500 and c["tenantId"] == place.tenant]
    assert good

    def known():
        return {candidate for query, candidate in place.told() if query == place.needs[-1]}
    # At most ten of each shard: the best ten of all are among them.
    wait_for(lambda: set(good[:10]) <= known(), DEADLINE_S, "the best to be told")
    told = place.told()
    assert len(told) == len(set(told)) < 1000


def test_four_shards_answer_as_one_index_from_both_sides(place):
    place.await_agreement()
    shown = 0
    for kind, subject in place.subjects():
        for limit in (50, 7, 1):
            by_shards = place.by_shards(kind, subject, limit=limit)
            assert same(by_shards, place.by_whole(kind, subject, limit=limit))
            shown += len(by_shards["candidates"])
    assert shown > 500
    assert same(place.by_shards("NEED", place.needs[0], limit=0),
                place.by_whole("NEED", place.needs[0], limit=0))


def test_they_do_so_after_changes_too(place):
    for need in place.needs[:5]:
        place.web.patch(f"/v1/needs/{need}", {"text": [
            {"lang": "sv", "value": "Vi vill nu något helt annat: statistik"}]},
            place.web.get(f"/v1/needs/{need}")["need"]["version"])
    for offer in place.offers[:10]:
        version = place.web.get(f"/v1/capabilities/{offer}")["capability"]["version"]
        place.registry("Capabilities/WithdrawCapability", {
            "capabilityId": offer, "expectedVersion": version})
    del place.offers[:10]
    place.offers += [place.add_offer() for _ in range(10)]
    place.await_agreement()


def test_what_is_suggested_is_what_was_found_and_is_remembered_once(place):
    place.await_agreement()
    need, key = place.needs[1], str(uuid.uuid4())
    found = place.by_shards("NEED", need, limit=15)
    first = place.web.post("/v1/matches/suggest", place.question("NEED", need, limit=15), key=key)
    assert place.web.answer.get("Idempotency-Replayed") is None
    again = place.web.post("/v1/matches/suggest", place.question("NEED", need, limit=15), key=key)
    assert place.web.answer["Idempotency-Replayed"] == "true"
    assert candidates(first) == candidates(again) == candidates(found)
    matches = [c["matchId"] for c in first["candidates"]]
    assert len(set(matches)) == 15 and all(matches)
    later = place.web.post("/v1/matches/suggest", place.question("NEED", need, limit=15))
    assert [c["matchId"] for c in later["candidates"]] == matches
    assert {c["matchId"] for c in place.whole.call(
        "matching.v1.Matches/SuggestMatches", place.question("NEED", need, limit=15),
        tenant=place.tenant, roles=OFFICER)["candidates"]} == set(matches)
    # Any instance reads what is remembered.
    for match in matches[:6]:
        assert place.web.get(f"/v1/matches/{match}")["match"]["query"]["id"] == need


def test_the_command_line_asks_all_shards(place):
    place.await_agreement()
    question = place.question("NEED", place.needs[2])
    answer = json.loads(place.cluster.command_line(
        "--tenant", place.tenant, "call", "matching.v1.Matches/FindMatches",
        json.dumps(question)).stdout)
    assert [c["profile"]["id"] for c in answer["candidates"]] == [
        c["profile"]["id"] for c in place.by_whole("NEED", place.needs[2])["candidates"]]
    lines = place.cluster.command_line("status").stdout.splitlines()
    assert len([line for line in lines if line.startswith("matching\t")]) == SHARDS


def test_a_part_never_passes_for_the_whole(place):
    for name in shard_names(place.cluster):
        for method in ("FindMatches", "SuggestMatches"):
            with pytest.raises(RpcError) as refusal:
                place.lines[name].call(f"matching.v1.Matches/{method}",
                                       place.question("NEED", place.needs[0]),
                                       tenant=place.tenant, roles=OFFICER)
            assert refusal.value.code == "FAILED_PRECONDITION"
    with pytest.raises(RpcError) as refusal:
        place.lines["matching"].call("matching.v1.Shards/FindInShard", {
            "ask": place.question("NEED", place.needs[0]), "shard": 2, "shards": SHARDS},
            tenant=place.tenant, roles=OFFICER)
    assert refusal.value.code == "FAILED_PRECONDITION"


def test_refusals_are_those_of_one_index(place):
    for question in (place.question("NEED", str(uuid.uuid4())), place.question("NEED", "x"),
                     {**place.question("NEED", place.needs[0]), "wanted": ["NEED"]},
                     place.question("NEED", place.needs[0], limit=1000)):
        with pytest.raises(Problem) as of_shards:
            place.web.post("/v1/matches/find", question)
        with pytest.raises(RpcError) as of_whole:
            place.whole.call("matching.v1.Matches/FindMatches", question, tenant=place.tenant,
                             roles=OFFICER)
        assert of_shards.value.code.upper() == of_whole.value.code
        assert of_shards.value.document["detail"] == of_whole.value.head.detail


@pytest.mark.parametrize("away", ["kill", "freeze"])
def test_a_shard_that_is_away_is_named_and_heals(place, away):
    place.await_agreement()
    impatient = Web(place.cluster.url, patience=0)
    impatient.cookie = place.web.cookie
    getattr(place.cluster, away)("matching-3")
    for path in ("/v1/matches/find", "/v1/matches/suggest"):
        began = time.monotonic()
        with pytest.raises(Problem) as problem:
            impatient.post(path, place.question("NEED", place.needs[0]))
        assert problem.value.status in (503, 504)
        assert time.monotonic() - began < REQUEST_S + 2
        assert f"shard 3/{SHARDS} of matching" in problem.value.document["detail"]
    assert place.web.get("/v1/matches")["matches"]
    offer = place.add_offer()
    place.offers.insert(0, offer)
    if away == "kill":
        place.cluster.start_service("matching-3")
    else:
        place.cluster.thaw("matching-3")
    place.await_agreement()
    assert same(place.by_shards("CAPABILITY", offer), place.by_whole("CAPABILITY", offer))


def test_a_shard_lives_as_long_as_one_of_its_instances(make_cluster):
    """Two shards of two instances each, 1 and 3, 2 and 4."""
    cluster = make_cluster(demo=True, slots={"matching": 4}, shards={"matching": 2})
    cluster.scale("matching", 4)
    place = Place(cluster, offers=20, needs=2)
    impatient = Web(cluster.url, patience=0)
    impatient.cookie = place.web.cookie
    question = place.question("NEED", place.needs[0])
    try:
        wait_for(lambda: len(place.by_shards("NEED", place.needs[0])["candidates"]) > 3,
                 DEADLINE_S, "candidates")
        for name in ("matching-3", "matching-4"):
            cluster.kill(name)
            for _ in range(20):
                assert impatient.post("/v1/matches/find", question)["candidates"]
        cluster.start_service("matching-3")
        cluster.kill("matching")
        wait_for(lambda: impatient.post("/v1/matches/find", question)["candidates"], DEADLINE_S,
                 "the other instance")
        cluster.kill("matching-2")
        with pytest.raises(Problem) as problem:
            impatient.post("/v1/matches/find", question)
        assert "shard 2/2 of matching" in problem.value.document["detail"]
    finally:
        place.close()

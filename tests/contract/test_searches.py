"""Saved searches: four instances of matching hear the same log and tell of each profile once."""

import uuid

import pytest
from rpc_place import add_tenant
from samverka_client import Contract, Rpc, RpcError, Web, wait_for

INSTANCES = 4
PASSWORD = "en lång lösenfras för prov"
OFFICER = ("PARTNERSHIP_OFFICER",)
HIT = "org.samverka.search.hit.v1"
DEADLINE_S = 30


class Place:
    """A tenant with an officer, in a cluster with several instances of matching."""

    def __init__(self, cluster):
        self.cluster, self.contract = cluster, Contract()
        self.lines = {name: Rpc(self.contract, cluster.endpoint(name), cluster.key_folder,
                                name.split("-")[0])
                      for name in ("registry", "events", *self.matchers())}
        self.tenant = add_tenant(self.lines["registry"])
        self.concept = self.registry("Concepts/ListConcepts",
                                     {"pageSize": 1})["concepts"][0]["conceptId"]
        address = f"prov-{uuid.uuid4().hex[:12]}@samverka.example"
        self.registry("Accounts/CreateAccount", {
            "email": address, "displayName": "Prov", "password": PASSWORD, "language": "sv",
            "roles": list(OFFICER)}, roles=("OPERATOR",))
        self.web = Web(cluster.url)
        self.web.sign_in(address, PASSWORD, self.tenant)
        self.company = self.registry("Organisations/CreateOrganisation", {
            "names": [{"lang": "sv", "value": "Sökaren AB"}], "type": "COMPANY", "country": "SE",
            "nuts": "SE312", "ownership": "PRIVATE_OWNED"})["organisation"]["organisationId"]

    @staticmethod
    def matchers():
        return ["matching"] + [f"matching-{n}" for n in range(2, INSTANCES + 1)]

    def close(self):
        for line in self.lines.values():
            line.close()

    def registry(self, method, fields, roles=OFFICER):
        return self.lines["registry"].call(f"registry.v1.{method}", fields, tenant=self.tenant,
                                           roles=roles)

    def save(self, **terms):
        terms = {"requiredConceptIds": [self.concept], "nuts": ["SE3"], **terms}
        return self.web.post("/v1/searches", {"name": "prov", "terms": terms})["search"]["searchId"]

    def publish(self, concept=None):
        """A capability of the tenant; and every instance has heard of it."""
        made = self.registry("Capabilities/CreateCapability", {
            "organisationId": self.company, "kind": "EXPERTISE", "visibility": "PRIVATE",
            "text": [{"lang": "sv", "value": "Prov av sökningar"}],
            "skills": [{"conceptId": concept or self.concept}]})["capability"]["capabilityId"]
        for name in self.matchers():
            wait_for(lambda at=name: self.heard(at, made), DEADLINE_S, f"{name} to hear of it")
        return made

    def heard(self, name, capability):
        try:
            self.lines[name].call("matching.v1.Matches/FindMatches", {
                "subject": {"kind": "CAPABILITY", "id": capability}}, tenant=self.tenant,
                roles=OFFICER)
        except RpcError as refusal:
            assert refusal.code == "NOT_FOUND", refusal
            return False
        return True

    def hits(self, search):
        return [hit["profile"]["id"] for hit in self.web.get(f"/v1/searches/{search}")["hits"]]

    def told(self, search):
        """The events about this search in the log."""
        return [event for event in self.web.get(f"/v1/events?types={HIT}&limit=1000")
                if event["type"] == HIT and event["subject"] == search]


@pytest.fixture(scope="module")
def place(make_module_cluster):
    cluster = make_module_cluster(demo=True, slots={"matching": INSTANCES})
    cluster.scale("matching", INSTANCES)
    made = Place(cluster)
    yield made
    made.close()


def test_each_search_is_told_once_of_each_profile(place):
    searches = [place.save(), place.save(kinds=["CAPABILITY"])]
    elsewhere = place.save(nuts=["FI"])
    profiles = [place.publish() for _ in range(5)]
    for search in searches:
        wait_for(lambda at=search: set(place.hits(at)) == set(profiles), DEADLINE_S, "the hits")
        wait_for(lambda at=search: len(place.told(at)) >= len(profiles), DEADLINE_S, "the events")
    # What comes after is told after: whatever was told twice is there by now.
    last = place.publish()
    for search in searches:
        wait_for(lambda at=search: last in place.hits(at), DEADLINE_S, "the last hit")
        wait_for(lambda at=search: len(place.told(at)) >= len(profiles) + 1, DEADLINE_S, "its event")
        told = [event["data"]["profile"]["id"] for event in place.told(search)]
        assert sorted(told) == sorted([*profiles, last])
    assert place.hits(elsewhere) == [] and place.told(elsewhere) == []


def test_its_owner_gets_one_message_for_a_hit(place):
    place.web.post("/v1/subscriptions", {"topic": "SEARCH_HIT"})
    search = place.save()
    profile = place.publish()

    def told():
        return [message for message in place.web.get("/v1/messages?page_size=200")["messages"]
                if (message["subjectKind"], message["subjectId"]) == ("search", search)]
    wait_for(told, DEADLINE_S, "the message")
    assert [message["topic"] for message in told()] == ["SEARCH_HIT"]
    assert place.hits(search) == [profile]


def test_a_removed_search_hears_nothing_more(place):
    gone, stays = place.save(), place.save()
    place.web.request("DELETE", f"/v1/searches/{gone}")
    profile = place.publish()
    wait_for(lambda: profile in place.hits(stays), DEADLINE_S, "the other's hit")
    assert place.told(gone) == []
    assert gone not in [s["searchId"] for s in place.web.get("/v1/searches")["searches"]]


def test_the_same_key_saves_once(place):
    body = {"name": "en gång", "terms": {"requiredConceptIds": [place.concept]}}
    key = str(uuid.uuid4())
    first, again = (place.web.post("/v1/searches", body, key=key)["search"] for _ in range(2))
    assert first == again
    names = [s["name"] for s in place.web.get("/v1/searches")["searches"]]
    assert names.count("en gång") == 1


def test_an_instance_that_was_away_tells_nothing_twice(place):
    search = place.save()
    place.cluster.kill("matching-2")
    place.cluster.stop_service("matching-3")
    profile = place.registry("Capabilities/CreateCapability", {
        "organisationId": place.company, "kind": "EXPERTISE", "visibility": "PRIVATE",
        "text": [{"lang": "sv", "value": "Prov"}],
        "skills": [{"conceptId": place.concept}]})["capability"]["capabilityId"]
    wait_for(lambda: profile in place.hits(search), DEADLINE_S, "the hit")
    place.cluster.start_service("matching-2")
    place.cluster.start_service("matching-3")
    later = place.publish()
    wait_for(lambda: len(place.told(search)) >= 2, DEADLINE_S, "both events")
    assert sorted(e["data"]["profile"]["id"] for e in place.told(search)) == sorted(
        [profile, later])

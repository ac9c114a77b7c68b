"""Who may call what: every rpc with every role, from the contract's own options; and every id of one
tenant tried from another, which must look like an id that does not exist."""

import re
import uuid

import pytest
from rpc_place import Wire, add_tenant, contract, operator  # noqa: F401
from samverka_client import Contract, Rpc, RpcError, wait_for

SERVICES = ["registry", "matching", "events", "notifications", "gateway"]
OFFICER = ("PARTNERSHIP_OFFICER",)
PASSWORD = "en lång lösenfras för prov"
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNKNOWN = "0193a000-0000-7000-8000-00000000ffff"
# Not called where it is allowed: it would end the service that the other tests share.
ENDS_THE_SERVICE = "wire.v1.Admin/Drain"


def options_of(contract, method):  # noqa: F811
    kind = contract.message("google.protobuf.MethodOptions")
    options = kind.FromString(method.GetOptions().SerializeToString())
    return options.Extensions[contract.pool.FindExtensionByName("wire.v1.rpc")]


def rpcs_of(contract, service):  # noqa: F811
    """The rpcs with rights that a process serves: (name, allowed roles)."""
    names = contract.pool.FindEnumTypeByName("wire.v1.Role").values_by_number
    found = []
    for full_name in contract.services():
        if not full_name.startswith((f"{service}.v1.", "wire.v1.")):
            continue
        for method in contract.pool.FindServiceByName(full_name).methods:
            rights = options_of(contract, method)
            if rights.roles:
                found.append((f"{full_name}/{method.name}",
                              {names[number].name for number in rights.roles}))
    return found


@pytest.fixture(params=SERVICES)
def line(request, cluster, contract):  # noqa: F811
    made = Wire(contract, cluster.endpoint(request.param), cluster.key_folder, request.param)
    made.service = request.param
    try:
        yield made
    finally:
        made.close()


def head_for(line, method, tenant, *roles):
    head = line.head(method, tenant=tenant, roles=roles, subject=str(uuid.uuid4()))
    return head


def all_roles(contract):  # noqa: F811
    names = contract.pool.FindEnumTypeByName("wire.v1.Role").values_by_name
    return set(names) - {"ROLE_UNSPECIFIED", "ANYONE"}


def test_a_role_that_is_not_listed_is_denied_and_one_that_is_gets_in(line, contract,  # noqa: F811
                                                                    operator):  # noqa: F811
    tenant = add_tenant(operator)
    denied = admitted = 0
    for method, allowed in rpcs_of(contract, line.service):
        for role in sorted(all_roles(contract)):
            if role in allowed and method == ENDS_THE_SERVICE:
                continue
            answer = line.ask(head_for(line, method, tenant, role))
            # Rights on one object may deny as well, in other words.
            refused = (line.code(answer) == "PERMISSION_DENIED"
                       and answer.detail == f"{method} is not for your roles")
            if allowed & {role, "ANYONE"}:
                assert not refused, (method, role)
                assert answer.detail != f"{method} needs a credential", (method, role)
                assert line.code(answer) != "INTERNAL", (method, answer)
                admitted += 1
            else:
                assert refused, (method, role, answer)
                assert answer.body == b""
                denied += 1
    assert denied > 5 and admitted > 5


def test_without_a_credential_only_what_anyone_may_do_opens(line, contract, operator):  # noqa: F811
    tenant = add_tenant(operator)
    for method, allowed in rpcs_of(contract, line.service):
        answer = line.ask(head_for(line, method, tenant))
        if "ANYONE" in allowed:
            assert line.code(answer) not in ("UNAUTHENTICATED", "PERMISSION_DENIED"), method
        else:
            assert line.code(answer) == "UNAUTHENTICATED", (method, answer)


def test_numbers_that_are_no_roles_open_nothing(line, contract, operator):  # noqa: F811
    tenant = add_tenant(operator)
    for method, allowed in rpcs_of(contract, line.service):
        if "ANYONE" in allowed:
            continue
        head = head_for(line, method, tenant)
        head.principal.roles.extend([0, 1, 16, 31, 32, 33, 64, 2147483647, -1])
        assert line.code(line.ask(head)) == "PERMISSION_DENIED", method


# From one tenant into another

class Estate:
    """A tenant with one of everything; `ids` by the name of the field that takes them."""

    def __init__(self, cluster, contract, operator, suffix):  # noqa: F811
        self.lines = {name: Rpc(contract, cluster.endpoint(name), cluster.key_folder, name)
                      for name in ("registry", "matching", "notifications")}
        self.tenant = add_tenant(operator)
        self.ids = {}
        self.concept = self.registry("Concepts/ListConcepts", {"pageSize": 1})["concepts"][0]
        self._people(suffix)
        self._things()
        self._placement()
        self._match()
        self._round()
        self._partnership()
        self.ids["search_id"] = self.call("matching", "Searches/SaveSearch", {
            "name": "Prov", "terms": {
                "requiredConceptIds": [self.concept["conceptId"]]}})["search"]["searchId"]

    def call(self, service, method, fields=None, subject=None, **options):
        return self.lines[service].call(
            f"{service}.v1.{method}", fields or {}, tenant=self.tenant,
            roles=options.get("roles", OFFICER), person=self.ids.get("person_id", ""),
            subject=subject or self.ids.get("account_id", UNKNOWN))

    def registry(self, method, fields=None, **options):
        return self.call("registry", method, fields, **options)

    def close(self):
        for line in self.lines.values():
            line.close()

    def _people(self, suffix):
        address = f"{suffix}-{uuid.uuid4().hex[:12]}@samverka.example"
        self.ids["account_id"] = self.registry("Accounts/CreateAccount", {
            "email": address, "displayName": "Prov", "password": PASSWORD, "language": "sv",
            "roles": list(OFFICER)}, roles=("OPERATOR",))["account"]["accountId"]
        self.registry("Sessions/SignIn", {"email": address, "password": PASSWORD,
                                          "tenant": self.tenant})
        self.ids["session_id"] = self.registry("Sessions/ListSessions")["sessions"][0]["sessionId"]
        self.ids["subscription_id"] = self.call("notifications", "Subscriptions/Subscribe", {
            "topic": "VERDICT_CHANGED"})["subscription"]["subscriptionId"]
        self.ids["system_id"] = self.registry("Systems/EnrolSystem",
                                              {"name": "prov"})["system"]["systemId"]
        self.organisation, self.university = (self.registry("Organisations/CreateOrganisation", {
            "names": [{"lang": "sv", "value": f"Gården {suffix}"}], "type": kind, "country": "SE",
            "nuts": "SE312", "ownership": "PRIVATE_OWNED"})["organisation"]["organisationId"]
            for kind in ("COMPANY", "HEI_UNIVERSITY"))
        person = self.registry("People/CreatePerson", {
            "kind": "RESEARCHER", "displayName": "Anna Prov", "nuts": "SE312", "capacity": 2,
            "languages": ["sv"], "skills": self.skills(),
            "affiliations": [{"organisationId": self.university, "role": "lektor"}]})["person"]
        self.ids["person_id"] = person["personId"]
        self.registry("People/SetTalentPool", {
            "personId": person["personId"], "expectedVersion": person["version"],
            "talentPool": True})

    def skills(self):
        return [{"conceptId": self.concept["conceptId"]}]

    def _things(self):
        text = [{"lang": "sv", "value": "Prov av rättigheter"}]
        self.ids["need_id"] = self.registry("Needs/CreateNeed", {
            "organisationId": self.organisation, "text": text, "skills": self.skills(),
            "publish": True})["need"]["needId"]
        self.ids["capability_id"] = self.registry("Capabilities/CreateCapability", {
            "organisationId": self.organisation, "kind": "EXPERTISE", "text": text,
            "skills": self.skills(), "visibility": "PRIVATE"})["capability"]["capabilityId"]
        self.ids["equipment_id"] = self.registry("Infrastructure/EnlistEquipment", {
            "organisationId": self.organisation, "type": "EQUIPMENT", "names": text,
            "skills": self.skills(), "visibility": "PRIVATE"})["equipment"]["equipmentId"]

    def _placement(self):
        placement = self.registry("Placements/CreatePlacement", {
            "title": "Prov", "needId": self.ids["need_id"],
            "heiOrganisationIds": [self.university],
            "academicCoachId": self.ids["person_id"]})["placement"]
        self.ids["placement_id"] = placement["placementId"]
        self.registry("Placements/EvaluatePlacement",
                      {"placementId": placement["placementId"], "mode": "DRAFT"})

    def _match(self):
        def suggested():
            try:
                found = self.call("matching", "Matches/SuggestMatches", {
                    "subject": {"kind": "NEED", "id": self.ids["need_id"]}, "limit": 100})
            except RpcError as refusal:
                assert refusal.code == "NOT_FOUND", refusal  # not heard of yet
                return None
            return [c["matchId"] for c in found["candidates"]
                    if c["profile"]["id"] == self.ids["person_id"]]
        self.ids["match_id"] = wait_for(suggested, 15, "a match")[0]

        def told():
            return self.call("notifications", "Messages/ListMessages")["messages"]
        self.ids["message_id"] = wait_for(told, 15, "a message")[0]["messageId"]


    def _round(self):
        """Solved, with an objection of the estate's person."""
        self.ids["round_id"] = self.call("matching", "Rounds/CreateRound",
                                         {"title": "Prov"})["round"]["roundId"]
        here = {"roundId": self.ids["round_id"]}

        def bring(part, csv):
            assert self.call("matching", "Rounds/ImportCohort",
                             {**here, "part": part, "csv": csv})["stored"]

        def version():
            return self.call("matching", "Rounds/GetRound", here)["round"]["version"]

        def move(state):
            self.call("matching", "Rounds/MoveRound", {**here, "state": state,
                                                       "expectedVersion": version()})
        bring("TOPICS", "code,title,capacity\nt1,Prov,1\n")
        bring("STUDENTS", f"code,person_id\ns1,{self.ids['person_id']}\n")
        move("COLLECTING_TOPICS")
        move("TOPIC_CHECK")
        self.call("matching", "Rounds/CheckTopics", {**here, "state": "TOPIC_APPROVED"})
        move("RANKING_OPEN")
        self.call("matching", "Rounds/SetChoices", {**here, "topics": ["t1"]}, roles=("STUDENT",))
        move("RANKING_CLOSED")
        self.call("matching", "Rounds/SolveRound", {**here, "expectedVersion": version()})
        wait_for(lambda: self.call("matching", "Rounds/GetRound", here)["round"]["state"] == "SOLVED",
                 15, "the round to be solved")
        move("OBJECTIONS")
        self.call("matching", "Rounds/RaiseObjection", {**here, "text": "Prov"}, roles=("STUDENT",))

    def _partnership(self):
        self.ids["partnership_id"] = self.registry("Partnerships/CreatePartnership", {
            "title": "Prov", "programmeCode": "KA",
            "organisationIds": [self.university]})["partnership"]["partnershipId"]
        self.ids["composition_id"] = self.call("matching", "Compositions/StartComposition", {
            "question": {"programmeCode": "KA", "board": [self.university],
                         "candidates": [{"organisationId": self.organisation}]},
        })["composition"]["compositionId"]


@pytest.fixture(scope="module")
def estates(cluster):
    made_contract = Contract()
    host = Rpc(made_contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
    made = [Estate(cluster, made_contract, host, name) for name in ("alfa", "beta")]
    yield made
    for estate in made:
        estate.close()
    host.close()


# What a request needs besides the id, so that only the id can be wrong.
MORE = {
    "Needs/UpdateNeed": {"updateFields": ["nuts"], "nuts": "SE312"},
    "People/UpdatePerson": {"updateFields": ["nuts"], "nuts": "SE312"},
    "People/SetTalentPool": {"talentPool": True},
    "Placements/UpdatePlacement": {"updateFields": ["title"], "title": "Annan"},
    "Placements/EvaluatePlacement": {"mode": "DRAFT"},
    "Placements/TerminatePlacement": {"reason": "prov"},
    "Placements/RecordOutcome": {"outcome": "NOT_OFFERED"},
    "Placements/RecordReview": {"heldOn": "2025-01-01", "participantIds": [UNKNOWN]},
    "Accounts/SetAccountRoles": {"roles": ["PARTNERSHIP_OFFICER"]},
    "Partnerships/UpdatePartnership": {"updateFields": ["title"], "title": "Annan"},
    "Partnerships/InviteMember": {"organisationId": UNKNOWN},
    "Partnerships/DescribeMember": {"organisationId": UNKNOWN},
    "Partnerships/AnswerInvitation": {"organisationId": UNKNOWN, "commit": True},
    "Partnerships/WithdrawMember": {"organisationId": UNKNOWN, "reason": "prov"},
    "Matches/AcceptMatch": {"role": "ACADEMIC_COACH"},
    "Matches/DeclineMatch": {"reason": "NO_CAPACITY"},
    "Rounds/ImportCohort": {"part": "STUDENTS", "csv": "code\ns2\n"},
    "Rounds/MoveRound": {"state": "FINAL"},
    "Rounds/CheckTopics": {"state": "TOPIC_APPROVED"},
    "Rounds/RankStudents": {"owner": "t1"},
    "Rounds/PinStudent": {"student": "s1", "topic": "t1", "reason": "prov"},
    "Rounds/AmendAssignment": {"student": "s1", "topic": "t1", "reason": "prov"},
    "Rounds/RaiseObjection": {"text": "prov"},
    "Rounds/DecideObjection": {"objectionId": UNKNOWN, "answer": "prov"},
}


def probes(contract, ids):  # noqa: F811
    """Every rpc that takes one of these ids as the thing it is about: its first field."""
    for service in ("registry", "matching", "notifications"):
        for method, allowed in rpcs_of(contract, service):
            short = method.split(".v1.")[1]
            request, _ = contract.method(method)
            if not request.DESCRIPTOR.fields:
                continue
            first = request.DESCRIPTOR.fields[0].name
            if first not in ids or "ANYONE" in allowed:
                continue
            fields = dict(MORE.get(short, {}))
            if "expected_version" in request.DESCRIPTOR.fields_by_name:
                fields["expectedVersion"] = 1
            yield service, short, first, fields, sorted(allowed & {
                "PARTNERSHIP_OFFICER", "COMPANY_CONTACT", "GRADUATE", "SYSTEM", "ACADEMIC_COACH",
                "OPERATOR", "SERVICE"})


def outcome(estate, service, method, fields, role):
    """What is said: (code, field, detail without ids), or the answer."""
    try:
        return estate.call(service, method, fields, roles=(role,))
    except RpcError as refusal:
        return refusal.code, refusal.field, IDS.sub("ID", refusal.head.detail)


def test_an_id_of_another_tenant_is_answered_like_one_that_does_not_exist(estates,  # noqa: F811
                                                                         contract):  # noqa: F811
    alfa, beta = estates
    tried = set()
    for service, method, field, more, roles in probes(contract, alfa.ids):
        name = json_name(field)
        for role in roles:
            fields = {**more, name: alfa.ids[field]}
            theirs = outcome(beta, service, method, fields, role)
            nobody = outcome(beta, service, method, {**more, name: UNKNOWN}, role)
            assert theirs == nobody, (method, role)
            assert alfa.ids[field] not in str(theirs), (method, role)
            empty = isinstance(nobody, dict) and not any(nobody.values())
            quiet = method == "Sessions/RevokeSession"  # revoking what is gone is no mistake
            assert nobody[0] == "NOT_FOUND" if isinstance(nobody, tuple) else empty or quiet, (
                method, role, nobody)
            tried.add((method, role))
    assert len(tried) > 60, len(tried)
    assert {field for *_, field, _, _ in probes(contract, alfa.ids)} >= set(alfa.ids) - {"session_id"}


def json_name(field):
    head, *rest = field.split("_")
    return head + "".join(word.title() for word in rest)


def test_nothing_of_it_has_changed(estates):
    """After all those tries the tenant's things are as they were."""
    alfa, _ = estates
    assert alfa.registry("Needs/GetNeed", {"needId": alfa.ids["need_id"]})["need"]["version"] == "1"
    assert alfa.registry("Placements/GetPlacement", {
        "placementId": alfa.ids["placement_id"]})["placement"]["title"] == "Prov"
    assert alfa.call("matching", "Matches/GetMatch", {
        "matchId": alfa.ids["match_id"]})["match"]["state"] == "SUGGESTED"
    assert alfa.call("matching", "Rounds/GetRound", {
        "roundId": alfa.ids["round_id"]})["round"]["state"] == "OBJECTIONS"
    partnership = alfa.registry("Partnerships/GetPartnership", {
        "partnershipId": alfa.ids["partnership_id"]})["partnership"]
    assert (partnership["title"], partnership["version"]) == ("Prov", "1")
    assert alfa.call("matching", "Searches/GetSearch", {
        "searchId": alfa.ids["search_id"]})["search"]["name"] == "Prov"
    assert alfa.registry("Sessions/ListSessions")["sessions"]
    assert not alfa.registry("Systems/ListSystems")["systems"][0]["revoked"]
    assert alfa.call("notifications", "Subscriptions/ListSubscriptions")["subscriptions"]


def test_no_list_shows_anything_of_another_tenant(estates, contract):  # noqa: F811
    alfa, beta = estates
    lists = 0
    for service in ("registry", "matching", "notifications"):
        for method, allowed in rpcs_of(contract, service):
            short = method.split(".v1.")[1]
            request, _ = contract.method(method)
            if not short.split("/")[1].startswith("List"):
                continue
            fields = [{}]
            if "organisation_id" in request.DESCRIPTOR.fields_by_name:
                fields.append({"organisationId": alfa.organisation})
            if "subject" in request.DESCRIPTOR.fields_by_name:
                fields.append({"subject": {"kind": "NEED", "id": alfa.ids["need_id"]}})
            for role in sorted(allowed - {"ANYONE"}):
                for each in fields:
                    shown = str(outcome(beta, service, short, each, role))
                    assert not [i for i in alfa.ids.values() if i in shown], (method, role)
                    lists += 1
    assert lists > 50


def test_things_of_another_tenant_cannot_be_referred_to(estates):
    alfa, beta = estates
    own = {"title": "Lånad", "needId": beta.ids["need_id"]}
    for method, fields, name, theirs in (
            ("Placements/CreatePlacement", {"title": "Lånad"}, "needId", alfa.ids["need_id"]),
            ("Placements/CreatePlacement", own, "academicCoachId", alfa.ids["person_id"]),
            ("Placements/CreatePlacement", own, "businessCoachId", alfa.ids["person_id"]),
            ("Placements/CreatePlacement", own, "processManagerId", alfa.ids["person_id"]),
            ("Accounts/CreateAccount", {"email": "x@samverka.example", "displayName": "X",
                                        "password": PASSWORD, "language": "sv",
                                        "roles": ["GRADUATE"]}, "personId",
             alfa.ids["person_id"])):
        wrong = outcome(beta, "registry", method, {**fields, name: theirs}, "PARTNERSHIP_OFFICER")
        nobody = outcome(beta, "registry", method, {**fields, name: UNKNOWN}, "PARTNERSHIP_OFFICER")
        assert isinstance(wrong, tuple), (method, name, wrong)
        assert wrong == nobody, (method, name)


@pytest.mark.parametrize("method", ["Matches/FindMatches", "Matches/SuggestMatches"])
def test_matches_are_not_found_for_a_profile_of_another_tenant(estates, method):
    alfa, beta = estates
    for kind, field in (("NEED", "need_id"), ("PERSON", "person_id"), ("CAPABILITY", "capability_id"),
                        ("PLACEMENT", "placement_id")):
        def ask(thing, kind=kind):
            try:
                beta.call("matching", method, {"subject": {"kind": kind, "id": thing}})
            except RpcError as refusal:
                return refusal.code, refusal.head.detail.replace(thing, "ID")
            return None
        assert ask(alfa.ids[field]) == ask(UNKNOWN)
        assert ask(UNKNOWN)[0] == "NOT_FOUND"
    found = beta.call("matching", "Matches/FindMatches",
                      {"subject": {"kind": "NEED", "id": beta.ids["need_id"]}, "limit": 100})
    shown = str(found)
    assert beta.ids["person_id"] in shown
    assert not [i for i in alfa.ids.values() if i in shown]


def test_a_page_token_of_another_tenant_or_list_is_refused(estates):
    alfa, beta = estates
    alfa.registry("Needs/CreateNeed", {"organisationId": alfa.organisation,
                                       "text": [{"lang": "sv", "value": "Ett till"}]})
    token = alfa.registry("Needs/ListNeeds", {"pageSize": 1})["nextPageToken"]
    assert token
    assert alfa.registry("Needs/ListNeeds", {"pageSize": 1, "pageToken": token})["needs"]
    for estate, method in ((beta, "Needs/ListNeeds"), (alfa, "Placements/ListPlacements")):
        with pytest.raises(RpcError) as refusal:
            estate.registry(method, {"pageSize": 1, "pageToken": token})
        assert (refusal.value.code, refusal.value.field) == ("INVALID_ARGUMENT", "page_token")
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    with pytest.raises(RpcError) as refusal:
        alfa.registry("Needs/ListNeeds", {"pageSize": 1, "pageToken": changed})
    assert refusal.value.field == "page_token"

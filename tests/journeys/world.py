"""The KTP network as a journey finds it: seven universities, a company in Dalarna, people."""

import itertools
import uuid

from samverka_client import Rpc, Web, read_key, wait_for

PASSWORD = "en lång lösenfras för resan"

UNIVERSITIES = [("hogskolan-dalarna", "Högskolan Dalarna", "SE312"),
                ("hogskolan-gavle", "Högskolan i Gävle", "SE313"),
                ("karlstads-universitet", "Karlstads universitet", "SE311"),
                ("malardalens-universitet", "Mälardalens universitet", "SE125"),
                ("hogskolan-vast", "Högskolan Väst", "SE232"),
                ("mittuniversitetet", "Mittuniversitetet", "SE321"),
                ("linneuniversitetet", "Linnéuniversitetet", "SE212")]

# uri, broader, sv, fi, en; ALTERNATIVES: what else Swedish says for it
VOCABULARY = [
    ("energy", None, "energi", "energia", "energy"),
    ("energy-audit", "energy", "energikartläggning", "energiakatselmus", "energy audit"),
    ("energy-efficiency", "energy", "energieffektivisering", "energiatehokkuus",
     "energy efficiency"),
    ("heat-recovery", "energy", "värmeåtervinning", "lämmön talteenotto", "heat recovery"),
    ("manufacturing", None, "tillverkning", "valmistus", "manufacturing"),
    ("production-line", "manufacturing", "produktionslinje", "tuotantolinja", "production line"),
    ("lean", "manufacturing", "lean produktion", "lean-tuotanto", "lean production"),
    ("marketing", None, "marknadsföring", "markkinointi", "marketing"),
    ("social-media", "marketing", "sociala medier", "sosiaalinen media", "social media"),
    ("teaching", None, "undervisning", "opetus", "teaching"),
    ("problem-based-learning", "teaching", "problembaserat lärande", "ongelmalähtöinen oppiminen",
     "problem-based learning"),
]
ALTERNATIVES = {"energy-efficiency": ["energianvändning", "energibesparing"],
                "heat-recovery": ["spillvärme"]}


class World:
    def __init__(self, cluster, contract, sink):
        self.cluster = cluster
        self.contract = contract
        self.sink = sink
        self._numbers = itertools.count(1)
        self.operator = Rpc(contract, cluster.endpoint("registry"), cluster.key_folder, "registry")
        self.tenants = {}
        for slug, name, nuts in UNIVERSITIES:
            self._add_university(slug, name, nuts)
        self.tenant = self.tenants["hogskolan-dalarna"]
        self.concepts = self._add_vocabulary()

    def close(self):
        self.operator.close()

    def call(self, method, fields, **options):
        """A patient operator: repeats with the same key while a part of the cluster is away."""
        key = options.pop("key", str(uuid.uuid4()))

        def attempt():
            try:
                return self.operator.call(method, fields, key=key, deadline_ms=3000, **options)
            except Exception as error:  # noqa: BLE001
                if getattr(error, "code", "") in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED"):
                    return None
                if isinstance(error, TimeoutError):
                    return None
                raise
        return wait_for(attempt, 30, method)

    def _add_university(self, slug, name, nuts):
        host = slug == UNIVERSITIES[0][0]
        tenant = self.call("registry.v1.Tenants/CreateTenant",
                           {"slug": slug, "name": name, "locale": "sv",
                            "host": host})["tenant"]
        self.tenants[slug] = tenant["tenantId"]
        organisation = self.call(
            "registry.v1.Organisations/CreateOrganisation",
            {"names": [{"lang": "sv", "value": name}], "type": "HEI_UNIVERSITY", "country": "SE",
             "nuts": nuts, "ownership": "PUBLIC_OWNED"},
            tenant=tenant["tenantId"])["organisation"]["organisationId"]
        self.call("registry.v1.Tenants/SetHomeOrganisation",
                  {"tenantId": tenant["tenantId"], "organisationId": organisation,
                   "expectedVersion": tenant["version"]})
        if host:
            self.university = organisation

    def _add_vocabulary(self):
        def uri(name):
            return f"https://samverka.example/concept/{name}"
        concepts = [{"uri": uri(name), "kind": "SKILL" if broader else "SKILL_GROUP",
                     "labels": [{"lang": lang, "value": label}
                                for lang, label in zip(("sv", "fi", "en"), labels)],
                     "alternatives": [{"lang": "sv", "value": value}
                                      for value in ALTERNATIVES.get(name, [])],
                     "broaderUris": [uri(broader)] if broader else []}
                    for name, broader, *labels in VOCABULARY]
        self.call("registry.v1.Concepts/ImportConcepts",
                  {"vocabulary": "journey", "vocabularyVersion": "1", "concepts": concepts},
                  tenant=self.tenant)
        found = {}
        for name, *_ in VOCABULARY:
            concept = self.call("registry.v1.Concepts/GetConcept", {"conceptId": uri(name)},
                                tenant=self.tenant)["concept"]
            found[name] = concept["conceptId"]
        return found

    def skills(self, *names):
        return [{"conceptId": self.concepts[name]} for name in names]

    def add_organisation(self, name, kind="COMPANY", nuts="SE312", headcount=None, **more):
        fields = {"names": [{"lang": "sv", "value": name}], "type": kind, "country": "SE",
                  "nuts": nuts, "ownership": "PRIVATE_OWNED", **more}
        if headcount is not None:
            fields |= {"headcount": headcount, "headcountKnown": True, "sizeYear": 2025}
        answer = self.call("registry.v1.Organisations/CreateOrganisation", fields,
                           tenant=self.tenant)
        return answer["organisation"]["organisationId"]

    def add_account(self, name, *roles, tenant=None, **more):
        address = f"{name}.{next(self._numbers)}@samverka.example"
        answer = self.call(
            "registry.v1.Accounts/CreateAccount",
            {"email": address, "displayName": name.title(), "password": PASSWORD,
             "language": "sv", "roles": list(roles), **more}, tenant=tenant or self.tenant)
        return address, answer["account"]["accountId"]

    def web(self, address, tenant=None, language="sv"):
        web = Web(self.cluster.url, language=language)
        web.sign_in(address, PASSWORD, tenant or self.tenant)
        return web

    def follower_keys(self):
        """A fresh CURVE key pair for another system."""
        import zmq
        public, secret = zmq.curve_keypair()
        server = read_key(self.cluster.key_folder, "events", ".pub")
        return public, secret, server

"""Turns the tables of this folder into the demonstration's steps (services/cli/demo.h).

usage: make_steps.py [--embed OUT.c]      without --embed: JSON lines on standard output
"""

import json
import pathlib
import re
import sys
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = "samverka"
URI = "https://samverka.example/skill/"
LANGS = ("sv", "fi", "en")
HOST = "hda"
SIZE_YEAR = 2025
PEOPLE_PAGE = 200
BATCH = 25


def rows(name, columns):
    """The lines of a table, split at bars; comments and empty lines are left out."""
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if not line.startswith("=") and len(fields) != columns:
            sys.exit(f"{name}:{number}: {len(fields)} fields, not {columns}")
        yield fields


def slug_of(name):
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def texts(field):
    """"sv: ... // en: ..." as a list of texts; the first is the author's."""
    found = []
    for part in field.split(" // ") if field else []:
        lang, value = part.split(": ", 1)
        found.append({"lang": lang, "value": value} | ({"translated": True} if found else {}))
    return found


def words(field):
    return [word for word in re.split(r"[,\s]+", field) if word]


class Demo:
    def __init__(self):
        self.steps = []
        self.skills = set()
        self.tenants = {}
        self.organisations = {}   # key -> the name it is listed under
        self.people = {}          # reference -> tenant
        self.staff = set()

    def step(self, identity, call, request, tenant=None, **more):
        step = {"id": identity, "call": call, "request": request}
        if tenant:
            step["tenant"] = self.tenant(tenant)
        self.steps.append(step | more)

    # references

    def tenant(self, short):
        return f"@tenant/{self.tenants[short][1]}"

    def organisation(self, key, tenant):
        if key == "home":
            key = tenant
        return f"@org/{self.organisations[key]}"

    def person(self, reference, tenant):
        if self.people.get(reference) != tenant:
            sys.exit(f"{reference} is nobody of {tenant}")
        return f"@person/{reference}"

    def skill_list(self, field):
        found = []
        for word in words(field):
            slug, _, weight = word.partition(":")
            if slug not in self.skills:
                sys.exit(f"there is no skill {slug}")
            found.append({"conceptId": f"@{URI}{slug}"} | ({"weight": int(weight)} if weight else {}))
        return found

    def visible(self, field):
        if not field.startswith("shared:"):
            return {"visibility": field}
        shorts = field.removeprefix("shared:").strip().split("+")
        return {"visibility": "SHARED", "sharedWith": [self.tenant(short) for short in shorts]}

    # the parts, in the order in which they are loaded

    def add_tenants(self):
        for fields in rows("tenants.txt", 8):
            short, slug, sv, fi, en, _, _, locale = fields
            self.tenants[short] = fields
            self.step(f"tenant/{slug}", "registry.v1.Tenants/CreateTenant",
                      {"slug": slug, "name": {"sv": sv, "fi": fi}.get(locale) or en,
                       "locale": locale, "host": short == HOST})

    def add_vocabulary(self):
        concepts, group = [], None
        for fields in rows("vocabulary.txt", 4):
            slug, is_group = fields[0].lstrip("= "), fields[0].startswith("=")
            labels = [[label.strip() for label in field.split(";")] for field in fields[1:]]
            concept = {"uri": URI + slug, "kind": "SKILL_GROUP" if is_group else "SKILL",
                       "labels": [{"lang": lang, "value": all_[0]}
                                  for lang, all_ in zip(LANGS, labels)],
                       "alternatives": [{"lang": lang, "value": label}
                                        for lang, all_ in zip(LANGS, labels) for label in all_[1:]]}
            if is_group:
                group = slug
            else:
                concept["broaderUris"] = [URI + group]
                self.skills.add(slug)
            concepts.append(concept)
        for number, batch in batches(concepts):
            self.step(f"vocabulary/{number}", "registry.v1.Concepts/ImportConcepts",
                      {"vocabulary": VOCABULARY, "vocabularyVersion": "1", "concepts": batch}, HOST)
        self.step("vocabulary/activate", "registry.v1.Concepts/ActivateVocabulary",
                  {"vocabulary": VOCABULARY}, HOST)
        self.step("vocabulary/learn", "registry.v1.Concepts/ListConcepts",
                  {"vocabulary": VOCABULARY, "pageSize": 200}, HOST,
                  learn={"list": "concepts", "key": "uri", "prefix": ""})

    def add_organisations(self):
        found = []
        for key, _, sv, fi, en, kind, nuts, _ in self.tenants.values():
            found.append(organisation(key, kind, (sv, fi, en), nuts, "85.42", "", 0))
        for number, fields in enumerate(rows("organisations.txt", 8), 1):
            key, kind, sv, fi, en, nuts, nace, headcount = fields
            found.append(organisation(key, kind, (sv, fi, en), nuts, nace, headcount, number))
        for key, item in found:
            self.organisations[key] = item["names"][0]["value"]
        for number, batch in batches([item for _, item in found]):
            self.step(f"organisations/{number}", "registry.v1.Organisations/ImportOrganisations",
                      {"organisations": batch}, HOST)
        self.step("organisations/learn", "registry.v1.Organisations/ListOrganisations",
                  {"pageSize": 200}, HOST,
                  learn={"list": "organisations", "key": "names/0/value", "prefix": "org/"})
        for short, (_, slug, *_) in self.tenants.items():
            self.step(f"home/{slug}", "registry.v1.Tenants/SetHomeOrganisation",
                      {"tenantId": f"@tenant/{slug}", "expectedVersion": f"@tenant/{slug}.version",
                       "organisationId": self.organisation("home", short)})

    def add_people(self):
        groups, pools = {}, []
        for fields in rows("people.txt", 6):
            if fields[0].startswith("="):
                if fields[0].startswith("=="):
                    head = fields[0].split()[1:]
                    continue
            tenant, kind, nuts, home, *role = head
            person = self.make_person(fields, kind, nuts)
            if home != "-":
                person["affiliations"] = [{"organisationId": self.organisation(home, tenant),
                                           "role": " ".join(role), "validFrom": "2015-01-01"}]
            self.people[person["reference"]] = tenant
            groups.setdefault(tenant, []).append(person)
            pools.append((tenant, kind, fields[0], person["reference"]))
        for tenant, people in groups.items():
            for number, batch in batches(people):
                self.step(f"people/{tenant}/{number}", "registry.v1.People/ImportPeople",
                          {"people": batch, "talentPool": True}, tenant)
            self.step(f"people/{tenant}/learn", "registry.v1.People/ListPeople",
                      {"pageSize": PEOPLE_PAGE}, tenant,
                      learn={"list": "people", "key": "reference", "prefix": "person/"})
        self.add_to_pool(pools)
        self.add_wishes({reference: (tenant, kind) for tenant, kind, pool, reference in pools
                         if pool == "+" or (kind == "RECENT_GRADUATE" and pool != "-")})

    def make_person(self, fields, kind, nuts):
        _, name, languages, degree, skills, about = fields
        isced_f, eqf, awarded = degree.split()
        learner = kind in ("RECENT_GRADUATE", "CURRENT_STUDENT")
        return {"reference": slug_of(name), "kind": kind, "displayName": name, "nuts": nuts,
                "languages": languages.split(), "skills": self.skill_list(skills),
                "about": texts(about), "capacity": 1 if learner else 4,
                "degrees": [{"iscedF": isced_f, "eqf": int(eqf), "awardedOn":
                             f"{{today{awarded}}}" if awarded.startswith("-") else awarded}]}

    def add_to_pool(self, pools):
        """Staff joined with the import; graduates decide themselves."""
        for tenant, kind, pool, reference in pools:
            person = self.person(reference, tenant)
            request = {"personId": person, "expectedVersion": "1",
                       "talentPool": True, "visibility": "PUBLIC" if pool == "+" else "PRIVATE"}
            if kind in ("RECENT_GRADUATE", "CURRENT_STUDENT") and pool != "-":
                role = "GRADUATE" if kind == "RECENT_GRADUATE" else "STUDENT"
                actor = {"roles": [role], "person": person}
            elif pool == "+":
                actor = {"roles": ["PARTNERSHIP_OFFICER"]}
            else:
                continue
            self.step(f"pool/{reference}", "registry.v1.People/SetTalentPool", request, tenant,
                      **{"as": actor})

    def add_wishes(self, pooled):
        """Of people who joined the pool by a step of their own, which made the second version."""
        for reference, concepts, nuts, focus, themes in rows("wishes.txt", 5):
            if reference not in pooled:
                sys.exit(f"{reference} did not join the pool by a step")
            tenant, kind = pooled[reference]
            person = self.person(reference, tenant)
            actor = ({"roles": ["GRADUATE"], "person": person} if kind == "RECENT_GRADUATE" else
                     {"roles": ["PARTNERSHIP_OFFICER"]})
            wishes = {"concepts": self.skill_list(concepts), "nuts": words(nuts),
                      "focus": words(focus), "themes": words(themes)}
            self.step(f"wishes/{reference}", "registry.v1.People/UpdatePerson",
                      {"personId": person, "expectedVersion": "2", "updateFields": ["wishes"],
                       "wishes": wishes}, tenant, **{"as": actor})

    def add_accounts(self):
        for fields in rows("accounts.txt", 9):
            local, name, tenant, language, roles, person, organisation_, who, topics = fields
            account = f"account/{tenant}/{local}"
            request = {"email": f"{local}@{tenant}.samverka.example", "displayName": name,
                       "password": "{password}", "language": language, "roles": words(roles)}
            if person:
                request["personId"] = self.person(person, tenant)
            if organisation_:
                request["organisationId"] = self.organisation(organisation_, tenant)
            self.step(account, "registry.v1.Accounts/CreateAccount", request, tenant,
                      login={"who": who, "where": self.organisations[tenant]})
            for topic in topics.split():
                self.step(f"{account}/{topic.rstrip('+')}",
                          "notifications.v1.Subscriptions/Subscribe",
                          {"topic": topic.rstrip("+"), "email": topic.endswith("+")}, tenant,
                          **{"as": {"roles": words(roles), "account": f"@{account}"}})

    def add_capabilities(self):
        for number, fields in enumerate(rows("capabilities.txt", 10), 1):
            tenant, owner, kind, trl, focus, themes, visibility, skills, text, benefit = fields
            self.step(f"capability/{number}", "registry.v1.Capabilities/CreateCapability",
                      {"organisationId": self.organisation(owner, tenant), "kind": kind,
                       "text": texts(text), "benefit": texts(benefit), "trl": int(trl),
                       "focus": words(focus), "themes": words(themes),
                       "skills": self.skill_list(skills)} | self.visible(visibility), tenant)

    def add_equipment(self):
        for number, fields in enumerate(rows("equipment.txt", 10), 1):
            tenant, kind, maker, model, unit, hours, visibility, skills, names, about = fields
            self.step(f"equipment/{number}", "registry.v1.Infrastructure/EnlistEquipment",
                      {"organisationId": self.organisation("home", tenant), "type": kind,
                       "names": texts(names), "description": texts(about),
                       "manufacturer": maker, "model": model, "department": unit,
                       "hoursOpenPerWeek": int(hours), "nuts": self.tenants[tenant][6],
                       "skills": self.skill_list(skills)} | self.visible(visibility), tenant)

    def add_needs(self):
        for fields in rows("needs.txt", 8):
            key, tenant, owner, focus, themes, visibility, skills, text = fields
            self.step(f"need/{key}", "registry.v1.Needs/CreateNeed",
                      {"organisationId": self.organisation(owner, tenant), "text": texts(text),
                       "focus": words(focus), "themes": words(themes),
                       "skills": self.skill_list(skills), "publish": True}
                      | self.visible(visibility), tenant)


def batches(items):
    """A request may have a thousand members, at any depth."""
    return [(at // BATCH + 1, items[at:at + BATCH]) for at in range(0, len(items), BATCH)]


def luhn(digits):
    total = sum(sum(divmod(int(d) * (2 if place % 2 == 0 else 1), 10))
                for place, d in enumerate(digits))
    return str(-total % 10)


def swedish_number(number):
    """In 559999, a series of limited companies that has not been given out."""
    digits = f"559999{number * 7:03d}"
    return f"{digits[:6]}-{digits[6:]}{luhn(digits)}"


def finnish_number(number):
    """Above 9 000 000; a number whose check digit would be 1 is passed over, as the register does."""
    for candidate in range(9000000 + number * 40, 9000000 + number * 40 + 40):
        rest = sum(int(d) * w for d, w in zip(str(candidate), (7, 9, 10, 5, 8, 4, 2))) % 11
        if rest != 1:
            return f"{candidate}-{0 if rest == 0 else 11 - rest}"
    raise AssertionError


def organisation(key, kind, names, nuts, nace, headcount, number):
    country = nuts[:2]
    order = ("fi", "sv", "en") if country == "FI" else LANGS
    by_lang = dict(zip(LANGS, names))
    item = {"names": [{"lang": lang, "value": by_lang[lang]} for lang in order if by_lang[lang]],
            "type": kind, "country": country, "nuts": nuts, "nace": nace,
            "ownership": "PRIVATE_OWNED" if kind == "COMPANY" else "PUBLIC_OWNED"}
    if headcount:
        item |= {"headcount": int(headcount), "headcountKnown": True, "sizeYear": SIZE_YEAR,
                 "competitiveMarket": True,
                 "externalIds": [{"scheme": "se-orgnr", "value": swedish_number(number)}
                                 if country == "SE" else
                                 {"scheme": "fi-ytunnus", "value": finnish_number(number)}]}
    return key, item


def embed(text, out):
    data = text.encode()
    lines = ["/* Made from the tables of services/cli/demo by make_steps.py. */", "",
             '#include "services/cli/demo.h"', "", "const unsigned char demo_steps[] = {"]
    lines += ["    " + ", ".join(str(byte) for byte in data[at:at + 24]) + ","
              for at in range(0, len(data), 24)]
    lines += ["};", "const size_t demo_steps_size = sizeof demo_steps;", ""]
    pathlib.Path(out).write_text("\n".join(lines))


def main():
    import placements  # noqa: E402, beside this file
    demo = Demo()
    demo.add_tenants()
    demo.add_vocabulary()
    demo.add_organisations()
    demo.add_people()
    demo.add_accounts()
    demo.add_capabilities()
    demo.add_equipment()
    demo.add_needs()
    placements.add(demo, list(rows("placements.txt", 14)))
    text = "".join(json.dumps(step, ensure_ascii=False, separators=(",", ":")) + "\n"
                   for step in demo.steps)
    if sys.argv[1:2] == ["--embed"]:
        embed(text, sys.argv[2])
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()

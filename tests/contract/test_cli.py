"""The command line against a real cluster: the demonstration, imports, bad files, the rest.

What needs the published data of ESCO and of research organisations looks for it beside the
checkout, in ../shared/data, and is skipped where it is not.
"""

import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import cluster as clusters  # noqa: E402
from samverka_client import Web, wait_for  # noqa: E402

SAMPLES = ROOT / "services/cli/samples"
DATA = ROOT.parent / "shared/data"
HOST = "hogskolan-dalarna"
SKILLS_OF_ESCO = 13896


def started(build_folder):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="samverka-cli-"))
    folder.chmod(0o711)
    made = clusters.Cluster(folder, build_folder, ports="free", die_with_parent=True, durable=False)
    try:
        made.start()
    except BaseException:
        made.stop()
        raise
    return made


@pytest.fixture(scope="module")
def place(build_folder):
    """A cluster with the demonstration, and what loading it printed."""
    made = started(build_folder)
    try:
        made.told = made.command_line("demo", "load").stdout
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def esco_place(build_folder):
    files = [DATA / "esco" / f"esco-1.1.1-{part}-csv.zip" for part in ("en", "relations")]
    if not all(file.exists() for file in files):
        pytest.skip("no ../shared/data/esco")
    made = started(build_folder)
    try:
        made.files = files
        made.command_line("tenant", "new", HOST, "Högskolan Dalarna", "--locale", "sv", "--host")
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder, ignore_errors=True)


def call(place, method, fields, tenant=HOST, *options):
    answer = place.command_line("--tenant", tenant, *options, "call", method, json.dumps(fields))
    return json.loads(answer.stdout)


def ask(place, statement, *values):
    connection = psycopg2.connect(place.postgres.dsn("samverka"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()
    finally:
        connection.close()


def everything(place):
    """How much there is of each thing, and how far the log has come."""
    tables = ("tenant", "organisation", "concept", "person", "need", "capability", "equipment",
              "placement", "application", "verdict", "account")
    counts = {table: ask(place, f"SELECT count(*) FROM registry.{table}")[0] for table in tables}
    counts["versions"] = ask(place, "SELECT sum(version) FROM registry.placement")[0]
    return counts


def file_of(text, name="given.csv"):
    path = pathlib.Path(tempfile.mkdtemp(prefix="samverka-file-")) / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# The demonstration.


def test_the_demonstration_has_a_few_hundred_believable_things(place):
    counts = everything(place)
    assert counts["tenant"] == 10
    assert counts["organisation"] >= 90 and counts["person"] >= 130
    assert counts["need"] >= 60 and counts["capability"] >= 30 and counts["equipment"] >= 40
    assert counts["placement"] >= 25 and counts["concept"] >= 190
    languages = ask(place, "SELECT count(*) FILTER (WHERE 'sv' = ANY (text_langs)),"
                    " count(*) FILTER (WHERE 'fi' = ANY (text_langs)),"
                    " count(*) FILTER (WHERE 'en' = ANY (text_langs)) FROM registry.need")
    assert all(languages)
    assert ask(place, "SELECT count(*) FROM registry.published_profiles"
               " WHERE cardinality(wished_concept_ids) > 0")[0] >= 5


def test_every_tenant_of_the_demonstration_knows_its_home(place):
    tenants = call(place, "registry.v1.Tenants/ListTenants", {"pageSize": 200})["tenants"]
    assert all(tenant["homeOrganisationId"] for tenant in tenants)
    assert [tenant["slug"] for tenant in tenants if tenant["host"]] == [HOST]


def test_the_demonstration_shows_nine_offers_of_twelve(place):
    indicator = call(place, "registry.v1.Indicators/GetIndicator",
                     {"code": "ktp-offered"})["indicator"]
    assert (indicator["numerator"], indicator["denominator"]) == ("9", "12")
    assert indicator["intervalLowThousandths"] < 750 < indicator["intervalHighThousandths"]


def test_a_need_of_the_demonstration_finds_people_with_reasons(place):
    needs = call(place, "registry.v1.Needs/ListNeeds", {"pageSize": 200})["needs"]
    need = next(n for n in needs if "produktionslinje" in n["text"][0]["value"])

    def found():
        answer = call(place, "matching.v1.Matches/FindMatches",
                      {"subject": {"kind": "NEED", "id": need["needId"]}, "limit": 5})
        return answer.get("candidates")
    candidates = wait_for(found, 20, "matches of a need")
    assert candidates[0]["reasons"]
    assert "PERSON" in {candidate["profile"]["kind"] for candidate in candidates}


def test_every_login_that_is_told_works(place):
    password = re.search(r"password of all: (\S+)", place.told).group(1)
    logins = re.findall(r"^  (\S+@\S+)", place.told, re.M)
    assert len(logins) >= 10
    for login in logins[:3]:
        web = Web(place.url)
        web.sign_in(login, password)
        assert web.get("/v1/session")


def test_loading_the_demonstration_again_changes_nothing(place):
    before = everything(place)
    told = place.command_line("demo", "load").stdout
    assert everything(place) == before
    assert re.search(r"password of all: (\S+)", told).group(1) == \
        re.search(r"password of all: (\S+)", place.told).group(1)


def test_a_load_without_its_notes_does_not_tell_a_wrong_password(place):
    notes = place.folder / "imports" / "demo"
    kept = notes.read_text()
    notes.unlink()
    try:
        before = everything(place)
        told = place.command_line("demo", "load").stdout
        assert everything(place) == before
        assert "as it was told when they were made" in told
    finally:
        notes.write_text(kept)


def test_a_load_that_was_killed_is_finished_by_the_next(place, fresh_cluster):
    environment = {n: v for n, v in os.environ.items() if not n.startswith("SAMVERKA_")}
    with subprocess.Popen([fresh_cluster.build / "bin/samverka", "--settings-file",
                           fresh_cluster.operator_settings(), "demo", "load"],
                          stdout=subprocess.DEVNULL, env=environment,
                          cwd=fresh_cluster.folder) as process:
        wait_for(lambda: everything(fresh_cluster)["equipment"] > 5, 60, "a part of the load")
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be interrupted"
    assert everything(fresh_cluster)["placement"] < everything(place)["placement"]
    fresh_cluster.command_line("demo", "load")
    made = everything(fresh_cluster)
    for thing in ("tenant", "need", "capability", "equipment", "placement", "application",
                  "verdict", "account", "versions"):
        assert made[thing] == everything(place)[thing], thing


# Imports of our own samples.


def test_organisations_of_a_csv_are_added_once(place):
    dry = place.command_line("import", "organisations", SAMPLES / "organisations.csv", "--dry-run")
    assert dry.stdout.startswith("5 organisations, nothing wrong with them")
    before = everything(place)["organisation"]
    for words in ("5 created, 0 refreshed, 0 unchanged", "0 created, 0 refreshed, 5 unchanged"):
        told = place.command_line("--tenant", HOST, "import", "organisations",
                                  SAMPLES / "organisations.csv").stdout
        assert words in told
    assert everything(place)["organisation"] == before + 5
    listed = call(place, "registry.v1.Organisations/ListOrganisations", {"name": "Sjöbloms"})
    assert listed["organisations"][0]["names"][0]["value"] == 'Sjöbloms "Trä & Form" AB'
    assert listed["organisations"][0]["sizeClass"] == "MICRO"


def test_people_of_a_csv_name_their_skills_and_organisations(place):
    place.command_line("--tenant", HOST, "import", "organisations", SAMPLES / "organisations.csv")
    told = place.command_line("--tenant", HOST, "import", "people", SAMPLES / "people.csv").stdout
    assert told.startswith("3 people: 3 created")
    again = place.command_line("--tenant", HOST, "import", "people", SAMPLES / "people.csv").stdout
    assert "0 created, 0 refreshed, 3 unchanged" in again
    people = call(place, "registry.v1.People/ListPeople", {"name": "Aurora Nyman"}, HOST,
                  "--lang", "fi")["people"]
    assert [skill["label"] for skill in people[0]["skills"]] == ["energiakatselmus",
                                                                 "lämmön talteenotto"]
    assert people[0]["affiliations"][0]["role"] == "gästforskare"
    assert people[0]["talentPool"]
    graduate = call(place, "registry.v1.People/ListPeople", {"name": "Selma Ahonen"})["people"][0]
    assert not graduate["talentPool"], "a graduate decides alone"
    assert "\n" in graduate["about"][0]["value"]


@pytest.mark.parametrize("text, complaint", [
    ("name,type,country\n", "0 organisations"),
])
def test_a_file_without_records_is_nothing_wrong(place, text, complaint):
    answer = place.command_line("--tenant", HOST, "import", "organisations", file_of(text))
    assert complaint in answer.stdout


ORGANISATIONS = "name,type,country,headcount,size_year,se-orgnr\n"
BAD_ORGANISATIONS = [
    ("", "line 1: ", "no header"),
    ("name,type\nA,company\n", "line 1: ", "type and country are needed"),
    ("name,type,country,nutz\nA,company,SE,x\n", "line 1, column nutz", "is not a column"),
    (ORGANISATIONS + "A,company,SE,,,\nB,factory,SE,,,\n", "line 3, column type", "not a type"),
    (ORGANISATIONS + "A,company,Sweden,,,\n", "line 2, column country", "ISO 3166"),
    (ORGANISATIONS + "A,company,SE,many,2025,\n", "line 2, column headcount", "whole number"),
    (ORGANISATIONS + "A,company,SE,12,,\n", "line 2, column size_year", "year"),
    (ORGANISATIONS + ",company,SE,,,\n", "line 2, column name", "not be empty"),
    (ORGANISATIONS + 'A,company,"SE,,,\n', "line 2, column 3", "never closed"),
    (ORGANISATIONS + "A,company,SE\n", "line 2", "has 3 columns, the first has 6"),
    ((ORGANISATIONS + "Sm\u00e5,company,SE,,,\n").encode("latin-1"), "line 2, column 1", "UTF-8"),
    ('[{"name": "A", "country_code": "SE"}, {"country_code": "SE"}]', "/1", "with a name"),
    ('[{"name": "A", "name": "B"}]', "line 1, column", "duplicate"),
    ('[{"name": ', "line 1, column", ""),
    ('{"name": "A"}', "/: ", "must be a list"),
]


@pytest.mark.parametrize("text, where, why", BAD_ORGANISATIONS,
                         ids=[f"{where}{why}" for _, where, why in BAD_ORGANISATIONS])
def test_a_bad_file_of_organisations_is_refused_with_place_and_reason(place, text, where, why):
    before = everything(place)["organisation"]
    answer = place.command_line("--tenant", HOST, "import", "organisations", file_of(text),
                                check=False)
    assert answer.returncode == 1
    assert where in answer.stderr and why in answer.stderr, answer.stderr
    assert everything(place)["organisation"] == before


def test_every_bad_line_of_a_file_is_told_at_once(place):
    lines = ORGANISATIONS + "".join(f"A{n},nothing,SE,,,\n" for n in range(30))
    answer = place.command_line("--tenant", HOST, "import", "organisations", file_of(lines),
                                check=False)
    assert "30 places in the file are wrong; nothing was sent" in answer.stderr
    assert len(re.findall(r"^line \d+, column type", answer.stderr, re.M)) == 20


def test_what_the_registry_refuses_is_told_by_line_and_nothing_is_half_stored(place):
    before = everything(place)["organisation"]
    text = ORGANISATIONS + "Bra AB,company,SE,,,\nFel AB,company,SE,,,559998-0018\n"
    answer = place.command_line("--tenant", HOST, "import", "organisations", file_of(text),
                                check=False)
    assert answer.returncode == 1
    assert "line 3, external_ids[0]" in answer.stderr and "check digit" in answer.stderr
    assert everything(place)["organisation"] == before


BAD_PEOPLE = [
    ("reference,name\n1,A\n", "line 1: ", "reference, kind and name are needed"),
    ("reference,kind,name\n1,wizard,A\n", "line 2, column kind", "is not a kind"),
    ("reference,kind,name\n,researcher,A\n", "line 2, column reference", "not be empty"),
    ("reference,kind,name,eqf\n1,researcher,A,9\n", "line 2, column eqf", "too large"),
    ("reference,kind,name,skills\n1,researcher,A,x=2000\n", "line 2, column skills", "1 to 1000"),
    ("reference,kind,name,skills\n1,researcher,A,\n2,researcher,B,urn:no\n", "line 3, skills",
     ""),
    ("reference,kind,name,affiliation\n1,researcher,A,nobody\n", "line 2, affiliation",
     "identifies no organisation"),
    ("reference,kind,name,isced_f,eqf,degree_date\n1,researcher,A,07,7,yesterday\n",
     "line 2, degrees[0].awarded_on", ""),
]


@pytest.mark.parametrize("text, where, why", BAD_PEOPLE,
                         ids=[f"{where}{why}" for _, where, why in BAD_PEOPLE])
def test_a_bad_file_of_people_is_refused_with_place_and_reason(place, text, where, why):
    before = everything(place)["person"]
    answer = place.command_line("--tenant", HOST, "import", "people", file_of(text), check=False)
    assert answer.returncode == 1
    assert where in answer.stderr and why in answer.stderr, answer.stderr
    assert everything(place)["person"] == before


# Published data.


def test_organisations_of_a_research_registry_are_added_once(place):
    file = DATA / "ror/fi.json"
    if not file.exists():
        pytest.skip("no ../shared/data/ror")
    known = len(json.loads(file.read_text()))
    first = place.command_line("--tenant", HOST, "import", "organisations", file).stdout
    created, refreshed, unchanged = map(int, re.findall(r"(\d+) (?:created|refreshed|unchanged)",
                                                        first))
    assert created + refreshed + unchanged == known and created > known // 2
    again = place.command_line("--tenant", HOST, "import", "organisations", file).stdout
    assert "0 created, 0 refreshed" in again


def test_subjects_stand_beside_the_vocabulary_and_join_the_languages(place, tmp_path):
    """A tenth of the published subjects, so that it takes seconds."""
    names = [f"yso-ysoplaces-cicero-{lang}.tsv.gz" for lang in ("fi", "sv", "en")]
    if not all((DATA / "yso" / name).exists() for name in names):
        pytest.skip("no ../shared/data/yso")
    tables = {name: gzip.decompress((DATA / "yso" / name).read_bytes()).decode().splitlines()
              for name in names}
    wanted = {line.split("\t")[0] for line in tables[names[0]]
              if line.split("\t")[0].endswith("7>") or line.endswith("\tkoneoppiminen")}
    for name, lines in tables.items():
        kept = [line for line in lines if line.split("\t")[0] in wanted]
        (tmp_path / name).write_bytes(gzip.compress("\n".join(kept).encode()))
    files = [tmp_path / name for name in names]
    used = ask(place, "SELECT count(*) FROM registry.concept WHERE active")
    told = place.command_line("import", "yso", *files).stdout
    assert "yso is in use beside the others" in told
    assert ask(place, "SELECT count(*) FROM registry.concept WHERE active"
                      " AND vocabulary = 'yso' AND label_fi <> ''") == (len(wanted),)
    assert ask(place, "SELECT count(*) FROM registry.concept WHERE active AND vocabulary <> 'yso'") \
        == used

    def linked(text):
        links = call(place, "matching.v1.Texts/LinkText", {"text": text, "language": "en"})
        return [link["label"] for link in links.get("links", [])]

    texts = ("koneoppimisen menetelmiä", "metoder för maskininlärningen", "methods of machine learning")
    wait_for(lambda: all("machine learning" in linked(text) for text in texts), 60,
             "the subjects in matching")
    again = place.command_line("import", "yso", *files).stdout
    assert "0 created, 0 refreshed" in again


def test_esco_is_imported_checked_repeated_and_in_use(esco_place):
    dry = esco_place.command_line("import", "esco", *esco_place.files, "--dry-run").stdout
    assert "nothing was sent" in dry
    assert everything(esco_place)["concept"] == 0
    first = esco_place.command_line("import", "esco", *esco_place.files).stdout
    assert "esco is the vocabulary in use" in first
    assert ask(esco_place, "SELECT count(*) FROM registry.concept WHERE kind = 1") == \
        (SKILLS_OF_ESCO,)
    concept = json.loads(esco_place.command_line(
        "call", "registry.v1.Concepts/ListConcepts",
        json.dumps({"label": "manage musical staff", "pageSize": 1})).stdout)["concepts"][0]
    assert concept["vocabularyVersion"] == "1.1.1" and concept["broaderIds"]
    again = esco_place.command_line("import", "esco", *esco_place.files).stdout
    assert "0 created, 0 refreshed" in again


def test_an_import_that_was_killed_goes_on_where_it_was(esco_place):
    arguments = [esco_place.build / "bin/samverka", "--settings-file",
                 esco_place.operator_settings(), "import", "esco", *esco_place.files]
    notes = esco_place.folder / "imports"

    def batches_sent():
        for note in notes.glob("*"):
            words = note.read_text().split()
            if len(words) == 2 and int(words[1]) >= 3:
                return int(words[1])
        return None
    environment = {n: v for n, v in os.environ.items() if not n.startswith("SAMVERKA_")}
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=environment) as process:
        wait_for(batches_sent, 60, "a few batches")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be interrupted"
    rest = esco_place.command_line("import", "esco", *esco_place.files)
    assert re.search(r"going on after batch \d+ of \d+", rest.stderr), rest.stderr
    assert ask(esco_place, "SELECT count(*) FROM registry.concept WHERE kind = 1") == \
        (SKILLS_OF_ESCO,)
    assert not list(notes.glob("*"))


def test_a_vocabulary_of_two_languages_comes_from_csv_files(esco_place):
    files = sorted((SAMPLES / "vocabulary").glob("*.csv"))
    swedish_first = [f for f in files if "_sv" in f.name] + [f for f in files if "_sv" not in f.name]
    told = esco_place.command_line("import", "esco", *swedish_first).stdout
    assert told.startswith("3 concepts: 3 created")
    concept = json.loads(esco_place.command_line(
        "call", "registry.v1.Concepts/GetConcept",
        json.dumps({"conceptId": "https://samverka.example/sample/ripening"})).stdout)["concept"]
    assert {label["lang"]: label["value"] for label in concept["labels"]} == {
        "sv": "lagring av ost", "fi": "juuston kypsytys"}
    assert [label["value"] for label in concept["alternatives"]] == ["mognad", "lagra ost"]
    assert len(concept["broaderIds"]) == 1


# The other commands.


def test_call_tells_code_place_and_reason(place):
    for method, fields, code in (
            ("registry.v1.Nothing/GetNothing", {}, "UNIMPLEMENTED"),
            ("registry.v1.Tenants/GetTenant", {"tenantId": "nobody"}, "NOT_FOUND"),
            ("registry.v1.Tenants/GetTenant", {"tenant": "x"}, "INVALID_ARGUMENT: /tenant"),
            ("registry.v1.Tenants/ListTenants", {"pageSize": 9999}, "page_size")):
        answer = place.command_line("call", method, json.dumps(fields), check=False)
        assert answer.returncode == 1 and code in answer.stderr, answer.stderr
    assert place.command_line("nonsense", check=False).returncode == 2


def test_status_names_every_service(place):
    told = place.command_line("status").stdout
    for service in ("registry", "matching", "events", "notifications"):
        assert re.search(rf"^{service}\t.*ready", told, re.M)


def test_events_are_followed_one_json_object_a_line(place):
    told = place.command_line("events", "follow", "--after", "0", "--count", "5").stdout
    events = [json.loads(line) for line in told.splitlines()]
    assert len(events) == 5
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))


def test_tenants_are_made_and_shown(place):
    made = place.command_line("tenant", "new", "provskolan", "Provskolan", "--locale", "sv").stdout
    shown = place.command_line("tenant", "show", "provskolan").stdout
    assert made == shown and shown.split("\t")[1:4] == ["provskolan", "Provskolan", "sv\n"]
    assert made in place.command_line("tenant", "list").stdout


def test_a_tenant_is_named_by_its_slug_for_events_too(place):
    lines = place.command_line("--tenant", HOST, "events", "replay").stdout.splitlines()
    tenants = {json.loads(line)["tenantid"] for line in lines}
    own, = ask(place, "SELECT id::text FROM registry.tenant WHERE slug = %s", HOST)
    assert tenants == {own}

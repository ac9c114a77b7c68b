"""What a text speaks of, over HTTP: places in it that name concepts; what is refused; and texts that
were made to be dear."""

import json
import time

import pytest

from http_place import Place, contract  # noqa: F401
from samverka_client import wait_for

LINK = "/v1/texts/link"
BYTES_MAX, LINKS_MAX = 20000, 200
HOSTILE_S = 2          # of a build with sanitizers: ten times what it is in earnest
CONCEPTS = {"energieffektivisering": ("energiatehokkuus", "energy efficiency"),
            "projekt": ("projekti", "project"),
            "maskininlärning": ("koneoppiminen", "machine learning")}


@pytest.fixture(scope="module")
def texts(make_module_cluster, contract):  # noqa: F811
    made = Place(make_module_cluster(), contract)
    made.call("registry.v1.Concepts/ImportConcepts", {
        "vocabulary": "prov", "vocabularyVersion": "1",
        "concepts": [{"uri": f"https://samverka.example/concept/{n}", "kind": "SKILL",
                      "labels": [{"lang": lang, "value": value}
                                 for lang, value in zip(("sv", "fi", "en"), (sv, fi, en))]}
                     for n, (sv, (fi, en)) in enumerate(CONCEPTS.items())]}, tenant=made.tenant)
    wait_for(lambda: link(made, "maskininlärning").json["links"], 30, "matching to know the words")
    return made


def link(place, text, browser=None, **fields):
    return (browser or place.officer).ask("POST", LINK, {"text": text, **fields}, key=None)


def named(answer, text):
    """What each link says its place is."""
    assert answer.status == 200, answer
    whole = text.encode()
    return [(whole[one["startByte"]:one["endByte"]].decode(), one["label"], one["reason"])
            for one in answer.json["links"]]


def test_places_are_of_the_text_as_it_was_sent_and_labels_in_the_language_asked_for(texts):
    text = "Åsa gör ett ENERGIEFFEKTIVISERINGSPROJEKT med maskininlärning."
    answer = link(texts, text, textLang="sv", language="fi")
    assert named(answer, text) == [
        ("ENERGIEFFEKTIVISERING", "energiatehokkuus", "COMPOUND_PART"),
        ("PROJEKT", "projekti", "COMPOUND_PART"),
        ("maskininlärning", "koneoppiminen", "LABEL")]
    assert all(1 <= one["scoreThousandths"] <= 1000 for one in answer.json["links"])
    assert answer.json["textLang"] == "sv"


def test_the_language_is_found_out_when_it_is_not_given(texts):
    for text, lang in (("koneoppimisen projekteissa", "fi"), ("machine learning", "en"),
                       ("maskininlärning och energieffektivisering", "sv")):
        assert link(texts, text).json["textLang"] == lang


@pytest.mark.parametrize("fields, field", [
    ({"text": ""}, "text"), ({}, "text"), ({"text": "x" * (BYTES_MAX + 1)}, "text"),
    ({"text": "å" * (BYTES_MAX // 2) + "x"}, "text"),  # bytes count, not letters
    ({"text": "x", "textLang": "de"}, "textLang"), ({"text": "x", "textLang": "SV"}, "textLang"),
    ({"text": "x", "textLang": "sv-SE"}, "textLang"), ({"text": "x", "language": "xx"}, "language"),
    ({"text": "x", "language": "sv\nfi"}, "language")])
def test_what_is_no_request_is_refused_by_name(texts, fields, field):
    answer = texts.officer.ask("POST", LINK, fields, key=None)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_ARGUMENT"), answer
    assert answer.json["errors"][0]["pointer"].strip("/#") == field


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'{"text":"x"', b'{"text":1}', b'{"text":"\xff"}', b'{"text":"\\u0000"}',
    b'{"text":"\\ud800"}', b'{"text":"x","text":"y"}', b'{"text":"x","nothing":1}'])
def test_bytes_that_are_no_request_are_refused(texts, body):
    assert texts.officer.ask("POST", LINK, body, key=None).status == 400


def test_the_longest_text_is_taken(texts):
    assert link(texts, "å" * (BYTES_MAX // 2)).json["links"] == []


def test_anybody_may_ask(texts):
    for browser in (texts.nobody, texts.officer, texts.student, texts.other):
        assert link(texts, "projekt", browser=browser).status == 200


HOSTILE = {
    "one word without an end": "a" + "+" * (BYTES_MAX - 1),
    "such words": ("a" + "#" * 63 + " ") * 300,
    "labels alone": "projekt " * (BYTES_MAX // 8),
    "compounds": "energieffektiviseringsprojekt" * (BYTES_MAX // 29),
    "nearly labels": " ".join("energieffektiviserin" + chr(97 + n % 26) for n in range(900)),
    "long words": " ".join("maskininlärnin"[:13] * 4 for _ in range(350)),
    "marks": "e" + "\u0301" * (BYTES_MAX // 2 - 1),
    "wide letters": "\U0001f40d" * (BYTES_MAX // 4),
    "turned": "\u202e" * 3000 + "projekt",
    "capitals that shrink": "\u1e9e\u0130\u212a" * 2000,
    "braces": "{verdict}%s%n${x}<script>" * 700,
}


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_a_hostile_text_costs_little_and_its_places_are_whole(texts, what):
    text = HOSTILE[what]
    for fields in ({}, {"textLang": "fi"}, {"textLang": "sv"}):
        began = time.monotonic()
        answer = link(texts, text, **fields)
        assert time.monotonic() - began < HOSTILE_S
        found = named(answer, text)
        assert len(found) <= LINKS_MAX and all(place for place, _, _ in found)
        starts = [one["startByte"] for one in answer.json["links"]]
        assert starts == sorted(starts)
    assert "<script>" not in json.dumps(answer.json)

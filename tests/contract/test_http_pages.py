"""Pages for people and the documents that describe the interface."""

import pathlib
import re

import pytest

from http_place import SEEN, Browser, contract, place  # noqa: F401
from samverka_client import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("lang,words", [("sv", "Läget just nu"), ("fi", "Tilanne juuri nyt"),
                                        ("en", "How things are now")])
def test_the_pages_exist_in_three_languages_without_inline_code(place, lang, words):
    for path in ("/", "/docs", "/problems/not_found"):
        page = place.nobody.ask("GET", f"{path}?lang={lang}")
        assert page.status == 200
        text = page.text.decode()
        assert f'<html lang="{lang}">' in text
        assert f"lang={lang};" in page.headers["Set-Cookie"]
        assert "{{" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=", text)
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert words in place.nobody.ask("GET", f"/?lang={lang}").text.decode()
    remembered = Browser(place.cluster.url, cookie=f"lang={lang}").ask("GET", "/")
    assert words in remembered.text.decode()


def test_files_of_the_pages_keep_and_pages_are_asked_again(place):
    page = place.nobody.ask("GET", "/")
    again = place.nobody.ask("GET", "/", If_None_Match=page.headers["ETag"])
    assert again.status == 304
    files = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text.decode()))
    assert len(files) == 3
    for path in files:
        answer = place.nobody.ask("GET", path)
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"]
    for missing in ("/assets/nope.js", "/assets/home.html", "/assets/..%2Fx"):
        assert place.nobody.ask("GET", missing).status == 404


def test_every_problem_has_its_page(place):
    codes = re.findall(r"^CODE\((\w+),", (ROOT / "common/base/code.def").read_text(), re.M)
    for code in codes:
        expected = 404 if code == "OK" else 200
        assert place.nobody.ask("GET", f"/problems/{code.lower()}").status == expected


def test_the_status_tells_of_every_service(place):
    def ready():
        status = place.nobody.ask("GET", "/v1/status").json
        return status["log"]["live"] and all(one["heard"] and one["ready"]
                                             for one in status["services"]) and status
    status = wait_for(ready, 15, "all services to be ready")
    assert {one["name"] for one in status["services"]} == {"registry", "matching", "events",
                                                           "notifications"}
    assert all("endpoint" not in instance for one in status["services"]
               for instance in one["instances"])


def template_of(paths, path):
    found = [template for template in paths
             if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)]
    return min(found, key=lambda template: template.count("{")) if found else None


def test_every_answer_of_these_tests_is_documented(place):
    document = place.nobody.ask("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    routes = (ROOT / "services/gateway/routes.def").read_text()
    for method, path in re.findall(r'^(?:ROUTE|OWN)\((\w+), "([^"]+)"', routes, re.M):
        assert method.lower() in document["paths"][path], path
    missing = []
    for method, path, status in SEEN:
        template = template_of(document["paths"], path)
        verb = "get" if method == "HEAD" else method.lower()
        if template is None or verb not in document["paths"][template]:
            assert status in (204, 400, 404, 405), (method, path, status)
        elif str(status) not in document["paths"][template][verb]["responses"]:
            missing.append((method, template, status))
    assert not missing


def references(value):
    if isinstance(value, dict):
        for name, inside in value.items():
            if name == "$ref":
                yield inside
            else:
                yield from references(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from references(inside)


def test_the_document_refers_to_nothing_that_is_missing(place):
    document = place.nobody.ask("GET", "/openapi.json").json
    for reference in set(references(document)):
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
    operations = [operation["operationId"] for verbs in document["paths"].values()
                  for operation in verbs.values()]
    assert len(operations) == len(set(operations)) > 60

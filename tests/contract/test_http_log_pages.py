"""The pages about the event log: for officers of their tenant and operators of all."""

import html.parser
import http.client
import re
import uuid

import pytest
import zmq

from events_place import client  # noqa: F401
from http_place import SEEN, Answer, Browser, contract, place  # noqa: F401
from samverka_client import wait_for
from test_followers import open_follow
from test_http_ingest import MANY, enrol, event, post, taken

VOID = {"meta", "link", "input", "br", "rect", "circle"}
BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


class Page(html.parser.HTMLParser):
    """Every element is closed where it must be, ids are there once, labels and names lead somewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.names, self.fields = [], [], [], [], []
        self.cells, self.headings, self.texts = [], [], []
        self.feed(text)
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert set(self.names) <= set(self.ids), set(self.names) - set(self.ids)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.names += attributes.get(name, "").split()
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "input":
            assert "label" in self.open  # it stands inside of its label
            self.fields.append((attributes["name"], attributes["value"]))
        if tag == "td" or (tag == "th" and attributes.get("scope") == "row"):
            self.cells.append("")
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th", "a", "time", "span") and self.cells:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def operator(place):  # noqa: F811
    return place.person("OPERATOR")


def see(browser, path="/events", **headers):
    answer = browser.ask("GET", path, Accept=BROWSER, **headers)
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    text = answer.text.decode()
    assert "{{" not in text and not re.search(r"<script|\son\w+=|<style|\sstyle=", text)
    page = Page(text)
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    page.text = text
    page.positions = [int(number) for number in re.findall(r'href="/events/(\d+)"', text)]
    return page


def walk(browser, path, rel):
    """The positions of a page and those that its links of one kind lead to."""
    found, pages = [], 0
    while path and pages < 60:
        page = see(browser, path)
        found += page.positions
        link = re.search(rf'<a href="([^"]+)" rel="{rel}">', page.text)
        path = link and link[1].replace("&amp;", "&")
        pages += 1
    assert pages < 60
    return found


@pytest.mark.parametrize("lang,words", [("sv", "Vilka som följer"), ("fi", "Ketkä seuraavat"),
                                        ("en", "Who follows")])
def test_the_log_is_shown_in_three_languages(place, lang, words):  # noqa: F811
    taken(post(enrol(place.officer, place.cluster.url), event()))
    page = see(place.officer, f"/events?lang={lang}")
    assert f'<html lang="{lang}">' in page.text and words in page.text
    assert 'aria-current="page"' in page.text
    assert see(place.officer, Accept_Language=lang).text.count(words) == 1
    position = page.positions[0]
    assert f'<html lang="{lang}">' in see(place.officer, f"/events/{position}?lang={lang}").text


def test_only_officers_and_operators_look(place, operator):  # noqa: F811
    contact = place.person("COMPANY_CONTACT", "GRADUATE")
    for browser, status in ((place.nobody, 401), (place.student, 403), (contact, 403)):
        for path in ("/events", "/events/1"):
            assert browser.ask("GET", path).status == status
            answer = ask_page(browser, path)
            assert answer.status == status
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            Page(answer.text.decode())
    see(operator)
    see(place.officer)


def ask_page(browser, path):
    """As a person's browser does, also where the answer is a refusal."""
    connection = http.client.HTTPConnection(browser.host, timeout=20)
    headers = {"Accept": BROWSER, **({"Cookie": browser.cookie} if browser.cookie else {})}
    connection.request("GET", path, headers=headers)
    answer = Answer(connection.getresponse())
    connection.close()
    SEEN.add(("GET", path.split("?")[0], answer.status))
    return answer


def test_an_officer_sees_the_tenants_events_and_no_others(place, operator):  # noqa: F811
    mine = place.organisation().json["organisation"]["organisationId"]
    theirs = place.organisation(browser=place.other).json["organisation"]["organisationId"]
    for browser, subject in ((place.officer, mine), (place.other, theirs)):
        wait_for(lambda: subject in see(browser).text, 10, "the event")
    page = see(place.officer, "/events?types=org.samverka.organisation.")
    assert mine in page.text and theirs not in page.text  # although it is public
    assert theirs in see(place.other).text
    both = see(operator)
    assert mine in both.text and theirs in both.text
    assert place.tenants[0] in both.text and place.tenants[1] in both.text
    position = see(place.other).positions[0]
    assert place.officer.ask("GET", f"/events/{position}").status == 404
    assert theirs in see(operator, f"/events/{position}").text
    for nothing in ("0", "x", "999999999", "-1", "9" * 30):
        assert place.officer.ask("GET", f"/events/{nothing}").status == 404
    assert "internal" not in both.text


def test_one_goes_through_the_log_both_ways(place):  # noqa: F811
    system = enrol(place.officer, place.cluster.url)
    kind = f"com.example.walk{uuid.uuid4().hex[:8]}"
    first = taken(post(system, [event(type=kind) for _ in range(60)], MANY), 60)
    taken(post(system, [event(type="com.example.other") for _ in range(700)], MANY), 700)
    want = list(range(first, first + 60))
    assert walk(place.officer, f"/events?types={kind}", "next") == want[::-1]
    found = walk(place.officer, f"/events?after=0&types={kind}", "prev")
    assert sorted(found) == want
    assert see(place.officer, f"/events?before={first + 3}&types={kind}").positions == [
        first + 2, first + 1, first]
    assert see(place.officer, f"/events?after={first}&types={kind}").positions[-1] == first + 1


def test_the_filter_stays_in_its_fields_and_links(place):  # noqa: F811
    system = enrol(place.officer, place.cluster.url)
    odd = '<b>&"x"</b>'
    position = taken(post(system, event(subject=odd, programme="KTP", nuts="SE312", esco="a,b",
                                        type="com.example.odd")))
    page = see(place.officer, "/events?subjects=%3Cb%3E%26%22x%22%3C/b%3E&programmes=KTP,X"
                              "&nuts=SE&concepts=b&types=com.example.odd")
    assert page.positions == [position]
    assert dict(page.fields) == {"types": "com.example.odd", "subjects": odd,
                                 "programmes": "KTP,X", "nuts": "SE", "concepts": "b"}
    assert "<b>" not in page.text
    newest = next(link for link in page.links if link.startswith("/events?") and "subjects" in link)
    assert see(place.officer, newest).positions == [position]
    assert see(place.officer, "/events?nuts=FI&types=com.example.odd").positions == []

    one = see(place.officer, f"/events/{position}")
    assert "<b>" not in one.text and "com.example.odd" in one.text
    assert '&quot;subject&quot;: &quot;&lt;b&gt;&amp;\\&quot;x\\&quot;&lt;/b&gt;&quot;' in one.text
    for link in one.links:
        if link.startswith("/events?") and "=" in link and "lang" not in link:
            see(place.officer, link)
    same = [link for link in one.links if "subjects=" in link][0]
    assert see(place.officer, same).positions == [position]


def test_a_wrong_question_is_refused(place):  # noqa: F811
    for query in ("before=x", "after=-1", "nope=1", "types=" + "x" * 129, "before=" + "9" * 30):
        assert place.officer.ask("GET", f"/events?{query}").status == 400
        assert ask_page(place.officer, f"/events?{query}").status == 400
    for query in ("before=0", "before=1", "after=999999999", "before=999999999999"):
        see(place.officer, f"/events?{query}")


def followers_of(browser):
    answer = browser.ask("GET", "/v1/events/followers")
    assert answer.status == 200, answer
    return {(one["userId"], one["consumer"]): one for one in answer.json["followers"]}


def test_who_follows_is_shown_to_its_own_people(place, operator, client):  # noqa: F811
    public, secret = zmq.curve_keypair()
    made = place.officer.ask("POST", "/v1/systems", {"name": "Nattlig <kopia>", "appendTypes": ["com."],
                                                     "curvePublicKey": public.decode()})
    system = Browser(place.cluster.url, token=made.json["bearerToken"])
    user = f"system:{made.json['system']['systemId']}"
    socket = open_follow(client, place.cluster, (public, secret), consumer="nightly")
    taken(post(system, [event() for _ in range(5)], MANY), 5)
    key = (user, "nightly")
    for browser in (operator, place.officer, system):
        wait_for(lambda: key in followers_of(browser), 15, "the consumer to be listed")
    assert {one for one, _ in followers_of(system)} == {user}
    assert key not in followers_of(place.other)
    wait_for(lambda: ">Connected<" in see(place.officer, "/events?lang=en").text, 15, "its follow")
    page = see(place.officer, "/events?lang=en")
    for words in ("system Nattlig &lt;kopia&gt;", "<td>nightly</td>", "New events per second"):
        assert words in page.text, words
    assert "service matching" not in page.text
    assert "nightly" not in see(place.other).text
    assert "service matching" in see(operator, "/events?lang=en").text
    socket.close(0)
    wait_for(lambda: "Inte ansluten" in see(place.officer, "/events?lang=sv").text, 15, "it to be gone")

    forget = "/v1/events/consumers/nightly"
    for browser, query, status in ((place.other, f"?userId={user}", 404), (place.student, "", 403),
                                   (place.nobody, "", 401), (place.officer, "", 400)):
        assert browser.ask("DELETE", forget + query).status == status
    assert place.officer.ask("DELETE", f"{forget}?userId={user}").status == 200
    wait_for(lambda: key not in followers_of(place.officer), 10, "the consumer to be forgotten")
    for browser, status in ((place.nobody, 401), (place.student, 403)):
        assert browser.ask("GET", "/v1/events/followers").status == status

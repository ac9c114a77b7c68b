"""An IT system that keeps a copy (J9): snapshot, follow, outage, replay, equality; and that it gets what
is its tenant's and nothing else.  Beside the Python client libsamverka's example follows along."""

import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading

import pytest
from samverka_client import Problem, Web, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEADLINE_S = 60
SEEN, MISSED = 600, 400  # events before the outage, and during it
WRITERS = 4


@pytest.fixture(scope="session")
def follow(tmp_path_factory):
    """clients/python/follow.py with the modules that stock protoc makes for it."""
    out = tmp_path_factory.mktemp("modules")
    for root, files in ((ROOT / "proto", ["events/v1/stream.proto", "wire/v1/status.proto"]),
                        (ROOT / "proto/io/cloudevents/v1", ["cloudevents.proto"])):
        subprocess.run(["protoc", f"-I{root}", f"--python_out={out}", *files], check=True)
    sys.path[:0] = [str(out), str(ROOT / "clients/python")]
    import follow as module
    return module.follow


class System:
    """What an officer enrolled: a key pair, a token, both clients."""

    def __init__(self, world, officer, folder, name, **rights):
        self.world, self.folder, self.name = world, folder, name
        self.public, self.secret, self.server = world.follower_keys()
        answer = officer.post("/v1/systems", {"name": name, "curvePublicKey": self.public.decode(),
                                              **rights})
        self.web = Web(world.cluster.url, token=answer["bearerToken"])
        for text, suffix in ((self.public, ".pub"), (self.secret, ".key")):
            (folder / f"{name}{suffix}").write_bytes(text + b"\n")

    def stream(self, follow, after, **wanted):
        return follow(self.world.cluster.stream_endpoint, self.server, self.public, self.secret,
                      after, **wanted)

    def example(self, after, through=0, *types, out=subprocess.PIPE):
        cluster = self.world.cluster
        return subprocess.Popen(
            [cluster.build / "examples/example_follow", cluster.stream_endpoint,
             cluster.key_folder / "events.pub", self.folder / self.name, str(after), str(through),
             *types], stdout=out, text=True)


class Copy:
    """A receiver's copy of needs: an event says which one, and the rest is fetched with its own
    rights."""

    def __init__(self, system):
        self.system, self.needs, self.ids = system, {}, []
        self.position = 0

    def snapshot(self):
        """Every page; the position of the first is where to follow from."""
        path, self.needs = "/v1/needs?limit=200", {}
        while path:
            page = self.system.web.get(path)
            if not self.position:
                self.position = int(self.system.web.answer["Samverka-Position"])
            self.needs.update((need["needId"], need) for need in page.get("needs", []))
            link = re.search(r'<([^>]+)>; rel="next"', self.system.web.answer["Link"])
            path = link and link[1]
        return self

    def take(self, through, events):
        for event in events:
            subject = event.attributes["subject"].ce_string
            self.ids.append(event.id)
            try:
                self.needs[subject] = self.system.web.get(f"/v1/needs/{subject}")["need"]
            except Problem as problem:
                if problem.status != 404:
                    raise
                self.needs.pop(subject, None)
        self.position = through


class Reader(threading.Thread):
    """Feeds a copy from a stream until it is stopped, like a process that ends."""

    def __init__(self, copy, stream):
        super().__init__(daemon=True)
        self.copy, self.stream, self.stopping = copy, stream, threading.Event()
        self.start()

    def run(self):
        for through, events in self.stream:
            if self.stopping.is_set():
                return  # what came is not taken: it comes again
            self.copy.take(through, events)

    def stop(self):
        """From the next batch on nothing is taken."""
        self.stopping.set()


class Company:
    """Needs of one company, published and fulfilled by several officers at once."""

    def __init__(self, world, officers, organisation):
        self.world, self.officers, self.organisation = world, officers, organisation
        self.open, self.lock = [], threading.Lock()

    def publish(self, officer, nuts="SE312"):
        need = officer.post("/v1/needs", {
            "organisationId": self.organisation, "nuts": nuts, "visibility": "PRIVATE",
            "text": [{"lang": "sv", "value": "Vi vill sänka energianvändningen."}],
            "publish": True})["need"]
        with self.lock:
            self.open.append(need)

    def fulfil(self, officer):
        with self.lock:
            need = self.open.pop(0)
        officer.post(f"/v1/needs/{need['needId']}/close",
                     {"expectedVersion": need["version"], "fulfilled": True})

    def run(self, published, fulfilled):
        """That many events of each, by all officers at once."""
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            for step, count in ((self.publish, published), (self.fulfil, fulfilled)):
                list(pool.map(step, [self.officers[n % WRITERS] for n in range(count)]))


def everything(world, *filters):
    """The log as the operator replays it."""
    told = world.cluster.command_line("events", "replay", "--after", "0", *filters).stdout
    return [json.loads(line) for line in told.splitlines()]


def await_told(world, system, count):
    """So many events of needs are in the log, and the gateway knows: a snapshot begins behind them."""
    def told():
        log = everything(world, "--type", "org.samverka.need.")
        system.web.get("/v1/needs?limit=1")
        return len(log) == count and log[-1]["position"] <= int(
            system.web.answer["Samverka-Position"])
    wait_for(told, DEADLINE_S, f"{count} events of needs")


@pytest.mark.timeout(900)  # two thousand requests, beside whatever else runs
def test_a_copy_that_missed_four_hundred_of_a_thousand_events_equals_a_fresh_snapshot(
        world, follow, tmp_path):
    officers = [world.web(world.add_account(f"officer{n}", "PARTNERSHIP_OFFICER")[0])
                for n in range(WRITERS)]
    company = Company(world, officers, world.add_organisation("Dalahus AB"))
    crm = System(world, officers[0], tmp_path, "crm", types=["org.samverka.need."])
    wanted = {"types": ["org.samverka.need."], "nuts": ["SE31"]}
    company.run(20, 5)
    await_told(world, crm, 25)

    copy = Copy(crm).snapshot()
    start = copy.position
    assert start and len(copy.needs) == 20
    lines = tmp_path / "lines"
    with open(lines, "w", encoding="utf-8") as out:
        example = crm.example(start, 0, "org.samverka.need.", out=out)
    reader = Reader(copy, crm.stream(follow, start, **wanted))
    company.run(450, 150)
    company.publish(officers[0], nuts="SE232")  # in a region that is not followed
    wait_for(lambda: len(copy.ids) >= SEEN, DEADLINE_S, "the events before the outage")
    wait_for(lambda: len(lines.read_text().splitlines()) > SEEN, DEADLINE_S, "the example's lines")

    reader.stop()  # the outage
    example.send_signal(signal.SIGKILL)
    example.wait()
    company.run(250, 150)
    reader.join(DEADLINE_S)
    behind = len(copy.ids)
    assert behind == SEEN

    stream = crm.stream(follow, copy.position, **wanted)
    for through, events in stream:
        copy.take(through, events)
        if len(copy.ids) >= behind + MISSED:
            break
    stream.close()

    assert len(copy.ids) == len(set(copy.ids)), "an event came twice"
    assert copy.needs.keys() >= {need["needId"] for need in company.open if need["nuts"] != "SE232"}
    fresh = Copy(crm).snapshot()
    assert {i: n for i, n in fresh.needs.items() if n["nuts"] == "SE312"} == copy.needs
    log = [event for event in everything(world, "--type", "org.samverka.need.")
           if event["position"] > start]
    assert [event["id"] for event in log if event["nuts"] == "SE312"] == copy.ids
    assert len(copy.ids) == SEEN + MISSED

    # The example goes on behind its last line, to the end.
    printed = [line.split() for line in lines.read_text().splitlines()]
    with crm.example(printed[-1][0], fresh.position, "org.samverka.need.") as rest:
        printed += [line.split() for line in rest.stdout.read().splitlines()]
    assert rest.returncode == 0
    assert [words[2] for words in printed] == [event["id"] for event in log]


def test_a_client_that_subscribes_to_everything_gets_its_tenant_and_what_is_public(world, follow,
                                                                                   tmp_path):
    slugs = ["hogskolan-dalarna", "hogskolan-gavle"]
    officers = [world.web(world.add_account("officer", "PARTNERSHIP_OFFICER",
                                            tenant=world.tenants[slug])[0],
                          tenant=world.tenants[slug]) for slug in slugs]
    mine = world.tenants[slugs[0]]
    crm = System(world, officers[0], tmp_path, "crm")
    company = world.add_organisation("Dalahus AB")
    for officer, shared in zip(officers, ([], [mine])):
        for visibility in ["PRIVATE", "PUBLIC"] + ["SHARED"] * len(shared):
            officer.post("/v1/needs", {
                "organisationId": company, "visibility": visibility, "publish": True,
                "text": [{"lang": "sv", "value": "Vi vill sänka energianvändningen."}],
                "sharedWith": shared if visibility == "SHARED" else []})

    def may_see(event):
        audience = event.get("audience", "")
        if audience == "internal":
            return False
        return event["tenantid"] == mine or audience == "public" or mine in audience.split(",")
    log = everything(world)
    head = log[-1]["position"]
    expected = [event["id"] for event in log if may_see(event)]
    others = [event for event in log if may_see(event) and event["tenantid"] != mine]
    assert {event.get("audience") for event in others} == {"public", mine}
    hidden = [event for event in log if not may_see(event)]
    assert any(event.get("audience", "") != "internal" for event in hidden), "nothing to hide"
    got = []
    for through, events in crm.stream(follow, 0):
        got += [event.id for event in events]
        if through >= head:
            break
    assert got[:len(expected)] == expected
    with crm.example(0, head) as example:
        told = [line.split()[2] for line in example.stdout.read().splitlines()]
    assert told[:len(expected)] == expected

"""Load through HTTP: clients that write down what they meant and what they were told."""

import threading
import uuid

from samverka_client import Problem, Web


class Client(threading.Thread):
    """One request after the other until it is told to stop.  Every request of `work(web, number)`
    that fails is kept; with `patience` 0 the first failure counts."""

    def __init__(self, origin, work, patience):
        super().__init__(daemon=True)
        self.web = Web(origin.url, language=origin.language, patience=patience)
        self.web.cookie = origin.cookie
        self.work = work
        self.done = []
        self.failures = []
        self._stopping = threading.Event()

    def run(self):
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                self.done.append(self.work(self.web, number))
            except (Problem, OSError) as failure:
                self.failures.append(failure)

    def stop(self):
        self._stopping.set()


class Load:
    """    with Load(web, work, clients=8) as load:
               ...
           load.done, load.failures
    """

    def __init__(self, origin, work, clients, patience=0):
        self.clients = [Client(origin, work, patience) for _ in range(clients)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.stop()
        for client in self.clients:
            client.join(60)
            assert not client.is_alive()

    @property
    def done(self):
        return [answer for client in self.clients for answer in list(client.done)]

    @property
    def failures(self):
        return [failure for client in self.clients for failure in list(client.failures)]


def write_need(company):
    """Writes a need under a key of its own; gives the key and the need's id."""
    def work(web, _number):
        key = str(uuid.uuid4())
        need = web.post("/v1/needs", {
            "organisationId": company, "visibility": "PRIVATE", "publish": True,
            "text": [{"lang": "sv", "value": f"Behov {key}"}]}, key=key)["need"]
        return key, need["needId"]
    return work

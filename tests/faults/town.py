"""The journeys' world with writers of every kind, and the check of all they were told."""

from faults.traffic import Appender, NeedWriter, OutboxWriter, check_log, query
from journeys.world import World

SERVICES = ["gateway", "registry", "events", "matching", "notifications"]
GENEROUS = {"rate_per_second": 100000, "rate_burst": 100000}


class Town:
    """A world with several instances of services, and writers of every kind."""

    def __init__(self, cluster, contract, sink):
        self.cluster = cluster
        self.world = World(cluster, contract, sink)
        self.urls = [f"http://127.0.0.1:{cluster.ports[name]}" for name in cluster.ports
                     if name == "http" or name.startswith("gateway-") and name.endswith(".http")]
        address, _ = self.world.add_account("officer", "PARTNERSHIP_OFFICER")
        self.officer = self.world.web(address)
        self.company = self.world.add_organisation("Lastprov AB")

    def writers(self, folder, seed, client, contract, needs=6, appends=2, outbox=2):
        cluster, tenant = self.cluster, self.world.tenant
        return ([NeedWriter(folder, f"need-{n}", seed, self.urls, self.officer, self.company)
                 for n in range(needs)]
                + [Appender(folder, f"append-{n}", seed, cluster, client, contract, tenant)
                   for n in range(appends)]
                + [OutboxWriter(folder, f"outbox-{n}", seed, cluster, client)
                   for n in range(outbox)])

    def check(self, client, truth):
        """The log against the journals; then the table of needs against both."""
        log = check_log(client, self.cluster, truth)
        keys = {key: told for key, told in truth.acks.items() if isinstance(key, str)}
        rows = {}
        for text, need in query(self.cluster,
                                "SELECT text_values[1], id::text FROM registry.need"):
            assert text not in rows, f"two needs of one key: {text}"
            rows[text] = need
        for key, told in keys.items():
            assert set(told) == {rows.get(f"Behov {key}")}, f"{key}: {told}"
        published = [subject for _, kind, subject in log.events
                     if kind == "org.samverka.need.published.v1" and subject != "s"]
        assert sorted(published) == sorted(rows.values())
        for ids, told in truth.acks.items():
            if not isinstance(ids, str) and told[0]:  # Append tells positions
                assert {tuple(map(int, one)) for one in told} == {
                    (log.position(ids[0]), log.position(ids[-1]))}
        return log

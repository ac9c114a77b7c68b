"""What verifies the log for operators finds every changed byte and names its place: VerifyBlocks
and ListChains of the service, `samverka events verify` of the command line."""

import base64

import pytest

from faults.stored import blocks, chains, external_spans, flip, kept_chains, seal
from faults.test_corruption import written
from samverka_client import Rpc


def verify(rpc):
    """Positions of the blocks that the service finds fault with."""
    after, faults = 0, []
    while True:
        answer = rpc.call("events.v1.Log/VerifyBlocks", {"after": str(after)})
        faults += [int(fault["position"]) for fault in answer["faults"]]
        assert int(answer["through"]) > after
        after = int(answer["through"])
        if after >= int(answer["head"]):
            return faults


def listed_chains(rpc):
    answer = rpc.call("events.v1.Log/ListChains")
    return {chain["tenantId"]: base64.b64decode(chain["last"]["link"]).hex()
            for chain in answer["chains"]}


def command(cluster):
    return cluster.command_line("events", "verify", check=False)


@pytest.mark.promise("R22")
def test_the_service_and_the_command_name_every_changed_block(
        make_cluster, client, contract, tmp_path, seed, chance, full, figure):
    flips = 1000 if full else 20
    cluster, _ = written(make_cluster, client, tmp_path, seed, 1000)
    good = blocks(cluster)
    rpc = Rpc(contract, cluster.endpoint("events"), cluster.key_folder, "events")
    assert verify(rpc) == [] and listed_chains(rpc) == kept_chains(cluster) == chains(client, good)
    told = command(cluster)
    assert told.returncode == 0, told.stdout + told.stderr
    named = 0
    for n in range(flips):
        block = chance.choice(good)
        at, mask = chance.randrange(len(block.data)), 1 << chance.randrange(8)
        flip(cluster, block.position, at, mask)
        assert verify(rpc) == [block.position]
        if n % 10 == 0:
            told = command(cluster)
            assert told.returncode != 0 and str(block.position) in told.stdout + told.stderr
            named += 1
        flip(cluster, block.position, at, mask)
    # The checksum made to fit as well: only the chain can tell.
    block = next(block for block in good if external_spans(client, block))
    first, last = external_spans(client, block)[0]
    at = block.data.index(b"xxxx", first, last)  # what the writers put into every event
    cluster.stop_service("events")  # which holds the newest events in memory
    seal(cluster, block.position, block.data[:at] + b"y" + block.data[at + 1:])
    cluster.start_service("events")
    assert verify(rpc) == []
    told = command(cluster)
    assert told.returncode != 0, told.stdout
    rpc.close()
    figure("R22", flips=flips, named_by_the_service=flips, named_by_the_command=named,
           resealed_found_by_chain=1)

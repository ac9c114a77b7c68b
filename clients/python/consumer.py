#!/usr/bin/python3
"""A durable consumer: the server keeps how far it has come, and several processes may share it.

usage: consumer.py ENDPOINT SERVER_PUBLIC_KEY_FILE OWN_KEY_NAME CONSUMER [shared]

What is not acknowledged comes again, so work must bear to be done twice; the event's id tells.
Modules, keys and packages as for follow.py beside it.
"""

import sys
import cloudevents_pb2 as cloudevents
from events.v1 import stream_pb2 as stream
from follow import connect, CREDIT, SILENCE_MS


def consume(endpoint, server_public, public, secret, consumer, shared=False, **wanted):
    """Yields lists of events for ever.  Asking for the next one acknowledges the last."""
    while True:
        socket = connect(endpoint, server_public, public, secret)
        socket.send(stream.ClientFrame(follow=stream.Follow(
            consumer=consumer, shared=shared, credit=CREDIT,
            filter=stream.Filter(**wanted))).SerializeToString())
        while socket.poll(SILENCE_MS):
            head, *body = socket.recv_multipart()
            frame = stream.ServerFrame.FromString(head)
            if frame.WhichOneof("frame") == "ended":
                if frame.ended.code not in (8, 14):  # too slow, or the instance is stopping
                    raise ConnectionError(f"{frame.ended.code}: {frame.ended.detail}")
                break
            if frame.WhichOneof("frame") != "batch":
                continue
            if frame.batch.count:
                yield cloudevents.CloudEventBatch.FromString(body[0]).events
                credit = stream.ClientFrame(credit=stream.Credit(events=frame.batch.count))
                socket.send(credit.SerializeToString())
            ack = stream.ClientFrame(ack=stream.Ack(delivery=frame.batch.delivery))
            socket.send(ack.SerializeToString())
        socket.close()


if __name__ == "__main__":
    def key(path):
        with open(path, "rb") as file:
            return file.read().strip()
    for events in consume(sys.argv[1], key(sys.argv[2]), key(sys.argv[3] + ".pub"),
                          key(sys.argv[3] + ".key"), sys.argv[4], sys.argv[5:] == ["shared"]):
        for event in events:
            print(event.attributes["sequence"].ce_string, event.type, event.id, flush=True)

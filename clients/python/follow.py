#!/usr/bin/python3
"""Follows the partnership event log: every event, in order, and proof that none is missing.

usage: follow.py ENDPOINT SERVER_PUBLIC_KEY_FILE OWN_KEY_NAME [AFTER]

OWN_KEY_NAME.pub and OWN_KEY_NAME.key hold your CURVE key pair.  The two modules it imports are made
from proto/ by stock protoc (see README.md beside this file).  Needs pyzmq and protobuf.
"""

import sys
import zmq
import cloudevents_pb2 as cloudevents
from events.v1 import stream_pb2 as stream

CREDIT = 1000     # events under way at most
SILENCE_MS = 3500  # a heartbeat comes each second


def connect(endpoint, server_public, public, secret):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.curve_serverkey, socket.curve_publickey = server_public, public
    socket.curve_secretkey = secret
    socket.linger, socket.heartbeat_ivl = 0, 1000
    socket.connect(endpoint)
    return socket


def follow(endpoint, server_public, public, secret, after=0, **wanted):
    """Yields (position, events) for ever; everything up to the position has then been seen."""
    while True:
        socket, unpaid = connect(endpoint, server_public, public, secret), 0
        socket.send(stream.ClientFrame(follow=stream.Follow(
            after=after, credit=CREDIT, filter=stream.Filter(**wanted))).SerializeToString())
        while socket.poll(SILENCE_MS):
            head, *body = socket.recv_multipart()
            frame = stream.ServerFrame.FromString(head)
            kind = frame.WhichOneof("frame")
            if kind == "ended":
                if frame.ended.code not in (8, 14):  # too slow, or the instance is stopping
                    raise ConnectionError(f"{frame.ended.code}: {frame.ended.detail}")
                break
            if kind == "batch":
                if frame.batch.after != after:
                    break  # a gap: ask again from what we have
                after, unpaid = frame.batch.through, unpaid + frame.batch.count
                yield after, cloudevents.CloudEventBatch.FromString(body[0]).events
            if unpaid >= CREDIT // 2:
                credit = stream.ClientFrame(credit=stream.Credit(events=unpaid))
                socket.send(credit.SerializeToString())
                unpaid = 0
        socket.close()


if __name__ == "__main__":
    def key(path):
        with open(path, "rb") as file:
            return file.read().strip()
    for position, events in follow(sys.argv[1], key(sys.argv[2]), key(sys.argv[3] + ".pub"),
                                   key(sys.argv[3] + ".key"), int((sys.argv + ["0"])[4])):
        for event in events:
            print(event.attributes["sequence"].ce_string, event.type, event.id, flush=True)

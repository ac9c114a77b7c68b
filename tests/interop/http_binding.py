"""CloudEvents over HTTP, written from the specification (HTTP binding 1.0.2): an event in JSON as the
bytes of a request in each of the three modes."""

import json
import urllib.parse

PLAIN = "".join(chr(code) for code in range(0x21, 0x7f) if chr(code) not in '"%')


def request(headers, body):
    lines = ["POST /hook HTTP/1.1", "Host: receiver.example", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def pack(value):
    return json.dumps(value, ensure_ascii=False).encode()


def structured(event, **headers):
    return request({"Content-Type": "application/cloudevents+json", **headers}, pack(event))


def batch(events, **headers):
    return request({"Content-Type": "application/cloudevents-batch+json", **headers}, pack(events))


def encode(text):
    return urllib.parse.quote(text, safe=PLAIN)


def binary(event, **headers):
    attributes = {f"ce-{name}": encode(value) for name, value in event.items()
                  if name not in ("data", "datacontenttype")}
    return request({"Content-Type": event["datacontenttype"], **attributes, **headers},
                   pack(event["data"]))

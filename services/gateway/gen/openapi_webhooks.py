"""What Samverka itself posts, for the `webhooks` of the OpenAPI document: Standard Webhooks 1.0.0 around
CloudEvents 1.0.2.  docs/webhooks.md says it in words."""

EVENT = {"type": "object", "required": ["specversion", "id", "source", "type"],
         "description": "As CloudEvent of the routes; org.samverka.webhook.verify.v1 and .test.v1 stand in "
                        "no log and have no sequence.",
         "properties": {name: {"type": "string"} for name in ("specversion", "id", "source", "type",
                                                              "sequence")}}


def header(name, text, **schema):
    return {"name": name, "in": "header", "required": True, "description": text,
            "schema": {"type": "string", **schema}}


def section():
    return {"event": {"post": {
        "summary": "An event, or a batch of them, as the webhook's mode says",
        "description": "In binary mode the attributes are ce- headers, percent-encoded, and the body "
                       "is the data.",
        "parameters": [
            header("webhook-id", "the same at each try", pattern="^[A-Za-z0-9_-]{1,64}$"),
            header("webhook-timestamp", "of this try, unix seconds", pattern="^[0-9]+$"),
            header("webhook-signature", "v1 (HMAC-SHA256) and v1a (Ed25519) of each secret that "
                                        "signs, over webhook-id, webhook-timestamp and body with "
                                        "dots between",
                   pattern="^v1a?,[A-Za-z0-9+/=]+( v1a?,[A-Za-z0-9+/=]+)*$")],
        "requestBody": {"content": {
            "application/cloudevents+json": {"schema": EVENT},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "minItems": 1, "maxItems": 50, "items": EVENT}},
            "application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "2XX": {"description": "taken; within 15 seconds"},
            "410": {"description": "the receiver is gone: the webhook is disabled"},
            "429": {"description": "later; Retry-After is heeded, as with 502, 503 and 504"},
            "default": {"description": "tried again; a redirect is not followed"}}}}}

"""The reference as HTML, from the OpenAPI document."""

import html

RULES = """
<section class="card" id="rules">
<h2>Rules that hold everywhere</h2>
<h3>Who you are</h3>
<p>People sign in with <code>POST /v1/session</code> and get a cookie. Systems send
<code>Authorization: Bearer …</code> with the token they got when they were enrolled. A cookie is
not believed when <code>Origin</code> or <code>Sec-Fetch-Site</code> tell of a foreign page.</p>
<h3>JSON</h3>
<p>Names are lowerCamelCase; the snake_case names of the contract are understood too. 64-bit integers
are strings. Enums are names. A body is at most 256 KiB; unknown fields, duplicate members and wrong
types are refused with their place.</p>
<h3>Changing things</h3>
<p>Every <code>POST</code> that has an effect carries an <code>Idempotency-Key</code>: repeat it with the
same key and you get the first answer, once. <code>PATCH</code>, <code>PUT</code> and
<code>DELETE</code> carry <code>If-Match</code> with the <code>ETag</code> you read: without it 428, when
somebody was quicker 412.</p>
<h3>Lists</h3>
<p><code>limit</code> up to 200; follow <code>Link: rel="next"</code>. <code>Samverka-Position</code> is the
place in the event log from which this list can be kept up to date.</p>
<h3>Events</h3>
<p><code>GET /v1/events?after=…</code> reads, <code>GET /v1/events/stream</code> follows. Both give
CloudEvents with the same numbers, so that whatever you miss in one you find in the other.
<a href="/asyncapi.json">AsyncAPI</a> describes these ways, the stream over ZeroMQ and webhooks;
<a href="/schemas">the schemas</a> of every type of event are here, as JSON schema and as proto.</p>
</section>
"""


def esc(text):
    return html.escape(str(text), quote=True)


def anchor(tag):
    return "tag-" + tag.lower()


def type_of(schema):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#schema-{esc(name)}">{esc(name)}</a>'
    if schema.get("type") == "array":
        return "list of " + type_of(schema["items"])
    kind = schema.get("type", "")
    kind = "integer" if isinstance(kind, list) else kind
    return esc(f"{kind} ({schema['format']})" if "format" in schema else kind)


def rows(items):
    return "".join(f"<tr><th scope=\"row\"><code>{esc(name)}</code></th><td>{kind}</td>"
                   f"<td>{esc(text)}</td></tr>" for name, kind, text in items)


def table(title, items):
    items = list(items)
    if not items:
        return ""
    return (f'<h3>{esc(title)}</h3><div class="scroll" tabindex="0" role="region" '
            f'aria-label="{esc(title)}"><table><thead><tr><th scope="col">Name</th>'
            f'<th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>'
            f"{rows(items)}</tbody></table></div>")


def properties(schema):
    for name, value in schema.get("properties", {}).items():
        yield name, type_of(value), value.get("description", "")


def parameters(operation):
    for one in operation["parameters"]:
        if one["name"] != "Accept-Language":  # everywhere
            need = "needed. " if one.get("required") else ""
            yield (one["name"], f"{type_of(one['schema'])}, {one['in']}",
                   need + one.get("description", ""))


def answers(operation):
    """What comes back, and which problems may."""
    problems, parts = [], []
    for status, one in operation["responses"].items():
        if "$ref" in one:
            problems.append(status)
            continue
        content = next(iter(one.get("content", {}).values()), None)
        kind = f": {type_of(content['schema'])}" if content else ""
        parts.append(f"<li><strong>{status}</strong>{kind}</li>")
    if problems:
        parts.append(f'<li>{", ".join(problems)}: a <a href="#problems">problem</a></li>')
    return f"<h3>Answers</h3><ul>{''.join(parts)}</ul>"


def operation_html(path, verb, operation):
    body = operation.get("requestBody")
    schema = next(iter(body["content"].values()))["schema"] if body else {}
    inside = [f"<p>{esc(operation['description'])}</p>" if operation.get("description") else "",
              table("Parameters and headers", parameters(operation))]
    if "$ref" in schema:
        inside.append(f"<p>Body: {type_of(schema)}</p>")
    else:
        inside.append(table("Body", properties(schema)))
    inside.append(answers(operation))
    return (f'<details class="operation" id="{esc(operation["operationId"])}"><summary>'
            f'<span class="verb {verb}">{verb.upper()}</span><code>{esc(path)}</code>'
            f'<span>{esc(operation["summary"])}</span></summary>'
            f'<div class="inside">{"".join(inside)}</div></details>')


def by_tag(document):
    groups = {tag["name"]: (tag.get("description", ""), []) for tag in document["tags"]}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            groups[operation["tags"][0]][1].append(operation_html(path, verb, operation))
    return groups


def codes_html(codes):
    items = [(name, f"{one['status']}", one["meaning"]) for name, one in codes.items()]
    return f'<section class="card" id="problems"><h2>Problems</h2>{table("Codes", items)}</section>'


def schema_html(name, schema):
    if "enum" in schema:
        inside = "<p>" + ", ".join(f"<code>{esc(value)}</code>" for value in schema["enum"]) + "</p>"
    else:
        text = f"<p>{esc(schema['description'])}</p>" if "description" in schema else ""
        inside = text + table("Members", properties(schema))
    return (f'<details class="operation" id="schema-{esc(name)}"><summary><code>{esc(name)}</code>'
            f'</summary><div class="inside">{inside}</div></details>')


def make(document, codes):
    groups = by_tag(document)
    toc = "".join(f'<li><a href="#{anchor(tag)}">{esc(tag)}</a></li>' for tag in groups)
    parts = ['<nav class="card" aria-label="Contents"><h2>Contents</h2><ul class="toc">'
             '<li><a href="#rules">Rules</a></li>' + toc +
             '<li><a href="#problems">Problems</a></li><li><a href="#schemas">Types</a></li>'
             "</ul></nav>", RULES]
    for tag, (text, operations) in groups.items():
        about = f"<p>{esc(text)}</p>" if text else ""
        parts.append(f'<section class="card" id="{anchor(tag)}"><h2>{esc(tag)}</h2>{about}'
                     f'{"".join(operations)}</section>')
    parts.append(codes_html(codes))
    schemas = "".join(schema_html(name, schema)
                      for name, schema in document["components"]["schemas"].items())
    parts.append(f'<section class="card" id="schemas"><h2>Types</h2>{schemas}</section>')
    return "\n".join(parts)

// Shows how the cluster lives.  Text reaches the page by textContent alone.

const SHOWN_EVENTS = 12;
const ASK_EVERY_MS = 3000;

const texts = document.getElementById("texts").dataset;
const lang = document.documentElement.lang;
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(lang);
const clock = new Intl.DateTimeFormat(lang, { timeStyle: "medium" });

async function ask(path, options = {}) {
  const answer = await fetch(path, {
    ...options,
    headers: { Accept: "application/json", "Accept-Language": lang, ...options.headers },
  });
  const body = answer.status === 204 ? null : await answer.json();
  return { ok: answer.ok, status: answer.status, body };
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Services

function stateOf(service) {
  if (!service.heard) return ["bad", texts.silent];
  if (service.draining) return ["wait", texts.draining];
  return service.ready ? ["good", texts.ready] : ["wait", texts.notReady];
}

function showBadge(badge, kind, text) {
  badge.className = kind ? `badge ${kind}` : "badge";
  if (badge.textContent !== text) badge.textContent = text;
}

function fact(name, value) {
  const row = make("div");
  const content = make("dd");
  content.append(value);
  row.append(make("dt", "", name), content);
  return row;
}

function dots(instances) {
  const box = make("span", "dots");
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", String(instances.filter((one) => one.connected).length));
  for (const one of instances) {
    box.append(make("span", one.draining ? "going" : one.connected ? "on" : ""));
  }
  return box;
}

function showService(service, log) {
  const item = document.querySelector(`[data-service="${CSS.escape(service.name)}"]`);
  if (!item) return;
  showBadge(item.querySelector("[data-state]"), ...stateOf(service));
  const facts = [fact(texts.instances, dots(service.instances))];
  if (service.heard) {
    facts.push(fact(texts.calls, number.format(BigInt(service.calls))));
    const place = BigInt(service.name === "events" ? log.head : service.position);
    if (place > 0n) facts.push(fact(texts.position, number.format(place)));
  }
  item.querySelector("[data-facts]").replaceChildren(...facts);
}

let position = null;

async function askStatus() {
  const overall = byId("overall");
  try {
    const { ok, body } = await ask("/v1/status");
    if (!ok) throw new Error("no status");
    body.services.forEach((service) => showService(service, body.log));
    const well = body.log.live && body.services.every((one) => one.heard && one.ready);
    showBadge(overall, well ? "good" : "bad", well ? texts.allWell : texts.notWell);
    if (position === null) {
      position = BigInt(body.log.position);
      follow();
    }
  } catch {
    showBadge(overall, "bad", texts.unreachable);
  }
  setTimeout(askStatus, ASK_EVERY_MS);
}

// Events

let source = null;
let paused = false;
const waiting = [];

function showEvent(event) {
  const item = make("li", "new");
  const time = make("time", "", event.time ? clock.format(new Date(event.time)) : "");
  if (event.time) time.dateTime = event.time;
  item.append(
    make("span", "number", number.format(BigInt(event.sequence))),
    make("span", "what", event.type.replace(/^org\.samverka\./, "").replace(/\.v\d+$/, "")),
    time,
    make("span", "subject mono", event.subject ?? ""),
  );
  byId("events").prepend(item);
  while (byId("events").children.length > SHOWN_EVENTS) byId("events").lastChild.remove();
  byId("none").hidden = true;
}

function take(event) {
  if (!paused) {
    showEvent(event);
    return;
  }
  waiting.push(event);
  if (waiting.length > SHOWN_EVENTS) waiting.shift();
}

function follow() {
  source?.close();
  const back = 40n;
  const after = position > back ? position - back : 0n;
  source = new EventSource(`/v1/events/stream?after=${after}`);
  source.onopen = () => showBadge(byId("live"), "good", texts.live);
  source.onerror = () => {
    showBadge(byId("live"), "wait", texts.broken);
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, ASK_EVERY_MS);
  };
  source.onmessage = (message) => {
    position = BigInt(message.lastEventId);
    take(JSON.parse(message.data));
  };
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? texts.resume : texts.pause;
  if (!paused) waiting.splice(0).forEach(showEvent);
});

// Session

const roleNames = new Map(
  Array.from(document.querySelectorAll("#role-names dt"), (term) => [
    term.textContent,
    term.nextElementSibling.textContent,
  ]),
);

function showSession(session) {
  byId("sign-in").hidden = session !== null;
  byId("signed-in").hidden = session === null;
  if (!session) return;
  byId("who").textContent = session.displayName || session.principal.subjectId;
  byId("roles").replaceChildren(
    ...session.principal.roles.map((role) => make("li", "", roleNames.get(role) ?? role)),
  );
}

function restart() {
  byId("events").replaceChildren();
  byId("none").hidden = false;
  if (position !== null) follow();
}

async function askSession() {
  const { ok, body } = await ask("/v1/session");
  showSession(ok ? body : null); // no content: nobody is signed in
}

async function askTenants() {
  const { ok, body } = await ask("/v1/tenants?limit=200");
  if (!ok) return;
  for (const tenant of body.tenants) {
    const option = make("option", "", tenant.name);
    option.value = tenant.slug;
    byId("sign-in").elements.tenant.append(option);
  }
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  if (!form.reportValidity()) return;
  const button = form.querySelector("button");
  const error = byId("sign-in-error");
  error.textContent = "";
  button.disabled = true;
  try {
    const { ok, body } = await ask("/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        email: form.elements.email.value,
        password: form.elements.password.value,
        tenant: form.elements.tenant.value,
      }),
    });
    if (ok) {
      form.reset();
      showSession(body);
      byId("sign-out").focus();
      restart();
    } else {
      error.textContent = `${body.title}. ${body.detail}`;
    }
  } catch {
    error.textContent = texts.unreachable;
  } finally {
    button.disabled = false;
  }
});

byId("sign-out").addEventListener("click", async () => {
  await ask("/v1/session", { method: "DELETE" });
  showSession(null);
  byId("sign-in").elements.email.focus();
  restart();
});

askStatus();
askSession().catch(() => showSession(null));
askTenants().catch(() => {});

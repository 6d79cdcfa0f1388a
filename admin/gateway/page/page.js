// The page of a tenant's webhooks. It knows what the API says and nothing else; all that comes from there is put in as text.

const PAGE_SIZE = 25, EVENTS_MAX = 1000, ATTEMPTS_SHOWN = 100, WAITING_SHOWN = 100;
const KNOWN_POLL_MS = 100, KNOWN_TRIES = 20;
const TEST_POLL_MS = 500, TEST_GIVE_UP_MS = 60_000;
const TOKEN = "posthorn.token";

const $ = id => document.getElementById(id);
let token = sessionStorage.getItem(TOKEN);
let nextCursor;

// --- The API ---

class Refused extends Error {
  constructor(status, problem) {
    const details = (problem?.details ?? []).map(detail => `${detail.param}: ${detail.msg}`);
    super([problem?.message ?? `The gateway answered ${status}.`, ...details].join("\n"));
    this.status = status;
    this.params = (problem?.details ?? []).map(detail => detail.param);
  }
}

async function api(method, path, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
    .catch(() => { throw new Error("The gateway cannot be reached."); });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  let problem = null;
  try { problem = JSON.parse(text); } catch { /* of something between here and the gateway */ }
  throw new Refused(answer.status, problem);
}

const webhookPath = (webhook, rest = "") => `/v1/webhooks/${encodeURIComponent(webhook.id)}${rest}`;
const eventsPath = query => `/v1/events?${new URLSearchParams(query)}`;

// --- Small parts ---

function element(name, properties = {}, ...children) {
  const { data, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

const cell = (text, className = "") => element("td", { className }, text ?? "");
// A url may break behind what divides it.
const urlOf = url => element("span", {}, ...url.split(/(?<=[/?&])/).flatMap(part => [part, element("wbr")]));
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
const time = text => text ? new Date(text).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }) : "";

function say(text) {
  $("wrong").textContent = "";
  $("said").textContent = text;
}

function complain(error) {
  if (error.status === 401) {
    leave();
    $("wrong").textContent = "The token is not known, or was revoked.";
    return;
  }
  $("said").textContent = "";
  $("wrong").textContent = error.message;
}

// Runs what a button stands for; the button rests meanwhile, so that nothing is asked for twice. It is not disabled: it would lose the focus.
async function run(button, work, failed = complain) {
  if (button?.ariaBusy === "true") return;
  if (button) button.ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    failed(error);
  } finally {
    if (button) button.ariaBusy = "false";
  }
}

async function copy(button, text) {
  button.dataset.label ??= button.textContent; // what it says now may be what came of the last time
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed: select it and copy";
  }
  clearTimeout(button.relabel);
  button.relabel = setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
}

// --- Dialogs ---

function open(dialog, webhook) {
  dialog.querySelector(".error").textContent = "";
  const url = dialog.querySelector(":scope code");
  if (url && webhook) url.textContent = webhook.url;
  dialog.webhook = webhook;
  dialog.showModal();
}

// An error is shown where it was made; a token that is not known ends everything.
const complainIn = dialog => error => {
  if (error.status === 401) {
    dialog.close();
    complain(error);
    return;
  }
  dialog.querySelector(".error").textContent = error.message;
};

for (const dialog of document.querySelectorAll("dialog"))
  for (const button of dialog.querySelectorAll("[data-close]"))
    button.addEventListener("click", () => dialog.close());

// --- A webhook's optional members ---

const shownLines = texts => (texts ?? []).join("\n");
// One text on each line. A list that nobody changed stays as it is, also where a text of it has blanks at its ends.
const linesOf = (text, was) => text === shownLines(was) ? was ?? [] : text.split("\n").map(line => line.trim()).filter(line => line);

// "name: value" a line; a name alone keeps the value that the webhook has, which is never shown.
const headersOf = text => linesOf(text).map(line => {
  const at = line.indexOf(":");
  return at < 0 ? { name: line } : { name: line.slice(0, at).trim(), value: line.slice(at + 1).trim() };
});

const FILTER = "filter.", filterFields = $("filter").querySelectorAll("textarea");
const filterMember = field => field.dataset.param.slice(FILTER.length);

// The filter that the form has; null where it has no value.
function filterOf(webhook) {
  const lists = [...filterFields].map(field => [filterMember(field), linesOf(field.value, webhook?.filter?.[filterMember(field)])]);
  const given = lists.filter(([, values]) => values.length);
  return given.length ? Object.fromEntries(given) : null;
}

// In words; of headers the names, of a filter the members that it has.
const membersText = ({ headers, signatures, filter, rateLimit }) => [
  headers && `Headers: ${headers.map(header => header.name).join(", ")}`,
  signatures && `Signatures: ${signatures.join(", ")}`,
  Object.keys(filter ?? {}).length && `Filter: ${Object.keys(filter).join(", ")}`,
  rateLimit && `At most ${rateLimit} a second`,
].filter(text => text);

// --- The list ---

const DELIVERY_ENDS = { WEBHOOK_EVENT_PROCESS_SUCCESS: "healthy", WEBHOOK_EVENT_PROCESS_FAIL: "failing", WEBHOOK_EVENT_RETRY: "failing" };
const STATE_TEXTS = { healthy: "Healthy", failing: "Failing", disabled: "Disabled", quiet: "Nothing sent lately" };

// Of each webhook what its newest attempt says.
async function newestStates() {
  const states = new Map();
  const { data } = await api("GET", eventsPath({ type: "WEBHOOK_EVENT_*", limit: EVENTS_MAX }));
  for (const { type, data: delivery } of data)
    if (type in DELIVERY_ENDS && delivery && !states.has(delivery.webhookId)) states.set(delivery.webhookId, DELIVERY_ENDS[type]);
  return states;
}

// A gateway that does not know of a webhook yet will soon: what was just created is in the changelog.
async function deliveriesOf(webhook, limit) {
  for (let left = KNOWN_TRIES; ; left--) {
    try {
      return await api("GET", webhookPath(webhook, `/deliveries?limit=${limit}`));
    } catch (error) {
      if (error.status !== 404 || left === 0) throw error;
      await pause(KNOWN_POLL_MS);
    }
  }
}

const ACTIONS = [
  ["Edit", edit], ["", toggle], ["Test", test], ["Attempts", showAttempts], ["Recover", recover], ["Secret", showSecret], ["Delete", remove, "danger"],
];

const hasSecret = webhook => webhook.signatures?.includes("standard-webhooks-hmac") ?? false;

function actionsOf(webhook) {
  return ACTIONS.filter(([, action]) => action !== showSecret || hasSecret(webhook)).map(([name, action, className = ""]) => {
    const text = name || (webhook.disabled ? "Enable" : "Disable");
    const button = element("button", { type: "button", className, ariaLabel: `${text} ${webhook.url}` }, text);
    button.addEventListener("click", () => action(webhook, button));
    return button;
  });
}

const webhookCell = webhook => element("td", { className: "url" }, urlOf(webhook.url),
  ...(webhook.description ? [element("p", {}, webhook.description)] : []),
  element("ul", { className: "help" }, ...membersText(webhook).map(text => element("li", {}, text))));

function addRow(webhook, states) {
  const state = element("span"), pending = cell("…", "number"), dead = cell("…", "number");
  const show = name => Object.assign(state, { className: `state ${name}`, textContent: STATE_TEXTS[name] });
  show(webhook.disabled ? "disabled" : states.get(webhook.id) ?? "quiet");
  $("rows").append(element("tr", { data: { id: webhook.id } },
    webhookCell(webhook), element("td", {}, element("ul", {}, ...webhook.events.map(event => element("li", {}, event)))),
    element("td", {}, state), pending, dead, element("td", { className: "actions" }, ...actionsOf(webhook))));
  return async () => {
    if (!state.isConnected) return; // the list was shown anew meanwhile
    const known = await deliveriesOf(webhook, 1), more = known.complete ? "" : "+";
    pending.textContent = known.pending + more;
    dead.textContent = known.dead + more;
    if (known.failingSince && !webhook.disabled) show("failing");
  };
}

// The same button of the same webhook in the new list: who uses the keyboard goes on there.
function focusAgain(button) {
  const row = [...$("rows").children].find(row => row.dataset.id === button.closest("tr").dataset.id);
  (row?.querySelectorAll("button")[[...button.parentElement.children].indexOf(button)] ?? $("main")).focus({ preventScroll: true });
}

async function showPage(cursor) {
  const query = new URLSearchParams({ limit: PAGE_SIZE, ...(cursor && { cursor }) });
  const [page, states] = await Promise.all([api("GET", `/v1/webhooks?${query}`), newestStates()]);
  const focused = document.activeElement.closest("#rows button");
  if (!cursor) $("rows").replaceChildren();
  const counts = page.data.map(webhook => addRow(webhook, states));
  if (focused && !cursor) focusAgain(focused);
  nextCursor = page.nextCursor;
  $("more").hidden = !nextCursor;
  $("none").hidden = $("rows").childElementCount > 0;
  for (const fill of counts) await fill(); // one row after the other: the gateway has others to serve
}

const refresh = (text = "") => run($("refresh"), async () => {
  await showPage();
  say(text);
});

// --- What can be done with a webhook ---

const isBuiltIn = type => [...$("edit-form").elements.events].some(box => box.value === type);

// Everything but its id: an update replaces all of a webhook, also members that this page does not know.
const membersOf = ({ id, ...members } = {}) => members;

function fillEdit(title, webhook) {
  $("edit-title").textContent = title;
  $("url").value = webhook?.url ?? "";
  for (const field of $("edit-form").querySelectorAll("[data-param]")) field.removeAttribute("aria-invalid");
  $("disabled").checked = webhook?.disabled ?? false;
  for (const box of $("edit-form").elements.events) box.checked = webhook?.events.includes(box.value) ?? box.value === "OpenIdCredentialIssued";
  $("own-events").value = (webhook?.events ?? []).filter(type => !isBuiltIn(type)).join(", ");
  $("description").value = webhook?.description ?? "";
  $("rate-limit").value = webhook?.rateLimit ?? "";
  for (const field of filterFields) field.value = shownLines(webhook?.filter?.[filterMember(field)]);
  $("headers").value = shownLines(webhook?.headers?.map(header => header.name));
  for (const box of $("edit-form").elements.signatures) box.checked = webhook?.signatures?.includes(box.value) ?? false;
}

// The fields whose values, or elements of whose values, the API refused.
function markInvalid(form, params) {
  for (const field of form.querySelectorAll("[data-param]")) {
    const name = field.dataset.param;
    field.setAttribute("aria-invalid", String(params.some(param => param === name || param.startsWith(`${name}[`))));
  }
}

function edit(webhook) {
  fillEdit(webhook ? "Edit the webhook" : "New webhook", webhook);
  open($("edit"), webhook);
  $("url").focus();
}

$("edit-form").addEventListener("submit", event => {
  event.preventDefault();
  const webhook = $("edit").webhook;
  const own = $("own-events").value.split(",").map(type => type.trim()).filter(type => type);
  const checked = name => [...event.target.elements[name]].filter(box => box.checked).map(box => box.value);
  const body = {
    ...membersOf(webhook),
    events: [...checked("events"), ...own],
    url: $("url").value.trim(),
    disabled: $("disabled").checked,
    description: $("description").value.trim() || null,
    filter: filterOf(webhook),
    rateLimit: $("rate-limit").value ? Number($("rate-limit").value) : null,
    headers: headersOf($("headers").value),
    signatures: checked("signatures"),
  };
  run(event.submitter, async () => {
    await (webhook ? api("PUT", webhookPath(webhook), body) : api("POST", "/v1/webhooks", body));
    $("edit").close();
    await refresh(webhook ? "The webhook was changed." : "The webhook was created.");
  }, error => {
    complainIn($("edit"))(error);
    markInvalid(event.target, error.params ?? []);
  });
});

function toggle(webhook, button) {
  const disabled = !webhook.disabled;
  run(button, async () => {
    await api("PUT", webhookPath(webhook), { ...membersOf(webhook), disabled });
    await refresh(disabled ? "The webhook is disabled: nothing is sent to it." : "The webhook is enabled.");
  });
}

function remove(webhook) {
  open($("remove"), webhook);
}

$("remove-yes").addEventListener("click", event => run(event.currentTarget, async () => {
  await api("DELETE", webhookPath($("remove").webhook));
  $("remove").close();
  await refresh("The webhook was deleted.");
}, complainIn($("remove"))));

// --- A webhook's secret ---

async function loadSecret(webhook) {
  const { secret } = await api("GET", webhookPath(webhook, "/secret"));
  if ($("secret").webhook === webhook) $("secret-text").textContent = secret;
}

function showSecret(webhook, button) {
  $("secret-text").textContent = "";
  $("secret-said").textContent = "";
  open($("secret"), webhook);
  run(button, () => loadSecret(webhook), complainIn($("secret")));
}

$("secret-rotate").addEventListener("click", event => run(event.currentTarget, async () => {
  const { webhook } = $("secret");
  const { overlapUntil } = await api("POST", webhookPath(webhook, "/secret/rotate"));
  await loadSecret(webhook);
  $("secret-said").textContent = overlapUntil ? `A new secret. The former one signs, too, until ${time(overlapUntil)}.` : "A new secret.";
}, complainIn($("secret"))));

$("secret-copy").addEventListener("click", event => copy(event.currentTarget, $("secret-text").textContent));
$("secret").addEventListener("close", () => { $("secret-text").textContent = ""; });

const took = delivery => delivery.durationMs === null ? "" : `${delivery.durationMs} ms`;

function describe({ type, data }) {
  if (type === "WEBHOOK_EVENT_PROCESS_SUCCESS") return `Answered ${data.status} after ${took(data)}.`;
  return `Failed: ${data.reason ?? `status ${data.status}`}.` + (data.nextAttemptAt ? ` The next attempt is at ${time(data.nextAttemptAt)}.` : " It is not tried again.");
}

async function awaitEnd(dialog, deliveryId) {
  const until = Date.now() + TEST_GIVE_UP_MS;
  while (dialog.open && Date.now() < until) {
    const { data } = await api("GET", eventsPath({ type: "WEBHOOK_EVENT_*", limit: 100 }));
    const end = data.find(event => event.type in DELIVERY_ENDS && event.data?.deliveryId === deliveryId);
    if (end) return describe(end);
    await pause(TEST_POLL_MS);
  }
  return "No answer yet: look at the attempts later.";
}

function test(webhook, button) {
  const dialog = $("test");
  $("test-result").textContent = "Sending …";
  open(dialog, webhook);
  run(button, async () => {
    const { deliveryId } = await api("POST", webhookPath(webhook, "/test"));
    const result = await awaitEnd(dialog, deliveryId);
    if (dialog.webhook === webhook) $("test-result").textContent = result;
  }, error => {
    $("test-result").textContent = "";
    complainIn(dialog)(error);
  });
}

$("test").addEventListener("close", () => refresh());

const local = date => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

function recover(webhook) {
  $("since").value = local(new Date(Date.now() - 24 * 3600 * 1000));
  open($("recover"), webhook);
}

$("recover-form").addEventListener("submit", event => {
  event.preventDefault();
  run(event.submitter, async () => {
    const since = new Date($("since").value).toISOString();
    const { deliveries } = await api("POST", webhookPath($("recover").webhook, "/recover"), { since });
    $("recover").close();
    await refresh(`${deliveries} ${deliveries === 1 ? "delivery is" : "deliveries are"} due again.`);
  }, complainIn($("recover")));
});

const STEP_TEXTS = {
  WEBHOOK_EVENT_RECEIVE: "Recorded", WEBHOOK_EVENT_PROCESS_SUCCESS: "Delivered",
  WEBHOOK_EVENT_PROCESS_FAIL: "Dead", WEBHOOK_EVENT_RETRY: "Failed, another follows",
};

// From the newest on, a page of events after the other, until there are enough.
async function attemptsOf(webhook) {
  const found = [];
  let page, cursor;
  do {
    page = await api("GET", eventsPath({ type: "WEBHOOK_EVENT_*", limit: EVENTS_MAX, ...(cursor && { cursor }) }));
    found.push(...page.data.filter(event => event.data?.webhookId === webhook.id));
    cursor = page.nextCursor;
  } while (cursor && found.length < ATTEMPTS_SHOWN);
  return { events: found.slice(0, ATTEMPTS_SHOWN), since: page.completeSince };
}

const idCell = id => element("td", { className: "whole" }, element("code", {}, id));

const attemptRow = ({ type, timestamp, data }) => element("tr", {},
  cell(time(timestamp), "whole"), cell(STEP_TEXTS[type] ?? type), cell(data.attempt ? String(data.attempt) : "", "number"), cell(data.status === null ? "" : String(data.status), "number"),
  cell(data.reason, "whole"), cell(took(data), "number whole"), cell(time(data.nextAttemptAt), "whole"), idCell(data.deliveryId));

const waitingRow = delivery => element("tr", {},
  cell(time(delivery.createdAt), "whole"), cell(delivery.eventType), cell(delivery.status === "dead" ? "Dead" : "Pending"), cell(String(delivery.attempts), "number"),
  cell(delivery.lastReason, "whole"), cell(time(delivery.nextAttemptAt ?? delivery.diedAt), "whole"), idCell(delivery.id));

function showAttempts(webhook, button) {
  const dialog = $("attempts");
  $("attempt-rows").replaceChildren();
  $("waiting-rows").replaceChildren();
  $("waiting-count").textContent = "";
  $("attempts-since").textContent = "Loading …";
  open(dialog, webhook);
  run(button, async () => {
    const [{ events, since }, waiting] = await Promise.all([attemptsOf(webhook), deliveriesOf(webhook, WAITING_SHOWN)]);
    $("attempt-rows").replaceChildren(...events.map(attemptRow));
    $("attempts-since").textContent = `${events.length ? `The newest ${events.length}.` : "There are none."} This gateway knows of all since ${time(since)}.`;
    $("waiting-rows").replaceChildren(...waiting.data.map(waitingRow));
    $("waiting-count").textContent = `${waiting.pending} pending, ${waiting.dead} dead${waiting.nextCursor ? `; the oldest ${waiting.data.length} are shown` : ""}.`;
  }, error => {
    $("attempts-since").textContent = "";
    complainIn(dialog)(error);
  });
}

// --- Keys ---

// The tenant's name is not in the token; every event of its own names it, and showing the list has just made one.
async function tenantId() {
  const { data } = await api("GET", eventsPath({ limit: 1 }));
  return data[0]?.tenantId;
}

async function showKeys() {
  const tenant = await tenantId();
  const path = tenant ? `/v1/tenants/${encodeURIComponent(tenant)}/webhooks/jwks` : "/v1/webhooks/jwks";
  const url = new URL(path, location.href).href;
  $("tenant").textContent = tenant ?? "";
  $("who").hidden = false;
  $("jwks-url").href = $("jwks-url").textContent = url;
  $("jwks").textContent = JSON.stringify(await api("GET", path), null, 2);
  await showCode();
}

async function showCode() {
  const answer = await fetch($("language").value);
  $("code").textContent = (await answer.text()).replaceAll("{{JWKS}}", $("jwks-url").href);
}

// --- Coming and going ---

function show(entered) {
  $("enter").hidden = entered;
  $("webhooks").hidden = $("keys").hidden = !entered;
  if (!entered) $("who").hidden = true;
}

async function enter() {
  show(true);
  await showPage();
  sessionStorage.setItem(TOKEN, token);
  $("token").value = "";
  await showKeys();
}

function leave() {
  token = null;
  sessionStorage.removeItem(TOKEN);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  $("rows").replaceChildren();
  show(false);
  say("");
  $("token").focus();
}

$("enter-form").addEventListener("submit", event => {
  event.preventDefault();
  token = $("token").value.trim();
  run(event.submitter, async () => {
    const entering = enter();
    $("main").focus({ preventScroll: true }); // the field that had it is hidden now
    await entering;
    say("");
  });
});

$("leave").addEventListener("click", leave);
$("create").addEventListener("click", () => edit());
$("refresh").addEventListener("click", () => refresh());
$("more").addEventListener("click", event => run(event.currentTarget, () => showPage(nextCursor)));
$("copy-jwks").addEventListener("click", event => copy(event.currentTarget, $("jwks").textContent));
$("copy-code").addEventListener("click", event => copy(event.currentTarget, $("code").textContent));
$("language").addEventListener("change", () => run(null, showCode));

if (token) run(null, enter);
else show(false);

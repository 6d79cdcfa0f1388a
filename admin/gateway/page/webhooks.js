// The list of webhooks.

import { api, LIST_MAX, list, webhookPath } from "./api.js";
import { sparkline } from "./chart.js";
import { $, breakableLink, cell, element, pause, row, run, typeOf, urlOf } from "./dom.js";
import { addView, hashOf, reload } from "./views.js";
import { actionsOf } from "./webhook_actions.js";
import { edit } from "./webhook_edit.js";

const PAGE_SIZE = 25;
const KNOWN_POLL_MS = 100, KNOWN_TRIES = 20;
const ENDS = { WEBHOOK_EVENT_PROCESS_SUCCESS: "healthy", WEBHOOK_EVENT_PROCESS_FAIL: "failing", WEBHOOK_EVENT_RETRY: "failing" };
const STATE_TEXTS = { healthy: "Healthy", failing: "Failing", disabled: "Disabled", quiet: "Nothing sent lately" };

let nextCursor;

// Of each webhook what its newest attempt says.
export async function newestStates() {
  const states = new Map();
  const { data } = await list("/v1/events", { type: "WEBHOOK_EVENT_*", limit: LIST_MAX });
  for (const { type, data: delivery } of data)
    if (type in ENDS && delivery && !states.has(delivery.webhookId)) states.set(delivery.webhookId, ENDS[type]);
  return states;
}

// A gateway that does not know of a webhook yet will soon: what was just created is in the changelog.
export async function countsOf(webhook) {
  for (let left = KNOWN_TRIES; ; left--) {
    try {
      const known = await api("GET", webhookPath(webhook, "/deliveries?limit=1")), more = known.complete ? "" : "+";
      return { pending: known.pending + more, dead: known.dead + more, isFailing: Boolean(known.failingSince) && !webhook.disabled };
    } catch (error) {
      if (error.status !== 404 || left === 0) throw error;
      await pause(KNOWN_POLL_MS);
    }
  }
}

export const statisticsOf = webhook => api("GET", webhookPath(webhook, "/statistics"));

// In words; of headers the names, of a filter the members that it has.
export const membersText = ({ headers, signatures, filter, rateLimit }) => [
  headers && `Headers: ${headers.map(header => header.name).join(", ")}`,
  signatures && `Signatures: ${signatures.join(", ")}`,
  Object.keys(filter ?? {}).length && `Filter: ${Object.keys(filter).join(", ")}`,
  rateLimit && `At most ${rateLimit} a second`,
].filter(text => text);

export function stateOf(webhook, name) {
  const state = element("span");
  const show = name => Object.assign(state, { className: `state ${name}`, textContent: STATE_TEXTS[name] });
  show(webhook.disabled ? "disabled" : name ?? "quiet");
  return { state, show };
}

const urlCell = webhook => cell("URL", [
  breakableLink(hashOf("webhooks", webhook.id), webhook.url, urlOf),
  ...(webhook.description ? [element("p", {}, webhook.description)] : []),
  element("ul", { className: "help" }, ...membersText(webhook).map(text => element("li", {}, text))),
], "url");

function addRow(webhook, states) {
  const { state, show } = stateOf(webhook, states.get(webhook.id));
  const pending = cell("Pending", "…", "number"), dead = cell("Dead", "…", "number"), day = cell("Last 24 hours", "…", "day");
  const events = element("ul", {}, ...webhook.events.map(event => element("li", {}, typeOf(event))));
  $("rows").append(row([urlCell(webhook), cell("Events", events), cell("State", state), pending, dead, day, cell("Actions", actionsOf(webhook), "actions")]));
  $("rows").lastChild.dataset.id = webhook.id;
  return async () => {
    if (!state.isConnected) return; // the list was shown anew meanwhile
    const [counts, statistics] = await Promise.all([countsOf(webhook), statisticsOf(webhook)]);
    pending.textContent = counts.pending;
    dead.textContent = counts.dead;
    day.replaceChildren(sparkline(statistics));
    if (counts.isFailing) show("failing");
  };
}

// The same button of the same webhook in the new list: who uses the keyboard goes on there.
function focusAgain(button) {
  const again = [...$("rows").children].find(row => row.dataset.id === button.closest("tr").dataset.id);
  (again?.querySelectorAll("button")[[...button.parentElement.children].indexOf(button)] ?? $("main")).focus({ preventScroll: true });
}

async function showPage(signal, cursor) {
  const query = { limit: PAGE_SIZE, ...(cursor && { cursor }) };
  const [page, states] = await Promise.all([list("/v1/webhooks", query), newestStates()]);
  if (signal?.aborted) return;
  const focused = document.activeElement.closest("#rows button");
  if (!cursor) $("rows").replaceChildren();
  const counts = page.data.map(webhook => addRow(webhook, states));
  if (focused && !cursor) focusAgain(focused);
  nextCursor = page.nextCursor;
  $("more").hidden = !nextCursor;
  $("none").hidden = $("rows").childElementCount > 0;
  for (const fill of counts) await fill(); // one row after the other: the gateway has others to serve
}

export const clearWebhooks = () => $("rows").replaceChildren();

addView("webhooks", { section: "webhooks", title: "Webhooks", open: ({ signal }) => showPage(signal) });

$("create").addEventListener("click", () => edit());
$("refresh").addEventListener("click", event => reload("", event.currentTarget));
$("more").addEventListener("click", event => run(event.currentTarget, () => showPage(null, nextCursor)));

// One webhook: its last 24 hours, its last failures, and what can be done with it.

import { api, webhookPath } from "./api.js";
import { charts } from "./chart.js";
import { $, breakableLink, copyButton, element, idOf, link, narrow, typeOf, urlOf } from "./dom.js";
import { attemptStep } from "./timeline.js";
import { addView, hashOf, reload } from "./views.js";
import { actionsOf } from "./webhook_actions.js";
import { countsOf, membersText, newestStates, stateOf, statisticsOf } from "./webhooks.js";
import { count, milliseconds, successRate } from "./words.js";

const tile = (name, value, className = "") => element("div", {}, element("dt", {}, name), element("dd", { className }, value));

function tiles(webhook, statistics, counts) {
  const { durationMs, succeeded, failed } = statistics;
  const filtered = (status, number) => link(hashOf("deliveries", undefined, { webhookId: webhook.id, status }), number);
  return [
    tile("Success rate", successRate(statistics) || "–", failed ? "" : "good"),
    tile("Attempts", (succeeded + failed).toLocaleString("en")),
    tile("Failed", failed.toLocaleString("en"), failed ? "bad" : ""),
    tile("Latency, p50", durationMs ? milliseconds(durationMs.p50) : "–"),
    tile("Latency, p99", durationMs ? milliseconds(durationMs.p99) : "–"),
    tile("Pending now", filtered("pending", counts.pending)),
    tile("Dead", filtered("dead", counts.dead)),
  ];
}

function failureOf({ type, timestamp, data }) {
  const about = [breakableLink(hashOf("story", data.deliveryId), data.eventType, typeOf), ...(data.subject ? [" about ", idOf(data.subject)] : [])];
  return attemptStep({ type, timestamp, data }, about);
}

function showAbout(webhook, state) {
  $("webhook-url").replaceChildren(urlOf(webhook.url));
  $("webhook-about").replaceChildren(state, ...[...webhook.events, ...membersText(webhook)].map(text => element("span", { className: "tag" }, text)));
  $("webhook-description").textContent = webhook.description ?? "";
  $("webhook-id").replaceChildren(idOf(webhook.id), " ", copyButton(webhook.id, "the webhook's id"));
  $("webhook-actions").replaceChildren(...actionsOf(webhook));
  $("webhook-deliveries").href = hashOf("deliveries", undefined, { webhookId: webhook.id });
}

async function open({ id, signal }) {
  const webhook = await api("GET", webhookPath({ id }));
  const [statistics, counts, states] = await Promise.all([statisticsOf(webhook), countsOf(webhook), newestStates()]);
  if (signal.aborted) return;
  const { state, show } = stateOf(webhook, states.get(webhook.id));
  if (counts.isFailing) show("failing");
  showAbout(webhook, state);
  $("webhook-tiles").replaceChildren(...tiles(webhook, statistics, counts));
  $("webhook-charts").replaceChildren(...charts(statistics));
  $("webhook-failures").replaceChildren(...statistics.failures.map(failureOf));
  $("webhook-none").textContent = statistics.failures.length ? `The last ${count(statistics.failures.length, "failed attempt")}, newest first.` : "No attempt has failed.";
}

export function clearWebhook() {
  $("webhook-url").textContent = "Webhook";
  for (const part of ["about", "description", "id", "actions", "tiles", "charts", "failures", "none"]) $(`webhook-${part}`).replaceChildren();
}

addView("webhooks/", { section: "webhook", title: "Webhook", open: request => {
  if ($("webhook").dataset.id !== request.id) clearWebhook();
  $("webhook").dataset.id = request.id;
  return open(request);
} });

narrow.addEventListener("change", () => { if (!$("webhook").hidden) reload(); });
$("webhook-refresh").addEventListener("click", event => reload("", event.currentTarget));

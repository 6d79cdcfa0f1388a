// The table of deliveries, with filters. Its end is filled while one scrolls to it.

import { list } from "./api.js";
import { $, cell, element, idOf, link, narrow, row, run, typeOf, urlOf } from "./dom.js";
import { timeOf } from "./times.js";
import { addView, hashOf } from "./views.js";
import { webhookNames } from "./webhook_names.js";
import { answered, count, STATUS_TEXTS, statusClass, visible } from "./words.js";

const PAGE_SIZE = 500, SEARCHES_MAX = 20; // answers without an item, until one is asked whether to go on
const CHUNK = 50; // rows that are made at once, and that the browser skips together while they are out of sight
const FILTERS = ["status", "webhookId", "httpStatus", "subject", "commandId", "eventId", "from", "to"], TIMES = ["from", "to"];

let next = null; // { query, cursor, signal, isLoading }: what to ask for more; null at the end

const breath = () => new Promise(resolve => setTimeout(resolve));

// --- Rows ---

const lastOf = ({ lastStatus, lastReason }) => answered({ status: lastStatus, reason: lastReason });

function deliveryRow(delivery, names) {
  const url = names.get(delivery.webhookId);
  return row([
    cell("Recorded", link(hashOf("story", delivery.id), timeOf(delivery.createdAt) || "Before this history")),
    cell("State", element("span", { className: statusClass(delivery.status) }, STATUS_TEXTS[delivery.status] ?? visible(delivery.status))),
    cell("Event", typeOf(delivery.eventType)),
    cell("About", delivery.subject ? idOf(delivery.subject) : ""),
    cell("Webhook", url === undefined ? idOf(delivery.webhookId) : urlOf(url), "url"),
    cell("Attempts", String(delivery.attemptCount), "number"),
    cell("Last answer", lastOf(delivery)),
  ]);
}

async function append(deliveries, names, signal) {
  for (let from = 0; from < deliveries.length && !signal.aborted; from += CHUNK) {
    const rows = deliveries.slice(from, from + CHUNK).map(delivery => deliveryRow(delivery, names));
    $("delivery-table").append(element("tbody", { role: "rowgroup" }, ...rows));
    await breath();
  }
}

// --- Pages ---

const rowCount = () => $("delivery-table").querySelectorAll("tbody tr").length;

function tellCount(completeSince) {
  const rows = rowCount(), known = Date.parse(completeSince) > 0 ? [" This gateway knows of all since ", timeOf(completeSince), "."] : [];
  const text = rows ? `${count(rows, "delivery", "deliveries")}${next ? ", and there may be more." : "."}` : next ? "None found yet: there is more to search." : "No delivery matches.";
  $("delivery-count").replaceChildren(text, ...known);
  if (!next && document.activeElement === $("delivery-more")) $("delivery-end").focus();
  $("delivery-more").hidden = !next;
  $("delivery-more").textContent = rows ? "More" : "Search further back";
}

// The next items; an answer may have none of them and a cursor all the same.
async function nextItems({ query, cursor }) {
  let page, searches = 0;
  do {
    page = await list("/v1/deliveries", { limit: PAGE_SIZE, ...query, ...(cursor && { cursor }) });
    cursor = page.nextCursor;
  } while (!page.data.length && cursor && ++searches < SEARCHES_MAX);
  return page;
}

async function more() {
  const asked = next;
  if (!asked || asked.isLoading) return;
  asked.isLoading = true;
  try {
    const [page, names] = await Promise.all([nextItems(asked), webhookNames()]);
    await append(page.data, names, asked.signal);
    if (asked.signal.aborted) return;
    next = page.nextCursor ? { ...asked, cursor: page.nextCursor, isLoading: false } : null;
    tellCount(page.completeSince);
  } finally {
    asked.isLoading = false;
  }
}

// --- Filters: what the address says is what the form has ---

const field = name => $(`query-${name}`);
const localOf = text => new Date(Date.parse(text) - new Date(text).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

function fillForm(query) {
  for (const name of FILTERS) {
    const value = query.get(name) ?? "";
    field(name).value = TIMES.includes(name) && !Number.isNaN(Date.parse(value)) ? localOf(value) : value;
  }
}

function queryOf() {
  const given = FILTERS.map(name => [name, field(name).value.trim()]).filter(([, value]) => value);
  return Object.fromEntries(given.map(([name, value]) => [name, TIMES.includes(name) ? new Date(value).toISOString() : value]));
}

// `chosen` may be one that was deleted.
async function offerWebhooks(chosen) {
  const names = new Map(await webhookNames());
  if (chosen && !names.has(chosen)) names.set(chosen, chosen);
  const options = [...names].map(([id, url]) => element("option", { value: id }, url));
  field("webhookId").replaceChildren(element("option", { value: "" }, "Any"), ...options);
}

async function open({ query, signal }) {
  await offerWebhooks(query.get("webhookId"));
  if (signal.aborted) return;
  fillForm(query);
  $("filter-box").open = !narrow.matches || FILTERS.some(name => query.has(name));
  clearDeliveries();
  next = { query: Object.fromEntries(FILTERS.filter(name => query.has(name)).map(name => [name, query.get(name)])), signal };
  await more();
}

export function clearDeliveries() {
  next = null;
  for (const rows of $("delivery-table").querySelectorAll("tbody")) rows.remove();
  $("delivery-count").replaceChildren();
  $("delivery-more").hidden = true;
}

addView("deliveries", { section: "deliveries", title: "Deliveries", open });

$("filter-form").addEventListener("submit", event => {
  event.preventDefault();
  const hash = hashOf("deliveries", undefined, queryOf());
  if (location.hash === hash) dispatchEvent(new Event("hashchange"));
  else location.hash = hash;
});
$("delivery-more").addEventListener("click", event => run(event.currentTarget, more));
new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && run(null, more), { rootMargin: "1500px" }).observe($("delivery-more"));

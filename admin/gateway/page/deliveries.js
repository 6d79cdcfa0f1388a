// The table of deliveries, with filters. Its end is filled while one scrolls to it.

import { list } from "./api.js";
import { $, cell, element, idOf, link, narrow, pause, row, run, typeOf } from "./dom.js";
import { timeOf } from "./times.js";
import { addView, hashOf } from "./views.js";
import { webhookNames } from "./webhook_names.js";
import { answered, count, STATUS_TEXTS, statusClass, visible } from "./words.js";

const PAGE_SIZE = 500, SEARCHES_MAX = 20; // answers without an item, until one is asked whether to go on
const PART = 50, SLICE = 10; // rows of a tbody, and those that are made at once
const NEAR = "3000px"; // before and behind the window
const FILTERS = ["status", "webhookId", "httpStatus", "subject", "commandId", "eventId", "from", "to"], TIMES = ["from", "to"];

let next = null; // { query, cursor, signal, isLoading }: what to ask for more; null at the end

// --- Rows ---

const lastOf = ({ lastStatus, lastReason }) => answered({ status: lastStatus, reason: lastReason });

function deliveryRow(delivery, names, number) {
  return row([
    cell("Recorded", link(hashOf("story", delivery.id), timeOf(delivery.createdAt) || "Before this history")),
    cell("State", element("span", { className: statusClass(delivery.status) }, STATUS_TEXTS[delivery.status] ?? visible(delivery.status))),
    cell("Event", typeOf(delivery.eventType)),
    cell("About", delivery.subject ? idOf(delivery.subject) : ""),
    cell("Webhook", names.get(delivery.webhookId) ?? idOf(delivery.webhookId), "url"),
    cell("Attempts", String(delivery.attemptCount), "number"),
    cell("Last answer", lastOf(delivery)),
  ], { ariaRowIndex: number });
}

// --- Parts: those near the window have their rows, the others keep their height ---

const parts = new Map(); // tbody: { deliveries, names, first, isNear }; first: the number of deliveries before it
let filling = Promise.resolve(); // one part after the other
let rowHeight = 60; // in px, as last measured: of parts that had no rows yet

// The row of a table's head is its first.
function fillSlice(part, { deliveries, names, first }) {
  const from = part.rows.length, slice = deliveries.slice(from, from + SLICE);
  part.append(...slice.map((delivery, n) => deliveryRow(delivery, names, first + from + n + 2)));
}

async function fill(part) {
  const content = parts.get(part);
  while (content?.isNear && part.rows.length < content.deliveries.length) {
    await pause(0);
    if (content.isNear) fillSlice(part, content);
  }
  if (content?.isNear) part.style.height = "";
}

// Not the one that has the focus: it would be lost.
function empty(part, height) {
  if (!part.rows.length || part.contains(document.activeElement)) return;
  rowHeight = height / parts.get(part).deliveries.length;
  part.style.height = `${height}px`;
  part.replaceChildren();
}

const observer = new IntersectionObserver(entries => {
  for (const { target, isIntersecting, boundingClientRect } of entries) {
    if (!parts.has(target)) continue;
    parts.get(target).isNear = isIntersecting;
    if (isIntersecting) filling = filling.then(() => fill(target));
    else empty(target, boundingClientRect.height);
  }
}, { rootMargin: NEAR });

const rowCount = () => [...parts.values()].reduce((sum, { deliveries }) => sum + deliveries.length, 0);

function append(all, names) {
  const before = rowCount();
  for (let from = 0; from < all.length; from += PART) {
    const deliveries = all.slice(from, from + PART), part = element("tbody", { role: "rowgroup" });
    part.style.height = `${deliveries.length * rowHeight}px`;
    parts.set(part, { deliveries, names, first: before + from, isNear: false });
    $("delivery-table").append(part);
    observer.observe(part);
  }
}

// --- Pages ---

function tellCount(completeSince) {
  const rows = rowCount(), known = Date.parse(completeSince) > 0 ? [" This gateway knows of all since ", timeOf(completeSince), "."] : [];
  const text = rows ? `${count(rows, "delivery", "deliveries")}${next ? ", and there may be more." : "."}` : next ? "None found yet: there is more to search." : "No delivery matches.";
  $("delivery-count").replaceChildren(text, ...known);
  $("delivery-table").ariaRowCount = next ? -1 : rows + 1;
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
    if (asked.signal.aborted) return;
    append(page.data, names);
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
  observer.disconnect();
  for (const part of parts.keys()) part.remove();
  parts.clear();
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

// The search, and the story that it finds: each command that has to do with the id, its deliveries, and every attempt of them.

import { api, deliveryPath, list, listAll, orNull } from "./api.js";
import { $, breakableLink, button, copyButton, element, idOf, link, pause, run, typeOf, urlOf } from "./dom.js";
import { commandStep, deliveryStep, isOfDelivery } from "./timeline.js";
import { preciseTimeOf, timeOf } from "./times.js";
import { addView, hashOf, reload } from "./views.js";
import { webhookNames } from "./webhook_names.js";
import { count, STATUS_TEXTS, statusClass, visible } from "./words.js";

const COMMANDS_SHOWN = 20, EVENTS_SEARCHED = 200;
const KNOWN_POLL_MS = 200, KNOWN_TRIES = 25;
const SOON_MS = 15_000, POLL_SOON_MS = 1000, POLL_MS = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

let shownText = ""; // what is shown, as text: it is not drawn again while nothing changes

// --- Finding it ---

// The ids of the commands, newest first; the delivery, where the id is one's.
async function searchFor(id) {
  const queries = [{ commandId: id }, { subject: id }, ...(UUID.test(id) ? [{ eventId: id }] : [])];
  const [delivery, ...found] = await Promise.all([
    UUID.test(id) ? orNull(api("GET", deliveryPath(id))) : null, ...queries.map(query => listAll("/v1/events", { limit: EVENTS_SEARCHED, ...query }, EVENTS_SEARCHED)),
  ]);
  const commands = [delivery?.commandId, ...found.flat().map(event => event.commandId)].filter(command => command);
  return { delivery, commands: [...new Set(commands)] };
}

async function tellCommand(commandId) {
  const [events, deliveries] = await Promise.all([listAll("/v1/events", { commandId }), listAll("/v1/deliveries", { commandId })]);
  return { commandId, events: events.reverse(), deliveries: deliveries.reverse() };
}

// Of a delivery whose command is not known, what its own record tells.
function tellDelivery(delivery) {
  const events = delivery.attempts.map((attempt, i) => ({
    type: attempt.reason ? "WEBHOOK_EVENT_RETRY" : "WEBHOOK_EVENT_PROCESS_SUCCESS", timestamp: attempt.at, data: { ...attempt, attempt: i + 1, deliveryId: delivery.id },
  }));
  return { events, deliveries: [delivery] };
}

async function load(id) {
  const { delivery, commands } = await searchFor(id);
  const stories = await Promise.all(commands.slice(0, COMMANDS_SHOWN).map(tellCommand));
  if (!stories.length && delivery) stories.push(tellDelivery(delivery));
  return { id, names: [...await webhookNames()], stories: stories.reverse(), isCut: commands.length > COMMANDS_SHOWN };
}

// --- Showing it ---

const RESEND_TEXTS = { pending: "Send now", dead: "Send again", succeeded: "Send again" };

// The history is a moment behind the answer. One that is due already does not change.
async function awaitChange(delivery) {
  for (let left = KNOWN_TRIES; left; left--) {
    const { status, attemptCount, nextAttemptAt } = await api("GET", deliveryPath(delivery.id));
    if (status !== delivery.status || attemptCount !== delivery.attemptCount || nextAttemptAt !== delivery.nextAttemptAt) return;
    await pause(KNOWN_POLL_MS);
  }
}

function resend(delivery, made) {
  return run(made, async () => {
    await api("POST", deliveryPath(delivery.id, "/resend"));
    await awaitChange(delivery);
    await reload("The delivery is due: it is sent now.");
  });
}

const resendButton = delivery => button(RESEND_TEXTS[delivery.status], made => resend(delivery, made), {
  ariaLabel: `${RESEND_TEXTS[delivery.status]}: delivery ${delivery.id}`, className: delivery.status === "dead" ? "main" : "",
});

const stateOf = ({ status }) => element("span", { className: statusClass(status) }, STATUS_TEXTS[status] ?? visible(status));

function webhookLink({ webhookId }, names) {
  const url = names.get(webhookId);
  return url === undefined ? element("span", { className: "quiet" }, "a webhook that was deleted, ", idOf(webhookId)) : breakableLink(hashOf("webhooks", webhookId), url, urlOf);
}

function deliveryCard(delivery, events, begun, names) {
  const title = element("h4", {}, stateOf(delivery), " ", typeOf(delivery.eventType), " to ", webhookLink(delivery, names));
  const facts = element("p", { className: "help" }, "Delivery ", idOf(delivery.id), " ", copyButton(delivery.id, "the delivery's id"), ` · ${count(delivery.attemptCount, "attempt")}`,
    ...(delivery.eventId ? [" · event ", idOf(delivery.eventId)] : []), ...(delivery.nextAttemptAt ? [" · next attempt ", preciseTimeOf(delivery.nextAttemptAt)] : []));
  const steps = element("ol", { className: "timeline" }, ...events.map(event => deliveryStep(event, begun)));
  const can = delivery.status in RESEND_TEXTS ? [resendButton(delivery)] : [];
  return element("article", { className: "card", data: { id: delivery.id } }, element("div", { className: "bar" }, title, ...can), facts, steps);
}

function commandCard({ commandId, events, deliveries }, names) {
  const begun = events[0]?.timestamp, subject = deliveries.find(delivery => delivery.subject)?.subject;
  const what = events.some(event => event.type.startsWith("OPENID_CREDENTIAL")) ? "Credential " : "About ";
  const title = element("h3", {}, ...(subject ? [what, idOf(subject), " "] : ["Command "]), ...(begun ? [timeOf(begun)] : []));
  const facts = commandId ? [element("p", { className: "help" }, "Command ", idOf(commandId), " ", copyButton(commandId, "the command's id"))] : [];
  const steps = events.filter(event => !isOfDelivery(event)).map(event => commandStep(event, begun));
  const cards = deliveries.map(delivery => deliveryCard(delivery, events.filter(event => isOfDelivery(event) && event.data.deliveryId === delivery.id), begun, names));
  return element("section", { className: "command" }, title, ...facts, element("ol", { className: "timeline" }, ...steps), ...cards);
}

function summaryOf(stories) {
  const deliveries = stories.flatMap(story => story.deliveries);
  const counts = Object.keys(STATUS_TEXTS).map(status => [deliveries.filter(delivery => delivery.status === status).length, status]).filter(([number]) => number);
  return `${count(deliveries.length, "delivery", "deliveries")}${counts.length ? `: ${counts.map(([number, status]) => `${number} ${status}`).join(", ")}` : ""}.`;
}

async function showNothing(id) {
  const [{ completeSince }, names] = await Promise.all([list("/v1/events", { limit: 1 }), webhookNames()]);
  const known = Date.parse(completeSince) > 0 ? [" This gateway knows of all since ", timeOf(completeSince), "."] : [];
  const webhook = names.has(id) ? [" It is the id of a webhook: ", link(hashOf("webhooks", id), names.get(id)), "."] : [];
  $("story-list").replaceChildren(element("p", { className: "empty" }, "Nothing is known of ", idOf(id), ".", ...webhook, ...known,
    " Search for a credential's id, a command's, a delivery's (its webhook-id) or an event's, as it is written there."));
}

// What has the focus in the old list has it in the new one.
function replaceKeepingFocus(cards) {
  const focused = document.activeElement, card = focused.closest?.("#story-list [data-id]");
  const index = card && [...card.querySelectorAll("a, button")].indexOf(focused);
  $("story-list").replaceChildren(...cards);
  if (card) [...document.querySelectorAll("#story-list [data-id]")].find(each => each.dataset.id === card.dataset.id)?.querySelectorAll("a, button")[index]?.focus({ preventScroll: true });
}

function draw({ id, names, stories, isCut }) {
  $("story-about").textContent = stories.length ? summaryOf(stories) : "";
  if (isCut) $("story-about").append(` The newest ${COMMANDS_SHOWN} commands; `, link(hashOf("deliveries", undefined, { subject: id }), "all deliveries are in the list"), ".");
  replaceKeepingFocus(stories.map(story => commandCard(story, new Map(names))));
}

async function show(id, signal) {
  const found = await load(id), text = JSON.stringify(found);
  if (signal.aborted) return found;
  if (text !== shownText) {
    shownText = text;
    draw(found);
    if (!found.stories.length) await showNothing(id);
  }
  return found;
}

// --- Following it until each delivery has ended ---

async function follow(found, signal) {
  for (;;) {
    const waiting = found.stories.flatMap(story => story.deliveries).filter(delivery => delivery.status === "pending");
    if (!waiting.length) return;
    const isSoon = waiting.some(({ nextAttemptAt }) => !nextAttemptAt || Date.parse(nextAttemptAt) - Date.now() < SOON_MS);
    await pause(isSoon ? POLL_SOON_MS : POLL_MS);
    if (signal.aborted) return;
    if (document.visibilityState === "visible") found = await show(found.id, signal).catch(() => found);
  }
}

async function open({ id, signal }) {
  if ($("story-id").textContent !== visible(id)) clearStory();
  $("story-id").textContent = visible(id);
  $("search-id").value = id;
  follow(await show(id, signal), signal);
}

export function clearStory() {
  shownText = "";
  for (const part of ["id", "about", "list"]) $(`story-${part}`).replaceChildren();
}

addView("story", { section: "story", title: "Story", open });

$("story-refresh").addEventListener("click", event => reload("", event.currentTarget));

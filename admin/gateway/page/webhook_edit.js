// The dialog that makes and changes a webhook.

import { api, webhookPath } from "./api.js";
import { $, complainIn, open, run } from "./dom.js";
import { reload } from "./views.js";
import { forgetWebhookNames } from "./webhook_names.js";

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

const isBuiltIn = type => [...$("edit-form").elements.events].some(box => box.value === type);

// Everything but its id: an update replaces all of a webhook, also members that this page does not know.
export const membersOf = ({ id, ...members } = {}) => members;

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

export function edit(webhook) {
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
    forgetWebhookNames();
    $("edit").close();
    await reload(webhook ? "The webhook was changed." : "The webhook was created.");
  }, error => {
    complainIn($("edit"))(error);
    markInvalid(event.target, error.params ?? []);
  });
});

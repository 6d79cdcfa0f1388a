// The page of a tenant's webhooks. It knows what the API says and nothing else; all that comes from there is put in as text.

import { forgetToken, hasToken, keepToken, takeToken } from "./api.js";
import { clearDeliveries } from "./deliveries.js";
import { $, run, say } from "./dom.js";
import { tenantId } from "./keys.js";
import { clearStory } from "./story.js";
import { followAddress, hashOf, hideViews, showView } from "./views.js";
import { forgetWebhookNames } from "./webhook_names.js";
import { clearWebhook } from "./webhook.js";
import { clearWebhooks } from "./webhooks.js";

function show(entered) {
  $("enter").hidden = entered;
  for (const part of ["search", "views"]) $(part).hidden = !entered;
  if (!entered) $("who").hidden = true;
}

async function enter() {
  show(true);
  await showView();
  keepToken();
  $("token").value = "";
  $("tenant").textContent = await tenantId() ?? "";
  $("who").hidden = false;
}

function leave() {
  forgetToken();
  forgetWebhookNames();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  hideViews();
  for (const clear of [clearWebhooks, clearWebhook, clearDeliveries, clearStory]) clear();
  show(false);
  say("");
  $("token").focus();
}

$("enter-form").addEventListener("submit", event => {
  event.preventDefault();
  takeToken($("token").value.trim());
  run(event.submitter, async () => {
    const entering = enter();
    $("main").focus({ preventScroll: true }); // the field that had it is hidden now
    await entering;
    say("");
  });
});

$("search").addEventListener("submit", event => {
  event.preventDefault();
  const id = $("search-id").value.trim();
  if (!id) return;
  const hash = hashOf("story", id);
  if (location.hash === hash) run(event.submitter, showView);
  else location.hash = hash;
});

// Their addresses are no views.
for (const skip of document.querySelectorAll("a.skip"))
  skip.addEventListener("click", event => {
    event.preventDefault();
    document.querySelector(skip.hash).focus();
  });

document.addEventListener("token-refused", leave);
$("leave").addEventListener("click", leave);
followAddress();

if (hasToken()) run(null, enter);
else show(false);

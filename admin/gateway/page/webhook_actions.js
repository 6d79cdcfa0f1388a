// What can be done with a webhook, and the dialogs for it.

import { api, deliveryPath, orNull, webhookPath } from "./api.js";
import { $, button, complainIn, copy, open, pause, run } from "./dom.js";
import { time } from "./times.js";
import { hashOf, leaveFor, reload } from "./views.js";
import { edit, membersOf } from "./webhook_edit.js";
import { forgetWebhookNames } from "./webhook_names.js";
import { answered, milliseconds } from "./words.js";

const TEST_POLL_MS = 500, TEST_GIVE_UP_MS = 60_000;

const ACTIONS = [["Edit", edit], ["", toggle], ["Test", test], ["Recover", recover], ["Secret", showSecret], ["Delete", remove, "danger"]];

const hasSecret = webhook => webhook.signatures?.includes("standard-webhooks-hmac") ?? false;

export function actionsOf(webhook) {
  return ACTIONS.filter(([, action]) => action !== showSecret || hasSecret(webhook)).map(([name, action, className = ""]) => {
    const text = name || (webhook.disabled ? "Enable" : "Disable");
    return button(text, made => action(webhook, made), { className, ariaLabel: `${text} ${webhook.url}` });
  });
}

function toggle(webhook, made) {
  const disabled = !webhook.disabled;
  run(made, async () => {
    await api("PUT", webhookPath(webhook), { ...membersOf(webhook), disabled });
    await reload(disabled ? "The webhook is disabled: nothing is sent to it." : "The webhook is enabled.");
  });
}

function remove(webhook) {
  open($("remove"), webhook);
}

$("remove-yes").addEventListener("click", event => run(event.currentTarget, async () => {
  await api("DELETE", webhookPath($("remove").webhook));
  forgetWebhookNames();
  $("remove").close();
  await leaveFor(hashOf("webhooks"), "The webhook was deleted.");
}, complainIn($("remove"))));

async function loadSecret(webhook) {
  const { secret } = await api("GET", webhookPath(webhook, "/secret"));
  if ($("secret").webhook === webhook) $("secret-text").textContent = secret;
}

function showSecret(webhook, made) {
  $("secret-text").textContent = "";
  $("secret-said").textContent = "";
  open($("secret"), webhook);
  run(made, () => loadSecret(webhook), complainIn($("secret")));
}

$("secret-rotate").addEventListener("click", event => run(event.currentTarget, async () => {
  const { webhook } = $("secret");
  const { overlapUntil } = await api("POST", webhookPath(webhook, "/secret/rotate"));
  await loadSecret(webhook);
  $("secret-said").textContent = overlapUntil ? `A new secret. The former one signs, too, until ${time(overlapUntil)}.` : "A new secret.";
}, complainIn($("secret"))));

$("secret-copy").addEventListener("click", event => copy(event.currentTarget, $("secret-text").textContent));
$("secret").addEventListener("close", () => { $("secret-text").textContent = ""; });

function describe({ status, nextAttemptAt, attempts }) {
  const last = attempts.at(-1), took = `after ${milliseconds(last.durationMs)}`;
  if (status === "succeeded") return `Answered ${answered(last)} ${took}.`;
  return `Failed: ${answered(last)} ${took}. ${nextAttemptAt ? `The next attempt is at ${time(nextAttemptAt)}.` : "It is not tried again."}`;
}

async function awaitAttempt(dialog, id) {
  const until = Date.now() + TEST_GIVE_UP_MS;
  while (dialog.open && Date.now() < until) {
    const delivery = await orNull(api("GET", deliveryPath(id)));
    if (delivery?.attempts.length) return describe(delivery);
    await pause(TEST_POLL_MS);
  }
  return "No answer yet: look at the delivery later.";
}

function test(webhook, made) {
  const dialog = $("test");
  $("test-result").textContent = "Sending …";
  $("test-story").hidden = true;
  open(dialog, webhook);
  run(made, async () => {
    const { deliveryId } = await api("POST", webhookPath(webhook, "/test"));
    const result = await awaitAttempt(dialog, deliveryId);
    if (dialog.webhook !== webhook) return;
    $("test-result").textContent = result;
    $("test-story").hidden = false;
    $("test-story").href = hashOf("story", deliveryId);
  }, error => {
    $("test-result").textContent = "";
    complainIn(dialog)(error);
  });
}

$("test-story").addEventListener("click", () => $("test").close());
$("test").addEventListener("close", () => reload());

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
    await reload(`${deliveries} ${deliveries === 1 ? "delivery is" : "deliveries are"} due again.`);
  }, complainIn($("recover")));
});

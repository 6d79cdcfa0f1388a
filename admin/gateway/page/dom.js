// Elements, what is said to the person, and the dialogs. Whatever text is put in stays text.

import { visible } from "./words.js";

export const narrow = matchMedia("(max-width: 62rem)"); // as page.css has it: tables are cards
export const $ = id => document.getElementById(id);
export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

export function element(name, properties = {}, ...children) {
  const { data, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

const breakable = parts => element("span", {}, ...parts.flatMap(part => [part, element("wbr")]));
// A url may break behind what divides it, an event's type before a word of it.
export const urlOf = url => breakable(url.split(/(?<=[/?&])/));
export const typeOf = type => breakable(visible(type).split(/(?<=[a-z])(?=[A-Z])/));

// A cell tells its column: on a narrow screen its row is a card.
export function cell(label, content, className = "") {
  const made = element("td", { className, role: "cell", data: { label } });
  made.append(...[content ?? ""].flat());
  return made;
}

export const row = (cells, properties = {}) => element("tr", { role: "row", ...properties }, ...cells);

export const link = (hash, ...children) => element("a", { href: hash }, ...children);
// Of a text that may break: its name is whole.
export const breakableLink = (hash, text, parts) => element("a", { href: hash, ariaLabel: visible(text) }, parts(text));
export const idOf = id => element("code", {}, visible(id));

export function button(text, action, properties = {}) {
  const made = element("button", { type: "button", ...properties }, text);
  made.addEventListener("click", () => action(made));
  return made;
}

export function copyButton(text, what) {
  return button("Copy", made => copy(made, text), { className: "small", ariaLabel: `Copy ${what}` });
}

export function say(text) {
  $("wrong").textContent = "";
  $("said").textContent = text;
}

export function complain(error) {
  if (error.status === 401) {
    document.dispatchEvent(new Event("token-refused"));
    $("wrong").textContent = "The token is not known, or was revoked.";
    return;
  }
  $("said").textContent = "";
  $("wrong").textContent = error.message;
}

// Runs what a button stands for; the button rests meanwhile, so that nothing is asked for twice. It is not disabled: it would lose the focus.
export async function run(made, work, failed = complain) {
  if (made?.ariaBusy === "true") return;
  if (made) made.ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    failed(error);
  } finally {
    if (made) made.ariaBusy = "false";
  }
}

export async function copy(made, text) {
  made.dataset.label ??= made.textContent; // what it says now may be what came of the last time
  try {
    await navigator.clipboard.writeText(text);
    made.textContent = "Copied";
  } catch {
    made.textContent = "Not allowed: select it and copy";
  }
  clearTimeout(made.relabel);
  made.relabel = setTimeout(() => { made.textContent = made.dataset.label; }, 2000);
}

export function open(dialog, webhook) {
  dialog.querySelector(".error").textContent = "";
  const url = dialog.querySelector(":scope code");
  if (url && webhook) url.textContent = webhook.url;
  dialog.webhook = webhook;
  dialog.showModal();
}

// An error is shown where it was made; a token that is not known ends everything.
export const complainIn = dialog => error => {
  if (error.status === 401) {
    dialog.close();
    complain(error);
    return;
  }
  dialog.querySelector(".error").textContent = error.message;
};

for (const dialog of document.querySelectorAll("dialog"))
  for (const closing of dialog.querySelectorAll("[data-close]"))
    closing.addEventListener("click", () => dialog.close());

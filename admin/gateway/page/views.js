// Which view is shown. What stands behind "#" in the address says it, so that it can be kept, sent, and gone back to; the server never sees it.

import { $, run, say } from "./dom.js";

const views = new Map();
let shown = null; // { view, request, controller }

// `view`: { section, title, open(request) }. A request is { id, query, signal }; a view looks at the signal before it shows what came late.
export const addView = (name, view) => views.set(name, view);

export function hashOf(name, id, query) {
  const text = new URLSearchParams(query).toString();
  return `#/${name}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${text && `?${text}`}`;
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function parse(hash) {
  const [path, ...query] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...id] = path.split("/").map(decoded);
  return { name: id.length && views.has(`${name}/`) ? `${name}/` : name, id: id.join("/"), query: new URLSearchParams(query.join("?")) };
}

function mark(name) {
  for (const link of document.querySelectorAll("#views a")) {
    const isHere = link.hash.slice(2).split("/")[0] === name.replace("/", "");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

export function hideViews() {
  shown?.controller.abort();
  shown = null;
  for (const view of views.values()) $(view.section).hidden = true;
}

// Returns when the view has what it shows.
export async function showView() {
  const { name, id, query } = parse(location.hash);
  const view = views.get(name) ?? views.get("webhooks");
  hideViews();
  shown = { view, request: { id, query, signal: null }, controller: null };
  $(view.section).hidden = false;
  document.title = `${view.title} · posthorn`;
  mark(views.has(name) ? name : "webhooks");
  await reopen();
}

function reopen() {
  shown.controller?.abort();
  shown.controller = new AbortController();
  shown.request.signal = shown.controller.signal;
  return shown.view.open({ ...shown.request });
}

// The focus goes to the view's heading: who hears the page is told where it is.
export function followAddress() {
  addEventListener("hashchange", () => {
    if (!shown || !/^(#\/|$)/.test(location.hash)) return;
    say("");
    run(null, showView);
    $(shown.view.section).querySelector("h2").focus({ preventScroll: true });
    scrollTo(0, 0);
  });
}

// Shows the view anew, and says what happened.
export const reload = (text = "", made = null) => run(made, async () => {
  if (!shown) return;
  await reopen();
  say(text);
});

// For the view at `hash`, where the open one shows what is gone.
export function leaveFor(hash, text) {
  if (location.hash === hash || location.hash === "") return reload(text);
  history.replaceState(null, "", hash);
  return run(null, async () => {
    await showView();
    say(text);
  });
}

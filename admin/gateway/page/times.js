// Times: relative to now, with the exact one beside.

import { element } from "./dom.js";

const TICK_MS = 10_000, SLICE = 200;
const UNITS = [["second", 1000], ["minute", 60_000], ["hour", 3_600_000], ["day", 86_400_000], ["month", 2_629_800_000], ["year", 31_557_600_000]];

const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const shortFormat = new Intl.DateTimeFormat([], { dateStyle: "short", timeStyle: "medium" });
const longFormat = new Intl.DateTimeFormat([], {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const hourFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });

const isTime = text => !Number.isNaN(Date.parse(text));
const formatted = (format, text) => isTime(text) ? format.format(new Date(text)) : String(text);

export const timeOfDay = text => formatted(hourFormat, text);
export const time = text => text ? formatted(shortFormat, text) : "";

// "3 minutes ago", "in 2 hours".
export function relative(text, now = Date.now()) {
  if (!isTime(text)) return "";
  const ms = Date.parse(text) - now;
  const [unit, size] = UNITS.findLast(([, least]) => Math.abs(ms) >= least) ?? UNITS[0];
  return relativeFormat.format(Math.trunc(ms / size), unit);
}

function made(format, text) {
  const ago = element("span", { className: "ago" }, relative(text));
  return element("time", { dateTime: text, title: String(text) }, ago, " ", element("span", { className: "exact" }, formatted(format, text)));
}

export const timeOf = text => text ? made(shortFormat, text) : "";
export const preciseTimeOf = text => text ? made(longFormat, text) : "";

// Those on the page go on. A slice at a time: a long table has hundreds.
async function tick() {
  const shown = [...document.getElementsByTagName("time")];
  for (let from = 0; from < shown.length; from += SLICE) {
    for (const each of shown.slice(from, from + SLICE)) {
      const now = relative(each.dateTime);
      if (each.firstChild.textContent !== now) each.firstChild.textContent = now;
    }
    await new Promise(resolve => requestIdleCallback(resolve));
  }
  setTimeout(tick, TICK_MS);
}

setTimeout(tick, TICK_MS);

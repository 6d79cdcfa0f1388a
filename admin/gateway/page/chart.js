// The charts of a webhook's last 24 hours. Each says in text what it shows; a table has all of its numbers.

import { cell, element, narrow, row } from "./dom.js";
import { timeOfDay } from "./times.js";
import { count, milliseconds, successRate } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600, NARROW_WIDTH = 340, HEIGHT = 180, LEFT = 52, RIGHT = 12, TOP = 10, BOTTOM = 24;
const SPARK = { width: 120, height: 28 };
const LABEL_EVERY = 6; // hours
const VISIBLE = 2; // what is not nothing is drawn that high at least

const hourOf = ({ from }) => timeOfDay(from);
const attemptsOf = ({ succeeded, failed }) => succeeded + failed;

let made = 0;

function shape(name, attributes, ...children) {
  const shaped = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) shaped.setAttribute(key, value);
  shaped.append(...children);
  return shaped;
}

// A picture with a title and a description, as one thing for a screen reader.
function picture(width, height, className, title, description, ...shapes) {
  const id = `chart-${++made}`;
  return shape("svg", { viewBox: `0 0 ${width} ${height}`, class: className, role: "img", "aria-labelledby": `${id} ${id}-more` },
    shape("title", { id }, title), shape("desc", { id: `${id}-more` }, description), ...shapes);
}

// 1, 2 or 5 times a power of ten, not less than the number.
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return [1, 2, 5, 10].map(times => times * power).find(round => round >= number);
}

// What failed stands on what succeeded, and is hatched: colour is not all that tells them apart.
function bar(hour, x, width, bottom, perAttempt) {
  const height = attempts => attempts ? Math.max(attempts * perAttempt, VISIBLE) : 0;
  const [succeeded, failed] = [height(hour.succeeded), height(hour.failed)];
  const text = `${hourOf(hour)}: ${hour.succeeded} succeeded, ${hour.failed} failed`;
  return shape("g", {}, shape("title", {}, text),
    shape("rect", { class: "succeeded", x, y: bottom - succeeded, width, height: succeeded }),
    shape("rect", { class: "failed", x, y: bottom - succeeded - failed, width, height: failed }),
    shape("rect", { class: "hatch", x, y: bottom - succeeded - failed, width, height: failed, fill: "url(#hatch)" }));
}

function bars(hours, area, most) {
  const step = area.width / hours.length, perAttempt = area.height / most;
  return hours.map((hour, i) => bar(hour, area.left + (i + .15) * step, .7 * step, area.top + area.height, perAttempt));
}

// What is drawn in, so wide that its text has its size on the screen.
function areaOf() {
  const whole = narrow.matches ? NARROW_WIDTH : WIDTH;
  return { whole, left: LEFT, top: TOP, width: whole - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
}

const middleOf = (i, hours, area) => area.left + (i + .5) * area.width / hours.length;

function frame(hours, ticks, area) {
  const lines = ticks.flatMap(({ at, text }) => [
    shape("line", { class: "grid", x1: area.left, x2: area.left + area.width, y1: at, y2: at }),
    shape("text", { class: "tick end", x: area.left - 8, y: at + 4 }, text),
  ]);
  const label = (i, text) => shape("text", { class: "tick middle", x: middleOf(i, hours, area), y: HEIGHT - 6 }, text);
  return [...lines, ...hours.flatMap((hour, i) => i % LABEL_EVERY ? [] : [label(i, hourOf(hour))]), label(hours.length - 1, "now")];
}

function attemptsChart({ hours, succeeded, failed }) {
  const area = areaOf();
  const busiest = hours.reduce((most, hour) => attemptsOf(hour) > attemptsOf(most) ? hour : most);
  const most = roundUp(attemptsOf(busiest));
  const ticks = [0, most / 2, most].filter(Number.isInteger)
    .map(number => ({ at: area.top + area.height * (1 - number / most), text: number.toLocaleString("en") }));
  const description = `${count(succeeded, "attempt")} succeeded and ${failed.toLocaleString("en")} failed; ` +
    `the most in an hour, ${attemptsOf(busiest).toLocaleString("en")}, from ${hourOf(busiest)} on. The table has each hour.`;
  return picture(area.whole, HEIGHT, "chart", "Attempts in each of the last 24 hours", description, ...frame(hours, ticks, area), ...bars(hours, area, most));
}

// A line for each run of hours that have attempts, and a mark at each of them.
function curve(name, points, mark) {
  const runs = points.reduce((all, point) => {
    if (!point) all.push([]);
    else all.at(-1).push(point);
    return all;
  }, [[]]);
  return shape("g", { class: name }, ...runs.filter(run => run.length > 1).map(run => shape("polyline", { points: run.join(" ") })), ...points.filter(Boolean).map(mark));
}

const dot = ([x, y]) => shape("circle", { cx: x, cy: y, r: 3 });
const square = ([x, y]) => shape("rect", { x: x - 3, y: y - 3, width: 6, height: 6 });

function latencyChart({ hours, durationMs }) {
  const area = areaOf();
  const all = hours.flatMap(hour => hour.durationMs ? [hour.durationMs.p50, hour.durationMs.p99] : []).map(ms => Math.max(ms, 1));
  const first = Math.floor(Math.log10(Math.min(...all))), last = Math.max(Math.ceil(Math.log10(Math.max(...all))), first + 1);
  const heightOf = ms => area.top + area.height * (1 - (Math.log10(Math.max(ms, 1)) - first) / (last - first));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => ({ at: heightOf(10 ** (first + i)), text: milliseconds(10 ** (first + i)) }));
  const points = name => hours.map((hour, i) => hour.durationMs && [middleOf(i, hours, area), heightOf(hour.durationMs[name])]);
  const description = `Half of all attempts took at most ${milliseconds(durationMs.p50)}, 99 of 100 at most ${milliseconds(durationMs.p99)}. The table has each hour.`;
  return picture(area.whole, HEIGHT, "chart", "Latency in each of the last 24 hours, p50 and p99", description,
    ...frame(hours, ticks, area), curve("p50", points("p50"), dot), curve("p99", points("p99"), square));
}

const legend = (...entries) => element("ul", { className: "legend" }, ...entries.map(([name, text]) => element("li", { className: name }, text)));

function table({ hours }) {
  const names = ["Hour", "Succeeded", "Failed", "p50", "p99"];
  const head = element("thead", { role: "rowgroup" }, row(names.map((name, i) => Object.assign(element("th", { role: "columnheader", className: i ? "number" : "" }, name), { scope: "col" }))));
  const lines = hours.map(hour => row([
    cell("Hour", hourOf(hour)), cell("Succeeded", hour.succeeded.toLocaleString("en"), "number"), cell("Failed", hour.failed.toLocaleString("en"), "number"),
    ...["p50", "p99"].map(name => cell(name, hour.durationMs ? milliseconds(hour.durationMs[name]) : "–", "number")),
  ]));
  return element("details", {}, element("summary", {}, "As a table"),
    element("table", { role: "table", className: "numbers" }, element("caption", { className: "unseen" }, "The last 24 hours"), head, element("tbody", { role: "rowgroup" }, ...lines)));
}

export function charts(statistics) {
  if (!attemptsOf(statistics)) return [element("p", { className: "empty" }, "No attempts in the last 24 hours.")];
  return [
    element("figure", {}, element("figcaption", {}, "Attempts an hour"), attemptsChart(statistics), legend(["succeeded", "Succeeded"], ["failed", "Failed"])),
    element("figure", {}, element("figcaption", {}, "Latency"), latencyChart(statistics), legend(["p50", "p50: half are faster"], ["p99", "p99: 1 of 100 is slower"])),
    table(statistics),
  ];
}

// For a row of a list: the rate, and the hours' bars.
export function sparkline(statistics) {
  const { hours, succeeded, failed } = statistics;
  if (!attemptsOf(statistics)) return element("span", { className: "quiet" }, "No attempts");
  const area = { left: 0, top: 1, width: SPARK.width, height: SPARK.height - 1 };
  const most = Math.max(...hours.map(attemptsOf));
  const drawn = picture(SPARK.width, SPARK.height, "spark", "The last 24 hours", `${count(succeeded, "attempt")} succeeded, ${failed.toLocaleString("en")} failed`,
    ...bars(hours, area, most));
  return element("div", { className: "sparkline" }, drawn, element("strong", { className: failed ? "" : "good" }, successRate(statistics)));
}

// The steps of a delivery, as a timeline tells them.

import { element } from "./dom.js";
import { preciseTimeOf } from "./times.js";
import { answered, milliseconds, visible } from "./words.js";

const RECORDED = "WEBHOOK_EVENT_RECEIVE", SUCCEEDED = "WEBHOOK_EVENT_PROCESS_SUCCESS", FAILED = "WEBHOOK_EVENT_RETRY", ENDED = "WEBHOOK_EVENT_PROCESS_FAIL",
  RESENT = "WEBHOOK_EVENT_RESEND";

const isAttempt = data => typeof data.durationMs === "number";

// Where it came from and how, in one line.
function wayOf({ durationMs, response }) {
  const tls = response?.tlsVersion, http = response?.httpVersion;
  return [
    isAttempt({ durationMs }) && `after ${milliseconds(durationMs)}`, response?.address && `from ${visible(response.address)}`,
    http && `HTTP/${visible(http)}`, tls && visible(tls),
  ].filter(text => text).join(" · ");
}

const since = (text, begun) => begun ? `+${((Date.parse(text) - Date.parse(begun)) / 1000).toFixed(3)} s` : "";

// `begun`: when the story began; absent where none is told.
function step(kind, title, { timestamp, begun }, ...more) {
  const when = element("p", { className: "when" }, preciseTimeOf(timestamp), ...(begun ? [" ", element("span", { className: "since" }, since(timestamp, begun))] : []));
  return element("li", { className: `step ${kind}` }, element("p", { className: "what" }, ...title), ...more, when);
}

function answerOf({ response, ...data }) {
  const way = wayOf({ response, ...data });
  return [
    ...(response?.body ? [element("pre", { className: "excerpt" }, visible(response.body))] : []),
    ...(way ? [element("p", { className: "help" }, way)] : []),
  ];
}

// Only while it lies ahead: one that was made is a step of its own.
const nextOf = data => Date.parse(data.nextAttemptAt) > Date.now() ? [element("p", { className: "help" }, "Next attempt ", preciseTimeOf(data.nextAttemptAt))] : [];

// One attempt: `about` stands in front of what was answered.
export function attemptStep({ type, timestamp, data, begun }, about) {
  const isGood = type === SUCCEEDED;
  const answer = element("strong", {}, answered(data) || (isGood ? "Succeeded" : "Failed"));
  return step(isGood ? "good" : "bad", [...about, ": ", answer], { timestamp: data.attemptedAt ?? timestamp, begun }, ...answerOf(data),
    ...(type === FAILED ? nextOf(data) : []));
}

// An event of a delivery. Attempts say their number.
export function deliveryStep({ type, timestamp, data }, begun) {
  if (isAttempt(data)) {
    const attempt = attemptStep({ type, timestamp, data, begun }, [`Attempt ${data.attempt}`]);
    if (type === ENDED) attempt.querySelector(".what").append(" ", element("span", { className: "tag bad" }, "Dead: not tried again"));
    return attempt;
  }
  const when = { timestamp, begun };
  if (type === RECORDED) return step("quiet", ["Recorded"], when);
  if (type === RESENT) return step("quiet", ["Sent again by a command"], when, ...nextOf(data));
  if (type === ENDED) return step("off", ["Withdrawn: ", element("strong", {}, answered(data) || "its webhook is gone")], when);
  return step("quiet", [visible(type)], when);
}

const ENDS = { START: "is received", SUCCESS: "is carried out", FAIL: "is refused" };
const COMMANDS = {
  OPENID_CREDENTIAL: "The issued credential", WEBHOOK_EVENT_PUBLISH: "The event", WEBHOOK_TEST: "The test", WEBHOOK_RECOVER: "The recovery",
  WEBHOOK_DELIVERY_RESEND: "The resending", WEBHOOK_CREATE: "The webhook's creation", WEBHOOK_UPDATE: "The webhook's update", WEBHOOK_DELETE: "The webhook's deletion",
};

// What the command's answer tells: how many deliveries follow, or why there are none.
function outcomeOf({ status, data, repeat }) {
  const deliveries = data?.deliveries;
  return [
    status && answered({ status }), typeof deliveries === "number" && (deliveries === 1 ? "1 delivery" : `${deliveries} deliveries`), data?.message && visible(data.message),
    repeat && "a repeat of an earlier answer",
  ].filter(text => text).join(" · ");
}

// An event of a command.
export function commandStep(event, begun) {
  const [, subject, end] = /^(\w+)_(START|SUCCESS|FAIL)$/.exec(event.type) ?? [];
  const text = end ? `${COMMANDS[subject] ?? visible(subject)} ${ENDS[end]}` : visible(event.type);
  const outcome = outcomeOf(event);
  return step(end === "FAIL" ? "bad" : end === "SUCCESS" ? "good" : "quiet", [text], { timestamp: event.timestamp, begun },
    ...(outcome ? [element("p", { className: "help" }, outcome)] : []));
}

export const isOfDelivery = ({ type, data }) => type.startsWith("WEBHOOK_EVENT_") && data?.deliveryId !== undefined;

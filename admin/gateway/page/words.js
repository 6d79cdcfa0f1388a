// What an endpoint answered, in words.

// Source: RFC 9110 section 15, RFC 6585, and the registry of HTTP status codes.
const PHRASES = {
  200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content", 205: "Reset Content", 206: "Partial Content",
  300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
  400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
  407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
  413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
  421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
  428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
  500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
  505: "HTTP Version Not Supported", 507: "Insufficient Storage", 508: "Loop Detected", 511: "Network Authentication Required",
};

// docs/deliveries.md says of each of these when an attempt has it.
const REASONS = {
  connect: "Connection refused, unreachable, or closed before an answer",
  timeout: "No answer in time",
  tls: "TLS failed: the certificate or the handshake",
  protocol: "The answer broke off, or was not HTTP/1",
  "no-address": "The name has no address that may be called",
  proxy: "The proxy did not pass the request on",
  internal: "A fault of the worker's",
  "webhook-disabled": "The webhook was disabled",
  "webhook-deleted": "The webhook was deleted",
};

const REDIRECTS = { from: 300, to: 399 };

export const statusText = status => PHRASES[status] ? `${status} ${PHRASES[status]}` : `Status ${status}`;

// Characters that are not seen, or that change how others are shown, by their numbers. The gateway has escaped those of ASCII already.
export const visible = text => String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu, found =>
  `\\u${found.codePointAt(0).toString(16).padStart(4, "0")}`);

// Of an attempt, or of a delivery's last one.
export function answered({ status, reason }) {
  if (reason && !/^status-\d+$/.test(reason)) return REASONS[reason] ?? visible(reason);
  if (!status) return "";
  const isRedirect = status >= REDIRECTS.from && status <= REDIRECTS.to;
  return visible(statusText(status)) + (isRedirect ? ": redirects are not followed" : "");
}

export const STATUS_TEXTS = { pending: "Pending", succeeded: "Succeeded", dead: "Dead", withdrawn: "Withdrawn" };
const STATUS_CLASSES = { pending: "waiting", succeeded: "healthy", dead: "failing", withdrawn: "disabled" };

export const statusClass = status => `state ${STATUS_CLASSES[status] ?? "quiet"}`;

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export const milliseconds = ms => ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString("en", { maximumFractionDigits: ms < 10_000 ? 1 : 0 })} s`;

// Of all attempts; never 100 % where one failed.
export function successRate({ succeeded, failed }) {
  if (!(succeeded + failed > 0)) return "";
  const percent = 100 * succeeded / (succeeded + failed);
  return `${Math.min(percent, failed ? 99.99 : 100).toLocaleString("en", { maximumFractionDigits: percent > 99 ? 2 : 1 })} %`;
}

// The API, with the token of this tab. All that it answers is somebody else's text.

const TOKEN = "posthorn.token", PAGES_MAX = 20;
export const LIST_MAX = 1000; // items of a page, at most

let token = sessionStorage.getItem(TOKEN);

export const hasToken = () => token !== null;
export const takeToken = text => { token = text; };
export const keepToken = () => sessionStorage.setItem(TOKEN, token);

export function forgetToken() {
  token = null;
  sessionStorage.removeItem(TOKEN);
}

export class Refused extends Error {
  constructor(status, problem) {
    const details = (problem?.details ?? []).map(detail => `${detail.param}: ${detail.msg}`);
    super([problem?.message ?? `The gateway answered ${status}.`, ...details].join("\n"));
    this.status = status;
    this.params = (problem?.details ?? []).map(detail => detail.param);
  }
}

export async function api(method, path, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
    .catch(() => { throw new Error("The gateway cannot be reached."); });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  let problem = null;
  try { problem = JSON.parse(text); } catch { /* of something between here and the gateway */ }
  throw new Refused(answer.status, problem);
}

export const webhookPath = (webhook, rest = "") => `/v1/webhooks/${encodeURIComponent(webhook.id)}${rest}`;
export const deliveryPath = (id, rest = "") => `/v1/deliveries/${encodeURIComponent(id)}${rest}`;

export const list = (path, query) => api("GET", `${path}?${new URLSearchParams(query)}`);

// All items, page after page, until `enough` of them are there. A page may be empty and have a next one: the gateway searches for a bounded time.
export async function listAll(path, query, enough = Infinity) {
  const items = [];
  let cursor;
  for (let page = 0; page < PAGES_MAX && items.length < enough; page++) {
    const answer = await list(path, { limit: LIST_MAX, ...query, ...(cursor && { cursor }) });
    items.push(...answer.data);
    cursor = answer.nextCursor;
    if (!cursor) break;
  }
  return items;
}

// What is not there is null.
export async function orNull(asking) {
  try {
    return await asking;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

// The signing keys, and code that verifies a callback.

import { api, list } from "./api.js";
import { $, copy, run } from "./dom.js";
import { addView } from "./views.js";

// The tenant's name is not in the token; every event of its own names it, and showing the list has just made one.
export async function tenantId() {
  const { data } = await list("/v1/events", { limit: 1 });
  return data[0]?.tenantId;
}

async function showKeys() {
  const tenant = await tenantId();
  const path = tenant ? `/v1/tenants/${encodeURIComponent(tenant)}/webhooks/jwks` : "/v1/webhooks/jwks";
  const url = new URL(path, location.href).href;
  $("jwks-url").href = $("jwks-url").textContent = url;
  $("jwks").textContent = JSON.stringify(await api("GET", path), null, 2);
  await showCode();
}

async function showCode() {
  const answer = await fetch($("language").value);
  $("code").textContent = (await answer.text()).replaceAll("{{JWKS}}", $("jwks-url").href);
}

addView("keys", { section: "keys", title: "Signing keys", open: showKeys });

$("copy-jwks").addEventListener("click", event => copy(event.currentTarget, $("jwks").textContent));
$("copy-code").addEventListener("click", event => copy(event.currentTarget, $("code").textContent));
$("language").addEventListener("change", () => run(null, showCode));

// Node.js 18 or later, nothing to install.
import { createPublicKey, verify } from "node:crypto";

const JWKS = "{{JWKS}}";
const TOLERANCE_S = 300;

// Ask again when a callback does not verify: keys are rotated.
export async function fetchKeys() {
  const { keys } = await (await fetch(JWKS)).json();
  return keys.map(key => createPublicKey({ key, format: "jwk" }));
}

// headers: by lower-case name; body: the bytes as they came, a Buffer.
export function isGenuine(keys, headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S)) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return signatures.split(" ").filter(text => text.startsWith("v1a,")).some(text =>
    keys.some(key => verify(null, signed, key, Buffer.from(text.slice(4), "base64"))));
}

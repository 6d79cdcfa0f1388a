// Verifies callbacks with npm's standardwebhooks: arguments are a secret and folders, each with headers.json and body; prints true or false for each.
import { readFileSync as read } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const [secret, ...folders] = process.argv.slice(2);
const webhook = new Webhook(secret);
for (const folder of folders) {
  try {
    webhook.verify(read(`${folder}/body`, "utf8"), JSON.parse(read(`${folder}/headers.json`, "utf8")));
    console.log("true");
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.log("false");
  }
}

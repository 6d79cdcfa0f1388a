"""A history that is longer than a test: events on webhook-results, as a worker would have written
them then.
"""

import json
import time
import uuid
from datetime import UTC, datetime

from .wait import until

HOUR_MS = 3600 * 1000
PAUSE_MS = 5000  # between two attempts


def iso_time(ms):
    """As `results.framing=json` has it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Past:
    """The deliveries of one tenant."""

    def __init__(self, world, tenant):
        self.world, self.tenant = world, tenant
        self.now_ms = int(time.time() * 1000)

    def delivery(self, webhook, at_ms, attempts, ended=True, subject="c-1", event_type="OpenIdCredentialIssued", command=None, event=None):
        """Recorded at that time. An attempt is (status or reason, duration in ms, body or None).
        The last one ends it; with ended=False another one follows in an hour. Returns its id.
        """
        id = str(uuid.uuid4())
        about = {
            "type": "Delivery", "deliveryId": id, "webhookId": webhook["id"], "eventType": event_type, "eventId": event or str(uuid.uuid4()), "subject": subject,
        }  # fmt: skip
        write = lambda step, at_ms, data: self._write(f"WEBHOOK_EVENT_{step}", at_ms, command or f"command of {id}", data.get("status"), about | data)
        write("RECEIVE", at_ms, {"attempt": 0, "nextAttemptAt": iso_time(at_ms)})
        for number, (answer, took_ms, body) in enumerate(attempts, 1):
            begun_ms, at_ms = at_ms, at_ms + took_ms
            status, reason = (answer, None if answer < 300 else f"status-{answer}") if isinstance(answer, int) else (None, answer)
            is_last = ended and number == len(attempts)
            step = "PROCESS_SUCCESS" if reason is None else "PROCESS_FAIL" if is_last else "RETRY"
            data = {"attempt": number, "status": status, "reason": reason, "durationMs": took_ms, "attemptedAt": iso_time(begun_ms)}
            if reason:
                answered = {"address": "192.0.2.7", "httpVersion": "1.1", "tlsVersion": "TLSv1.3", "body": body} if status else {"address": "192.0.2.7"}
                data["response"] = {name: value for name, value in answered.items() if value is not None}
            if step == "RETRY":
                data["nextAttemptAt"] = iso_time(at_ms + PAUSE_MS if number < len(attempts) else self.now_ms + HOUR_MS)
            write(step, at_ms, data)
            at_ms += PAUSE_MS
        return id

    def command(self, id, at_ms, credential, deliveries):
        """A credential's issuance, with that number of deliveries."""
        self._write("OPENID_CREDENTIAL_START", at_ms, id)
        self._write("OPENID_CREDENTIAL_SUCCESS", at_ms, id, 200, {"type": "CredentialIssued", "credentialId": credential, "deliveries": deliveries})
        return id

    def _write(self, type, at_ms, command, status=None, data=None):
        category = "openid" if type.startswith("OPENID") else "webhook"
        event = {
            "id": str(uuid.uuid4()), "type": type, "category": category, "version": 1, "timestamp": iso_time(at_ms), "tenantId": self.tenant, "commandId": command,
            "status": status, "data": data,
        }  # fmt: skip
        self.world.writer.raw("webhook-results", self.tenant, json.dumps(event).encode())

    def written(self, client, count):
        """Waits until the gateway has that many of the tenant's deliveries."""
        self.world.writer.flush()
        until(lambda: self._known(client, count) >= count, 60, f"{count} deliveries in the history")

    @staticmethod
    def _known(client, enough):
        known, cursor = 0, ""
        while known < enough:
            page = client("GET", f"/v1/deliveries?limit=1000{cursor}").json
            known += len(page["data"])
            if "nextCursor" not in page:
                break
            cursor = f"&cursor={page['nextCursor']}"
        return known

"""Which commands are refused, and what a listing shows: written from docs/api.md and the schemas,
not from the workers' code.
"""

import base64
import json
import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

READS = ("RetrieveWebhooks", "RetrieveWebhook", "RetrieveSecret")
SUBJECTS = {
    "CreateWebhook": "WEBHOOK_CREATE",
    "RetrieveWebhooks": "WEBHOOK_RETRIEVE_LIST",
    "RetrieveWebhook": "WEBHOOK_RETRIEVE",
    "UpdateWebhook": "WEBHOOK_UPDATE",
    "DeleteWebhook": "WEBHOOK_DELETE",
    "TestWebhook": "WEBHOOK_TEST",
    "RotateSigningKey": "WEBHOOK_KEY_ROTATE",
    "RecoverDeliveries": "WEBHOOK_RECOVER",
    "RetrieveSecret": "WEBHOOK_SECRET_RETRIEVE",
    "RotateSecret": "WEBHOOK_SECRET_ROTATE",
    "ResendDelivery": "WEBHOOK_DELIVERY_RESEND",
    "IssueCredential": "OPENID_CREDENTIAL",
    "PublishEvent": "WEBHOOK_EVENT_PUBLISH",
}

ISSUED, SUMMARY, TEST = "OpenIdCredentialIssued", "OpenIdCredentialIssuedSummary", "WebhookTest"
SUBSCRIBABLE = (ISSUED, SUMMARY)
HMAC = "standard-webhooks-hmac"
FILTERS = ("credentialConfigurationId", "format", "credentialProfile", "subject")

PAGE_DEFAULT, PAGE_MAX, RECOVER_MAX = 100, 1000, 1000
PAGE_BYTES_MAX = 700 * 1024

# Refusals of what a tenant has too much of. How much that is, the settings say; below these numbers
# nobody may be refused.
LIMITED = (409, 429)
TOO_NEW = 503  # for a worker of the release before
WEBHOOKS_LEAST, KEYS_LEAST, PENDING_LEAST = 100, 8, 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LAST_MS = 253402300799999


def webhook_id(text):
    """In lower case, or None where it is none."""
    return text.lower() if text and _UUID.fullmatch(text.lower()) else None


def is_command_id(text):
    return 1 <= len(text.encode()) <= 256


def is_envelope(command):
    texts = (command.envelope.get("requestId"), command.envelope.get("clientId"))
    return (
        is_command_id(command.id) and all(text is None or len(text.encode()) <= 256 for text in texts) and 0 <= command.envelope.get("timestamp", 0) <= LAST_MS
    )


def is_webhook(fields, own_types=()):
    """A load's urls are in their normal form, or have no scheme; its optional members are right."""
    events, url = fields["events"], urlsplit(fields["url"])
    known = len(events) > 0 and len(set(events)) == len(events) and all(name in (*SUBSCRIBABLE, *own_types) for name in events)
    return known and url.scheme in ("http", "https") and bool(url.hostname)


def members(fields):
    """The optional members that were given, of a command, an answer or a record; headers by their
    names, since their values are never shown.
    """
    chosen = {name: sorted(values) for name, values in (fields.get("filter") or {}).items() if values}
    given = {
        "description": fields.get("description"),
        "headers": [header["name"] for header in fields.get("headers") or []],
        "signatures": fields.get("signatures"),
        "filter": chosen,
        "rateLimit": fields.get("rateLimit"),
    }
    return {name: value for name, value in given.items() if value}


def keeps_unknown_header(fields, known):
    """Whether a header without a value is none that the webhook has."""
    return any(header["value"] is None and header["name"] not in known for header in fields.get("headers") or [])


def cursor(text):
    """(createdAt in ms, id), or None where it is none."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
        created, id = re.fullmatch(r"createdAt=(.*)&id=(.*)", plain).groups()
        when = datetime.fromisoformat(unquote(created).replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None
    return (round(when.timestamp() * 1000), webhook_id(id)) if webhook_id(id) else None


def is_page(fields):
    limit, after = fields.get("limit"), fields.get("cursor")
    return (limit is None or 1 <= limit <= PAGE_MAX) and (after is None or cursor(after) is not None)


def page(webhooks, fields):
    """The ids that a page shows, and whether another follows."""
    after = cursor(fields["cursor"]) if fields.get("cursor") is not None else None
    places = sorted((webhook["createdAt"] or 0, id) for id, webhook in webhooks.items())
    rest = [id for created, id in places if after is None or (created, id) > after]
    limit = fields.get("limit") or PAGE_DEFAULT
    return rest[:limit], len(rest) > limit


def may_end_early(webhooks, ids):
    """Whether a page of these is large enough to end before its limit: then at least half of its
    bytes are urls.
    """
    return sum(len(webhooks[id]["url"].encode()) for id in ids if id in webhooks) > PAGE_BYTES_MAX // 2


def _is_json(text, kinds):
    try:
        return isinstance(json.loads(text), kinds)
    except ValueError:
        return False


def is_issuance(fields):
    required = ("credentialId", "credentialConfigurationId", "credentialProfile", "format")
    optional = ("userId", "credentialOfferId", "sessionId")
    claims, credential = fields.get("claims"), fields["credential"]
    return (
        all(0 < len(fields[name].encode()) <= 1024 for name in required)
        and all(len((fields.get(name) or "").encode()) <= 1024 for name in optional)
        and (claims is None or _is_json(claims, dict))
        and (not credential or _is_json(credential, (dict, str)))
    )


def is_recovery(fields):
    until, subject = fields.get("until"), fields.get("subject")
    return (
        fields["since"] >= 0
        and (not until or until >= fields["since"])
        and (subject is None or 0 < len(subject.encode()) <= 1024)
        and fields.get("status") in (None, "dead", "succeeded")
    )


def is_event(fields, own_types):
    return fields["eventType"] in own_types and len((fields["subject"] or "").encode()) <= 1024 and _is_json(fields["payload"], object)


def wants(webhooks, names, facts):
    """(webhook id, event type) of everything that an event of these types and facts is delivered
    to: each list of a filter has to have the fact of its name.
    """
    return [
        (id, name)
        for id, webhook in webhooks.items()
        if not webhook["disabled"] and all(facts.get(fact) in values for fact, values in webhook["members"].get("filter", {}).items())
        for name in names
        if name in webhook["events"]
    ]

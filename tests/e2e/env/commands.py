"""Commands as a producer would write them: plain dictionaries by the public schemas."""

import itertools
import json
import time
import uuid

ISSUED = "OpenIdCredentialIssued"
SUMMARY = "OpenIdCredentialIssuedSummary"

_NAMES = itertools.count(1)


def unique(stem):
    """A name that nothing else in this run has."""
    return f"{stem}-{next(_NAMES)}-{uuid.uuid4().hex[:8]}"


def _operation(name, **fields):
    return (f"posthorn.v1.{name}", fields)


def create(url, events=(ISSUED,), disabled=False, **members):
    return _operation("CreateWebhook", events=list(events), url=url, disabled=disabled, **members)


def retrieve_all(limit=None, cursor=None):
    return _operation("RetrieveWebhooks", limit=limit, cursor=cursor)


def retrieve(id):
    return _operation("RetrieveWebhook", id=id)


def update(id, url, events=(ISSUED,), disabled=False, **members):
    return _operation("UpdateWebhook", id=id, events=list(events), url=url, disabled=disabled, **members)


def delete(id):
    return _operation("DeleteWebhook", id=id)


def send_test(id):
    return _operation("TestWebhook", id=id)


def rotate_key():
    return _operation("RotateSigningKey")


def retrieve_secret(id, public_key):
    return _operation("RetrieveSecret", id=id, publicKey=public_key)


def rotate_secret(id):
    return _operation("RotateSecret", id=id)


def resend(id):
    return _operation("ResendDelivery", id=id)


def recover(id, since_ms=0, **chosen):
    return _operation("RecoverDeliveries", id=id, since=since_ms, **chosen)


def envelope(tenant, command_id=None, request_id=None, client_id=None):
    return {
        "commandId": command_id or unique("command"),
        "tenantId": tenant,
        "requestId": request_id,
        "clientId": client_id,
        "timestamp": int(time.time() * 1000),
    }


def command(tenant, operation, **fields):
    return envelope(tenant, **fields) | {"operation": operation}


def issuance(tenant, credential=None, claims=None, user_id="user-1", credential_id=None, offer_id=None, session_id=None, **fields):
    return envelope(tenant, **fields) | {
        "userId": user_id,
        "credentialId": credential_id or unique("credential"),
        "credentialConfigurationId": "UniversityDegree_jwt_vc_json",
        "credentialProfile": "OpenID4VCI",
        "format": "jwt_vc_json",
        "credentialOfferId": offer_id,
        "sessionId": session_id,
        "claims": json.dumps(claims) if claims is not None else None,
        "credential": json.dumps(credential if credential is not None else "eyJhbGciOiJFZERTQSJ9.eyJ2YyI6e319.c2ln"),
    }


def own_event(tenant, type, payload=None, subject=None, **fields):
    return envelope(tenant, **fields) | {"eventType": type, "subject": subject, "payload": json.dumps({} if payload is None else payload)}

# pip install cryptography
import base64
import json
import time
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

JWKS = "{{JWKS}}"
TOLERANCE_S = 300


def fetch_keys():
    """Ask again when a callback does not verify: keys are rotated."""
    with urllib.request.urlopen(JWKS) as answer:
        keys = json.load(answer)["keys"]
    return [Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=")) for key in keys]


def is_genuine(keys, headers, body):
    """headers: by lower-case name; body: the bytes as they came."""
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{headers.get('webhook-id')}.{timestamp}.".encode() + body
    for text in headers.get("webhook-signature", "").split(" "):
        for key in keys if text.startswith("v1a,") else []:
            try:
                key.verify(base64.b64decode(text[4:]), signed)
                return True
            except (InvalidSignature, ValueError):
                pass
    return False

"""Verifies a callback against the JWKS, by code that is not ours.

RFC 9421 and RFC 9530 by PyPI's http-message-signatures, Standard Webhooks v1a by the plain rule
with `cryptography`. The keys come from a JWKS alone.
"""

import base64
import hashlib
import json
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

COVERED = ("@method", "@authority", "@path", "content-digest", "content-type", "webhook-id", "webhook-timestamp")


class Refused(AssertionError):
    """The callback is not genuine, or not of the agreed form."""


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Jwks(HTTPSignatureKeyResolver):
    """A JSON Web Key Set as it was published. Its shape is checked: exactly the agreed members, and
    kid the RFC 7638 thumbprint.
    """

    def __init__(self, document):
        self.keys = {}
        for key in document["keys"]:
            if set(key) != {"kty", "crv", "x", "use", "kid"} or (key["kty"], key["crv"], key["use"]) != ("OKP", "Ed25519", "sig"):
                raise Refused(f"not the agreed form of a JWK: {key}")
            if key["kid"] != thumbprint(key["x"]):
                raise Refused(f"kid is not the thumbprint of x: {key}")
            self.keys[key["kid"]] = Ed25519PublicKey.from_public_bytes(unpadded(key["x"]))

    def resolve_public_key(self, key_id):
        return self.keys.get(key_id)


def jwk(x):
    """The public key with this x, as it is to be published."""
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "kid": thumbprint(x)}


def thumbprint(x):
    """Source: RFC 7638 section 3, RFC 8037 section 2."""
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


class _Fields:
    """Header lines as the library wants them, none merged."""

    def __init__(self, lines):
        self.lines = lines

    def items(self):
        return self.lines

    def __contains__(self, name):
        return any(line[0].lower() == name.lower() for line in self.lines)


def verify_rfc9421(request, headers, jwks):
    """Returns the kid that signed. The authority is what the receiver saw in Host, never what we
    think it was.
    """
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=jwks)
    message = SimpleNamespace(method=request.method, url=f"http://{headers['host']}{request.target}", headers=_Fields(request.header_lines))
    (result,) = verifier.verify(message, body=request.body)
    needed = COVERED + (("@query",) if "?" in request.target else ())
    if missing := [name for name in needed if f'"{name}"' not in result.covered_components]:
        raise Refused(f"not covered by the signature: {missing}")
    if result.label != "sig1" or set(result.parameters) != {"created", "keyid"}:
        raise Refused(f"not the signature sig1 with created and keyid: {result}")
    if str(result.parameters["created"]) != headers["webhook-timestamp"]:
        raise Refused("created is not webhook-timestamp")
    return result.parameters["keyid"]


def verify_standard_webhooks(request, headers, key):
    """Source: Standard Webhooks specification, "Signature scheme", asymmetric."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    for version, _, signature in (entry.partition(",") for entry in headers["webhook-signature"].split(" ")):
        if version == "v1a":
            key.verify(base64.b64decode(signature, validate=True), content)
            return
    raise Refused("no v1a signature")


def verify(request, jwks):
    """Both. Returns the kid; raises when anything is amiss."""
    headers = request.headers
    kid = verify_rfc9421(request, headers, jwks)
    verify_standard_webhooks(request, headers, jwks.keys[kid])
    if request.json["deliveryId"] != headers["webhook-id"]:
        raise Refused("deliveryId is not webhook-id")
    return kid

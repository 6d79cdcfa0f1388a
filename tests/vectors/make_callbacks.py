#!/usr/bin/env python3
"""Makes the callback-* cases with code that is not ours: http-message-signatures (RFC 9421) and
cryptography (Ed25519).

The body's digest and the key's thumbprint come from Python's standard library. Run it only to add a
case: the files are the truth.
"""

import base64
import datetime
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

HERE = pathlib.Path(__file__).parent
BODY = (
    b'{"deliveryId":"0b6c9e0e-5f0c-8d5e-9a3b-1f2e3d4c5b6a","deliveryTimestamp":"2026-01-31T12:00:00.000Z",'
    b'"webhookId":"6f1c2d3e-4a5b-8c6d-8e7f-90a1b2c3d4e5","event":{"id":"1c2d3e4f-5a6b-8c7d-9e8f-a0b1c2d3e4f5",'
    b'"type":"OpenIdCredentialIssued","timestamp":"2026-01-31T12:00:00.000Z","payload":{"credentialId":"c-1","format":"vc+sd-jwt"}}}'
)
CASES = {
    "callback-path": ("https://receiver.example/hooks/one", BODY),
    "callback-query": ("https://receiver.example/hooks/one?tenant=a%20b&v=2", BODY),
    "callback-port-empty-query": ("https://receiver.example:8443/?", BODY),
    "callback-utf8-body": ("https://xn--mnchen-3ya.example/", '{"name":"Zoë — 東京"}'.encode()),
    "callback-empty-body": ("https://receiver.example/", b""),
}
DELIVERY_ID = "0b6c9e0e-5f0c-8d5e-9a3b-1f2e3d4c5b6a"
TIMESTAMP = 1769860800


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key(HTTPSignatureKeyResolver):
    def __init__(self, seed):
        self.seed, self.private = seed, Ed25519PrivateKey.from_private_bytes(seed)
        self.x = base64url(self.private.public_key().public_bytes_raw())
        members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": self.x}, separators=(",", ":"))
        self.kid = base64url(hashlib.sha256(members.encode()).digest())

    def resolve_private_key(self, key_id):
        return self.private

    def resolve_public_key(self, key_id):
        return self.private.public_key()

    def jwk(self):
        return json.dumps({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "d": base64url(self.seed), "x": self.x})


class Request:
    method = "POST"

    def __init__(self, url, body):
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        self.url = url
        self.headers = {
            "host": url.split("/")[2],
            "content-type": "application/json",
            "webhook-id": DELIVERY_ID,
            "webhook-timestamp": str(TIMESTAMP),
            "content-digest": f"sha-256=:{digest}:",
        }


def make(name, url, body):
    key = Key(hashlib.sha256(name.encode()).digest())
    request = Request(url, body)
    message = f"{DELIVERY_ID}.{TIMESTAMP}.".encode() + body
    request.headers["webhook-signature"] = "v1a," + base64.b64encode(key.private.sign(message)).decode()
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=key)
    query = ["@query"] if "?" in url else []
    prepared = signer.prepare(
        request,
        key_id=key.kid,
        created=datetime.datetime.fromtimestamp(TIMESTAMP, datetime.timezone.utc),
        label="sig1",
        include_alg=False,
        use_existing_digest=True,
        covered_component_ids=["@method", "@authority", "@path", *query] + ["content-digest", "content-type", "webhook-id", "webhook-timestamp"],
    )
    signature = key.private.sign(prepared.signature_base)
    signer.apply(request, prepared, signature)
    target = "/" + url.split("/", 3)[3]
    head = f"POST {target} HTTP/1.1\n" + "".join(f"{k.lower()}: {v}\n" for k, v in request.headers.items()) + "\n"
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "key").write_text(key.jwk() + "\n")
    (folder / "request").write_bytes(head.encode() + body)
    (folder / "signature-base").write_bytes(prepared.signature_base)
    (folder / "signature").write_text(base64.b64encode(signature).decode() + "\n")


if __name__ == "__main__":
    for case, (case_url, case_body) in CASES.items():
        make(case, case_url, case_body)

"""Callbacks of webhooks with members of their own: each kind of signature by a published verifier
of its kind, and the headers that the webhook asked for.
"""

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .bulk import over_slices
from .receiver import scan
from .verifier import Jwks, Refused, verify_rfc9421, verify_standard_webhooks

RFC9421, ED25519, HMAC = "rfc9421", "standard-webhooks", "standard-webhooks-hmac"
USUAL = (RFC9421, ED25519)  # where a webhook names none


@dataclass
class Expected:
    """What the callbacks for a path must be."""

    jwks: dict
    formats: tuple
    headers: dict  # by lower-case name
    secrets: list = field(default_factory=list)  # of HMAC: the first, and the one that replaced it


@dataclass
class Arrived:
    """The callbacks for a path: when each came, and the number in its event's payload."""

    times: list = field(default_factory=list)
    numbers: list = field(default_factory=list)
    verified: Counter = field(default_factory=Counter)  # signatures, by kind


def verify_hmac(request, expected, webhooks):
    """By PyPI's standardwebhooks, with each secret that signed: the first one signs all callbacks,
    during the overlap, too. Returns how many did.
    """
    first, *second = (webhooks.Webhook(secret) for secret in expected.secrets)
    first.verify(request.body, request.headers)
    signed = sum(entry.startswith("v1,") for entry in request.headers["webhook-signature"].split(" "))
    for webhook in second[: signed - 1]:
        webhook.verify(request.body, request.headers)
    return signed


def check(request, expected, jwks, webhooks):
    """Raises where it is not as it must be; returns {kind: signatures}."""
    headers, verified = request.headers, Counter()
    if ("signature" in headers) != (RFC9421 in expected.formats):
        raise Refused(f"formats {expected.formats}: {headers}")
    kinds = {entry.partition(",")[0] for entry in headers.get("webhook-signature", "").split(" ")} - {""}
    if kinds != {version for version, name in (("v1a", ED25519), ("v1", HMAC)) if name in expected.formats}:
        raise Refused(f"formats {expected.formats}: {headers}")
    if RFC9421 in expected.formats:
        verify_rfc9421(request, headers, jwks)
        verified[RFC9421] += 1
    if ED25519 in expected.formats:
        (key,) = jwks.keys.values()
        verify_standard_webhooks(request, headers, key)
        verified[ED25519] += 1
    if HMAC in expected.formats:
        verified[HMAC] += verify_hmac(request, expected, webhooks)
    for name, value in expected.headers.items():
        if headers.get(name, "").encode("latin-1").decode() != value:
            raise Refused(f"not the header that was given: {name}")
    return verified


def verify_slice(path, start, end, webhooks, library):
    """{path of a callback: Arrived}"""
    sys.path.insert(0, library)
    import standardwebhooks.webhooks as published

    jwks = {target: Jwks(expected.jwks) for target, expected in webhooks.items()}
    found = defaultdict(Arrived)
    with open(path, "rb") as file:
        file.seek(start)
        data = file.read(end - start)
    for _, request in scan(data):
        if request.target in webhooks:
            arrived = found[request.target]
            arrived.verified += check(request, webhooks[request.target], jwks[request.target], published)
            arrived.times.append(request.time)
            arrived.numbers.append(request.json["event"]["payload"]["n"])
    return dict(found)


def verify_all(path, webhooks, library):
    """{path of a callback: Arrived}, of the webhooks' ({path: Expected}); raises when a single one
    is not genuine. `library`: the folder of the published Standard Webhooks library.
    """
    found = defaultdict(Arrived)
    for part in over_slices(path, verify_slice, webhooks, str(library)):
        for target, arrived in part.items():
            found[target].times += arrived.times
            found[target].numbers += arrived.numbers
            found[target].verified += arrived.verified
    return found

#!/usr/bin/env python3
"""Shows what happened, and fails when it did not.

    show.py events EVENTS TYPE...
        waits for events of these types after those shown before, and shows them
    show.py callbacks CALLBACKS JWKS COUNT
        waits for COUNT callbacks after those shown before, shows the first and verifies all

EVENTS holds JSON lines of `posthorn-admin results tail --json`, CALLBACKS those of receiver.py; the
place reached in each is kept in a file beside it. JWKS is the published key set, the only thing
that the verifier knows; the verifier is PyPI's http-message-signatures, not ours.
"""

import base64
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

DEADLINE_S = 30
SHOWN_IN_FULL = 2  # where more callbacks are due, the verdicts are enough
COLOURS = {"dim": "2", "green": "32", "red": "31", "blue": "34"} if sys.stdout.isatty() else {}


def paint(colour, text):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if colour in COLOURS else text


def fail(message):
    print(paint("red", f"   {message}"))
    sys.exit(1)


class Lines:
    """The JSON lines of a growing file that were not shown yet."""

    def __init__(self, path):
        self.path, self.mark = Path(path), Path(path + ".shown")
        self.shown = int(self.mark.read_text()) if self.mark.exists() else 0

    def wait(self, enough, what):
        """The new lines, once `enough` of them says so."""
        end = time.monotonic() + DEADLINE_S
        while True:
            text = self.path.read_text() if self.path.exists() else ""
            whole = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
            if enough(whole[self.shown :]):
                self.mark.write_text(str(len(whole)))
                return whole[self.shown :]
            if time.monotonic() > end:
                fail(f"{what}: not within {DEADLINE_S} s; there is only {whole[self.shown :]}")
            time.sleep(0.01)


# --- Events ---------------------------------------------------------------------------------------


def event_line(event):
    colour = "red" if event["type"].endswith("_FAIL") else "green" if event["type"].endswith("_SUCCESS") else "blue"
    status = "" if event.get("status") is None else str(event["status"])
    data = event.get("data") or {}
    if "attempt" in data and data.get("status"):
        status = f"attempt {data['attempt']}: {data['status']} in {data['durationMs']} ms"
    return f"   {event['timestamp'][11:23]}  {paint(colour, event['type'].ljust(32))} {status}".rstrip()


def show_events(path, *types):
    wanted = sorted(types)
    events = Lines(path).wait(lambda new: len(new) >= len(wanted), " ".join(types))
    print(paint("dim", "   webhook-results:"))
    for event in events:
        print(event_line(event))
    if sorted(event["type"] for event in events) != wanted:
        fail(f"expected {' '.join(types)}")


# --- Callbacks ------------------------------------------------------------------------------------


class Jwks(HTTPSignatureKeyResolver):
    def __init__(self, path):
        self.keys = {key["kid"]: key["x"] for key in json.loads(Path(path).read_text())["keys"]}

    def resolve_public_key(self, key_id):
        x = self.keys[key_id]
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))


def verdict(callback, jwks):
    """None when a stranger who knows the JWKS alone may trust the callback, else why not."""
    headers = dict(callback["headers"])
    host = next(value for name, value in headers.items() if name.lower() == "host")
    message = SimpleNamespace(method=callback["method"], url=f"http://{host}{callback['target']}", headers=headers)
    covered = ("@method", "@authority", "@path", "content-digest", "content-type", "webhook-id", "webhook-timestamp")
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=jwks)
    try:
        verifier.verify(message, body=callback["body"].encode("latin-1"), require_components=covered)
    except InvalidSignature as error:
        return str(error) or "the signature does not verify"
    return None


def show_request(callback):
    print(f"   {callback['method']} {callback['target']}")
    for name, value in callback["headers"]:
        print(f"   {paint('blue', name.lower())}: {value}")
    body = json.loads(callback["body"].encode("latin-1"))
    print("\n" + "\n".join("   " + line for line in json.dumps(body, indent=2, ensure_ascii=False).splitlines()) + "\n")


def show_callbacks(path, jwks_path, count):
    callbacks = Lines(path).wait(lambda new: len(new) >= int(count), f"{count} callbacks")
    jwks = Jwks(jwks_path)
    if int(count) <= SHOWN_IN_FULL:
        show_request(callbacks[0])
    for callback in callbacks:
        body = json.loads(callback["body"].encode("latin-1"))
        problem = verdict(callback, jwks)
        what = f"{callback['target']}  {body['event']['type']}  {body['deliveryId']}"
        print(f"   {paint('red', 'refused ') if problem else paint('green', 'verified')}  {what}  {problem or ''}".rstrip())
        if problem:
            fail("http-message-signatures does not accept this callback with the published JWKS")
    if len(callbacks) != int(count):
        fail(f"{len(callbacks)} callbacks came, {count} were due")


if __name__ == "__main__":
    {"events": show_events, "callbacks": show_callbacks}[sys.argv[1]](*sys.argv[2:])

"""Verifies callbacks with PyPI's standardwebhooks: arguments are a secret and folders, each with
headers.json and body; prints true or false for each."""

import json
import pathlib
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
for folder in map(pathlib.Path, sys.argv[2:]):
    try:
        webhook.verify((folder / "body").read_text(), json.loads((folder / "headers.json").read_text()))
        print("true")
    except WebhookVerificationError:
        print("false")

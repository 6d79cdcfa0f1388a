"""A tenant as it looks after a day: what each view has something to show of."""

from urllib.parse import urlencode

from .commands import ISSUED, SUMMARY
from .past import HOUR_MS, Past, iso_time
from .wait import until

VIEWS = ("enter", "webhooks", "webhook", "deliveries", "story", "keys", "edit")
BUSY = "upstream timed out: no worker is free (queue 512 of 512)"


class Filled:
    """`dead`: a delivery that is dead in the history."""

    def __init__(self, world, client, tenant):
        self.client, self.past = client, Past(world, tenant)
        names = {"university": "Diplomas of the registry", "archive": None, "partner": "The partner's test system"}
        self.webhooks = [
            client(
                "POST", "/v1/webhooks", {"events": events, "url": f"https://{name}.example/hooks/credentials"} | ({"description": text} if text else {})
            ).json
            for (name, text), events in zip(names.items(), ([ISSUED], [ISSUED, SUMMARY], [SUMMARY]), strict=True)
        ]
        self._day()
        self.dead = self._story()
        self.past.written(client, self.count)

    def _day(self):
        """A curve of a day, a bad hour, and now and then a failure."""
        self.count, this_hour_ms = 0, self.past.now_ms - self.past.now_ms % HOUR_MS
        for hour in range(24):
            for number in range(6 + (hour * 7) % 11 + 20 * (8 < hour < 18)):
                at_ms = this_hour_ms - hour * HOUR_MS + number * 60_000 % HOUR_MS
                if at_ms < self.past.now_ms - 60_000:
                    self._one(hour, number, at_ms)

    def _one(self, hour, number, at_ms):
        took_ms = 35 + number * 13 % 40 + 300 * (number % 17 == 0)
        failed = [(500, 1200, BUSY)] if (hour == 5 and number % 2) or number % 23 == 7 else []
        self.past.delivery(self.webhooks[number % 2], at_ms, [*failed, (200, took_ms, None)], subject=f"urn:credential:{hour:02}{number:03}")
        self.count += 1

    def _story(self):
        """A credential to three webhooks: late, dead, and pending."""
        at_ms, subject, command = self.past.now_ms - 7 * 60_000, "urn:credential:4711", "issue-4711"
        self.past.command(command, at_ms, subject, 3)
        event = "3f1c2d3e-4a5b-4c6d-8e7f-90a1b2c3d4e5"
        about = {"subject": subject, "command": command, "event": event}
        self.past.delivery(self.webhooks[0], at_ms + 4, [(500, 1204, BUSY), ("timeout", 15000, None), (200, 48, None)], **about)
        dead = self.past.delivery(self.webhooks[1], at_ms + 4, [(503, 12, "maintenance until noon"), ("connect", 2, None)], **about)
        self.past.delivery(self.webhooks[2], at_ms + 4, [(429, 31, None)], ended=False, event_type=SUMMARY, **about)
        self.count += 3
        return {"id": dead, "subject": subject}

    def on(self, page):
        self.page = page
        return self

    def show(self, view):
        """Waits until the view has all that it shows."""
        page, webhook = self.page, self.webhooks[0]
        page.forget().open()
        if view == "enter":
            page.field("Token of your tenant")
            return
        page.enter(self.client.token).wait_row(webhook["url"], dead="0")
        page.wait_text("#tenant", self.past.tenant)
        since = urlencode({"from": iso_time(self.past.now_ms - 2 * HOUR_MS)})
        hash, ready = {
            "webhooks": ("#/webhooks", "#rows tr:last-child .day :is(svg, .quiet)"), "webhook": (f"#/webhooks/{webhook['id']}", "#webhook-charts svg"),
            "deliveries": (f"#/deliveries?{since}", "#delivery-count:not(:empty)"), "story": (f"#/story/{self.dead['subject']}", "#story-list article"),
            "keys": ("#/keys", "#code:not(:empty)"), "edit": ("#/webhooks", "#rows tr:last-child .day :is(svg, .quiet)"),
        }[view]  # fmt: skip
        page.view(hash)
        until(lambda: page.all(ready), 20, view)
        if view == "edit":
            page.act("Edit", webhook["url"])

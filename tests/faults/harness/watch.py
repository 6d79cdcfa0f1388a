"""A read_committed reader during the faults: a first judgement of the run, and the time at which
each partition went on.
"""

import threading
import time
from collections import Counter, defaultdict, deque

from env import avro
from env.kafka import Reader
import itertools

NEWS_S = 0.05  # commits closer together than this are one


class Command:
    __slots__ = ("starts", "ends")

    def __init__(self):
        self.starts = self.ends = 0


class Delivery:
    __slots__ = ("received", "resent", "succeeded", "failed")

    def __init__(self):
        self.received = self.resent = self.succeeded = self.failed = 0


class Watch(Reader):
    """Keeps little: a run has a million events."""

    def __init__(self, bootstrap, prefix, schemas):
        self.schema = schemas.event
        self.ids = set()
        self.repeated_ids = []
        self.commands = defaultdict(Command)
        self.deliveries = defaultdict(Delivery)
        self.webhooks = defaultdict(list)  # tenant: ids as they were created
        self.succeeded = Counter()  # webhook: deliveries
        self.recorded = defaultdict(lambda: deque(maxlen=500))  # tenant: the newest deliveries
        self.commits = defaultdict(list)  # partition: times
        self.asked = {}  # (tenant, command id): when the load wrote it
        self.waits = []  # (when it was written, seconds until it was answered), of those
        self.over = threading.Event()
        super().__init__(bootstrap, prefix + "webhook-results")
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.poll(0.1)

    def refuse(self, error):
        """Brokers come and go here; librdkafka goes on where it stood."""

    def take(self, message):
        times, now = self.commits[message.partition()], time.monotonic()
        if not times or now - times[-1] > NEWS_S:
            times.append(now)
        event = self.schema.decode(message.value())
        if event["id"] in self.ids:
            self.repeated_ids.append((event["type"], message.partition(), message.offset()))
        self.ids.add(event["id"])
        self.count(event)

    def count(self, event):
        subject, _, step = event["type"].rpartition("_")
        if subject == "WEBHOOK_EVENT" and step == "RECEIVE":
            self.deliveries[event["data"][1]["deliveryId"]].received += 1
            self.recorded[event["tenantId"]].append(event["data"][1]["deliveryId"])
        elif subject == "WEBHOOK_EVENT" and step == "RESEND":
            self.deliveries[event["data"][1]["deliveryId"]].resent += 1
        elif subject == "WEBHOOK_EVENT_PROCESS":
            delivery = self.deliveries[event["data"][1]["deliveryId"]]
            delivery.succeeded += step == "SUCCESS"
            delivery.failed += step == "FAIL"
            self.succeeded[event["data"][1]["webhookId"]] += step == "SUCCESS"
        elif step == "START":
            self.commands[event["tenantId"], event["commandId"]].starts += 1
        elif step in ("SUCCESS", "FAIL"):
            self.commands[event["tenantId"], event["commandId"]].ends += 1
            if asked := self.asked.pop((event["tenantId"], event["commandId"]), None):
                self.waits.append((asked, time.monotonic() - asked))
            if event["type"] == "WEBHOOK_CREATE_SUCCESS" and not event["repeat"]:
                self.webhooks[event["tenantId"]].append(avro.plain(event["data"])["id"])

    def unanswered(self, sent):
        """Of {(tenant, command id): how often it was written}."""
        return [key for key, times in sent.items() if self.commands[key].ends < times]

    def stall(self, start, end):
        """The longest time within [start, end] in which some partition got nothing new."""
        longest = 0
        for times in list(self.commits.values()):
            edges = [start, *(t for t in list(times) if start < t < end), end]
            longest = max(longest, *(b - a for a, b in itertools.pairwise(edges)))
        return longest

    def longest_wait(self, start, end):
        """The longest that a command of the load waited for its answer that was written within
        [start, end].
        """
        return max((wait for asked, wait in list(self.waits) if start <= asked <= end), default=0)

    def close(self):
        self.over.set()
        self.thread.join()
        super().close()

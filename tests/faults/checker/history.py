"""A run's history, as values: everything that the properties look at, without a client to ask."""

from dataclasses import dataclass, field
from functools import cached_property

from . import ids
from .run import Settings

ADMIN, ISSUANCE, OWN = "webhook-admin", "credential-issuance", "webhook-events"


@dataclass(slots=True)
class Command:
    """A record of an input. `operation` is None where it cannot be read as a command."""

    topic: str  # without the prefix
    partition: int
    offset: int
    tenant: str = ""
    id: str = ""
    operation: str | None = None  # "CreateWebhook", ..., "IssueCredential", "PublishEvent"
    fields: dict = field(default_factory=dict)  # the operation's own
    envelope: dict = field(default_factory=dict)  # requestId, clientId, timestamp
    misplaced: bool = False  # in another partition than its key's; then `operation` is None too
    came_from: tuple | None = None  # (partition, offset) where it was handed on from
    resumes: bool = False  # a copy, by which a command goes on that takes several turns
    content: bytes = b""  # a digest of what must not change on the way

    @property
    def place(self):
        return self.topic, self.partition, self.offset


@dataclass(slots=True)
class Event:
    """A record of webhook-results. `data` is None, or the fields of the union's record."""

    partition: int
    offset: int
    id: str
    type: str
    tenant: str
    time_ms: int
    command: str | None = None
    repeat: bool = False
    status: int | None = None
    data: dict | None = None

    @property
    def place(self):
        return self.partition, self.offset


@dataclass(slots=True)
class Change:
    """A committed record of the changelog; `value` None is a tombstone, and {} a delivery's that
    was superseded. `time_ms` is Kafka's.
    """

    partition: int
    offset: int
    time_ms: int
    key: str
    value: dict | None

    @property
    def kind(self):
        return self.key.partition("/")[0]


@dataclass(slots=True)
class Callback:
    """A request that a receiver got. `begun` is the time that the attempt itself carries, in whole
    seconds.
    """

    time: float
    id: str
    begun: int
    delivery: str
    webhook: str
    event: str
    body: bytes  # or any digest of it
    answered: int


@dataclass(slots=True)
class Sighting:
    """The observer's records."""

    time: float
    topic: str  # "results" or "state"
    partition: int
    offset: int
    name: str  # the event's id, or the key


@dataclass(slots=True)
class Told:
    """What a gateway answers to a tenant, all pages of it, as JSON."""

    deliveries: list[dict] = field(default_factory=list)  # the newest first
    attempts: dict[str, list[dict]] = field(default_factory=dict)  # of some of them, by id
    events: list[tuple] = field(default_factory=list)  # the newest first; see told.shown_event
    complete_since: str = ""


@dataclass(slots=True)
class Offset:
    """A committed offset of the group."""

    offset: int
    metadata: str


@dataclass
class History:
    cluster: str
    prefix: str
    partitions: int
    settings: Settings = field(default_factory=Settings)
    compaction: bool = False
    clock: bool = False
    released: bool = False  # a worker of the release before took part
    commands: list[Command] = field(default_factory=list)  # by topic, partition, offset
    dead_letters: list[tuple] = field(default_factory=list)  # the places that they tell of
    events: list[Event] = field(default_factory=list)  # by partition, offset
    changes: list[Change] = field(default_factory=list)  # by partition, offset
    callbacks: list[Callback] = field(default_factory=list)  # as they came
    sightings: list[Sighting] = field(default_factory=list)  # as they were made
    offsets: dict[tuple, Offset] = field(default_factory=dict)  # (topic, partition)
    replicas: dict[str, str] = field(default_factory=dict)  # worker id: its dump
    dump: str = ""  # of the changelog, by posthorn-admin
    restored: str = ""  # of a replica restored from nothing
    dump_then: str = ""  # of the changelog, after that
    # {gateway: {tenant: its answers}}; None: there was no gateway
    gateways: dict[str, dict[str, Told]] | None = field(default_factory=dict)

    @cached_property
    def folded(self):
        """{(key, partition): value}: the fold of the changelog."""
        values = {}
        for change in self.changes:
            if change.value is None:
                values.pop((change.key, change.partition), None)
            else:
                values[change.key, change.partition] = change.value
        return values

    @cached_property
    def positions(self):
        """{partition: [position records, in order]}"""
        found = {}
        for change in self.changes:
            if change.key == "position":
                found.setdefault(change.partition, []).append(change)
        return found

    @cached_property
    def seen(self):
        """{(topic, partition, offset): when the observer first saw it, seconds}"""
        times = {}
        for sighting in self.sightings:
            times.setdefault((sighting.topic, sighting.partition, sighting.offset), sighting.time)
        return times

    @cached_property
    def event_of(self):
        """{event id: event}"""
        return {event.id: event for event in self.events}

    def id_of(self, command, index):
        """Of an event that a record of an input led to: its START is 0, its outcome 1."""
        return ids.analytic_event((self.cluster, self.prefix + command.topic, command.partition, command.offset), index)

    def answer_of(self, command, index):
        return self.event_of.get(self.id_of(command, index))

    @cached_property
    def copies(self):
        """{place of a command that took several turns: the copies by which it went on}; by None
        those of none.
        """
        found, begun = {}, {}
        for command in self.commands:
            name = command.topic, command.partition, command.tenant, command.id, command.content
            if command.resumes:
                found.setdefault(begun.get(name), []).append(command)
            elif command.operation and not self.answer_of(command, 1):
                begun[name] = command.place
        return found

    @cached_property
    def callbacks_of(self):
        """{delivery id as the header has it: [callbacks]}"""
        found = {}
        for callback in self.callbacks:
            found.setdefault(callback.id, []).append(callback)
        return found

    @cached_property
    def replay(self):
        from .model import replay

        return replay(self)

    def forget(self):
        """After a change to the lists: drops the values that were derived from them."""
        for name in ("folded", "positions", "seen", "event_of", "copies", "callbacks_of", "replay"):
            self.__dict__.pop(name, None)

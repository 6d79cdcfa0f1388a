"""A run directory and its parts, which README.md beside this folder describes."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from env.kafka import Logins, session

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)?", text.strip()).groups()
    return int(number) * _UNITS_MS[unit or "ms"]


def read_properties(path):
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and line[0] not in "#!")
    return {key.strip(): value.strip() for key, _, value in pairs}


@dataclass(frozen=True)
class Settings:
    """The workers' settings that decide the outcomes."""

    schedule_ms: tuple = (5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000)
    jitter: float = 0.2
    dead_retention_ms: int = 14 * 86_400_000
    succeeded_retention_ms: int = 0
    receipt_retention_ms: int = 86_400_000
    key_overlap_ms: int = 86_400_000
    event_types: tuple = ()

    @classmethod
    def of(cls, properties):
        given = {}
        if "delivery.retry.schedule" in properties:
            given["schedule_ms"] = tuple(duration_ms(part) for part in properties["delivery.retry.schedule"].split(","))
        if "delivery.retry.jitter" in properties:
            given["jitter"] = float(properties["delivery.retry.jitter"])
        if "event.types" in properties:
            given["event_types"] = tuple(part.strip() for part in properties["event.types"].split(","))
        for name, key in (
            ("dead_retention_ms", "delivery.dead.retention"),
            ("succeeded_retention_ms", "delivery.succeeded.retention"),
            ("receipt_retention_ms", "receipt.retention"),
            ("key_overlap_ms", "signing.key.overlap"),
        ):
            if key in properties:
                given[name] = duration_ms(properties[key])
        return cls(**given)


@dataclass(frozen=True)
class MemberFiles:
    id: str
    data_dir: Path
    config: Path

    @property
    def replica(self):
        return self.data_dir / "replica.db"


@dataclass(frozen=True)
class Run:
    directory: Path
    members: dict = field(repr=False)  # run.json as it is

    @classmethod
    def load(cls, directory):
        directory = Path(directory).resolve()
        members = json.loads((directory / "run.json").read_text())
        if "logins" in members:
            session.locked = Logins(directory / members["logins"], members["bootstrap"])
        return cls(directory, members)

    def __getattr__(self, name):
        try:
            return self.members[name]
        except KeyError:
            raise AttributeError(f"run.json has no {name}") from None

    def path(self, text):
        return self.directory / text

    @property
    def workers(self):
        return [MemberFiles(w["id"], self.path(w["data_dir"]), self.path(w["config"])) for w in self.members["workers"]]

    @property
    def properties(self):
        return read_properties(self.workers[0].config)

    @property
    def settings(self):
        return Settings.of(self.properties)

"""Records by the schema files, written and read with fastavro; the frame and its fingerprint by
hand.
"""

import contextlib
import io
import json
from datetime import datetime

import fastavro
from fastavro.schema import to_parsing_canonical_form

from .paths import SCHEMAS, STATE_SCHEMA

MARKER = b"\xc3\x01"
EMPTY = 0xC15D213AA4D7A795


def _crc_table():
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (EMPTY if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc64(data):
    """CRC-64-AVRO. Source: Apache Avro 1.11 specification, "Schema Fingerprints"."""
    crc = EMPTY
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


class Schema:
    """The records of one .avsc, framed (single-object encoding) or bare. With its first edition,
    what has nothing newer is written with that one, as a program does it, and both are read.
    """

    def __init__(self, definition, first=None):
        self.definition = definition
        self.first = first and Schema(first)
        # Marked as parsed, so that it is not parsed again for each record.
        self.parsed = fastavro.parse_schema(definition)
        self.frame = MARKER + crc64(to_parsing_canonical_form(definition).encode()).to_bytes(8, "little")

    @classmethod
    def load(cls, name):
        folder = STATE_SCHEMA.parent if name == STATE_SCHEMA.stem else SCHEMAS
        first = STATE_SCHEMA.parent / "edition-1" / f"{name}.avsc"
        return cls(json.loads((folder / f"{name}.avsc").read_text()), json.loads(first.read_text()) if first.exists() else None)

    def bare(self, value, **options):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self.parsed, value, **options)
        return out.getvalue()

    def encode(self, value):
        if self.first:
            with contextlib.suppress(ValueError):
                return self.first.frame + self.first.bare(value, strict_allow_default=True)
        return self.frame + self.bare(value)

    def decode(self, data):
        """Records of a union come as (name, fields) pairs; `plain` undoes that. An id of a registry
        is taken for one of this schema.
        """
        if data[:1] == b"\0":
            return fastavro.schemaless_reader(io.BytesIO(memoryview(data)[5:]), self.parsed, return_record_name=True)
        if self.first and data[:10] == self.first.frame:
            return self.first.decode(data)
        if data[:10] != self.frame:
            raise ValueError(f"frame {data[:10].hex()} is not this schema's {self.frame.hex()}")
        return fastavro.schemaless_reader(io.BytesIO(memoryview(data)[10:]), self.parsed, return_record_name=True)


TIMES = ("timestamp", "createdAt", "updatedAt", "expiresAt", "nextAttemptAt", "attemptedAt", "overlapUntil")


def _from_json(value):
    """Times as fastavro gives them."""
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: datetime.fromisoformat(item) if name in TIMES and item else _from_json(item) for name, item in value.items()}


def event_from_json(text):
    """An event of `results.framing=json`, as the schema's `decode` gives it."""
    event = _from_json(json.loads(text))
    data = event["data"]
    if data:
        kind = data.pop("type")
        if kind == "Problem":
            data["type"] = data.pop("problemType")
        event["data"] = (f"posthorn.v1.{kind}", data)
    return event


def plain(value):
    """A decoded value as its JSON members: the names of union branches dropped, times as
    milliseconds.
    """
    if isinstance(value, tuple):
        return plain(value[1])
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return value


def branch(value):
    """The short name of the record that a union holds, or None."""
    return value[0].rsplit(".", 1)[-1] if isinstance(value, tuple) else None


class Schemas:
    """Those of the interface, and the workers' own."""

    def __init__(self):
        self.command = Schema.load("webhook-command")
        self.issuance = Schema.load("credential-issuance-command")
        self.own_event = Schema.load("event-command")
        self.event = Schema.load("analytic-event")
        self.state = Schema.load("state-record")

"""The ids that follow from where a command came from (R11), computed by code of its own, not by the
workers'.
"""

import hashlib
import struct
import uuid


def _field(value):
    if isinstance(value, int):
        value = struct.pack("<q", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack("<Q", len(value)) + value


def _id(*fields):
    digest = bytearray(hashlib.blake2b(b"".join(map(_field, fields)), digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 8 << 4  # RFC 9562: version 8, and the variant
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def analytic_event(source, index):
    """`source`: (cluster id, topic with its prefix, partition, offset)."""
    return _id("posthorn analytic event", *source, index)


def webhook(source, tenant, command):
    return _id("posthorn webhook", *source, tenant, command)


def event(tenant, command, event_type):
    return _id("posthorn event", tenant, command, event_type)


def delivery(tenant, command, event_type, webhook_id):
    return _id("posthorn delivery", tenant, command, event_type, uuid.UUID(webhook_id).bytes)

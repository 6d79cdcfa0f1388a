"""Commands in the registry's frame, of schemas that are new to the workers all along."""

import time
from types import SimpleNamespace

from env.registry import Front, Registry, framed

RENEWED_AFTER_S = 1.2
VARIANTS = 500  # of each input's schema: workers use 1,024 at most (avro/schema_ids.h)


class Framed:
    """A schema whose id changes every now and then: another text of documentation is another schema
    to the registry, of the same records. In a run of more than ten minutes ids come again.
    """

    def __init__(self, registry, subject, schema):
        self.registry, self.subject, self.schema = registry, subject, schema
        self.made, self.due = 0, 0.0

    def encode(self, value):
        if time.monotonic() >= self.due:
            self.made += 1
            self.id = self.registry.register(self.subject, self.schema.definition | {"doc": f"variant {self.made % VARIANTS}"})
            self.due = time.monotonic() + RENEWED_AFTER_S
        return framed(self.id, self.schema.bare(value))


class SchemaIds:
    """A real registry, the front by which workers reach it and which fails, and `schemas` for a
    producer, who always reaches it.
    """

    def __init__(self, directory, prefix, schemas):
        self.registry = Registry(directory)
        self.front = Front(self.registry)
        self.settings = {"schema.registry.url": self.front.url, "schema.registry.timeout": "1s"}
        self.schemas = SimpleNamespace(
            command=Framed(self.registry, f"{prefix}webhook-admin-value", schemas.command),
            issuance=Framed(self.registry, f"{prefix}credential-issuance-value", schemas.issuance),
            own_event=Framed(self.registry, f"{prefix}webhook-events-value", schemas.own_event),
        )

    def close(self):
        self.front.close()
        self.registry.stop()

"""The schedule of a run: drawn from the seed alone, so that the seed reproduces it."""

import random
from dataclasses import dataclass

STEPS = [
    "before-begin", "after-produce", "after-flush", "after-offsets", "before-kafka-commit", "after-kafka-commit",
    "before-sqlite-commit", "after-sqlite-commit", "after-dispatch", "after-post",
]  # fmt: skip

# Each kind, with its variants. In the order of their importance.
KINDS = {
    "kill": ["short", "long"],
    "step": STEPS,
    "stop": ["zombie"],
    "scale": ["out", "in", "restart"],
    "broker": ["state-leader", "group-coordinator", "transaction-coordinator"],
    "replica": ["deleted", "deleted-running", "truncated", "truncated-running", "read-only"],
    "net": ["cut", "delay", "half-open", "end-lost-before", "end-lost-after", "offsets-lost-after"],
    "disk": ["full", "full-at-start"],
    "clock": ["forward", "back"],
    "compaction": ["restore"],
    "flood": ["webhooks", "keys", "fanout", "pages", "resends"],
    "gateway": ["kill", "deleted", "truncated"],
    "registry": ["cut", "slow", "refusing", "failing"],
    "release": ["kill", "restart"],
}

WEIGHTS = {"kill": 3, "step": 4, "release": 4}  # of a deck; others 1
GAP_S = (4, 14)  # between the beginnings of two, which may overlap
WARM_UP_S = 5
WORKERS = 3


@dataclass(frozen=True)
class Fault:
    at: float
    kind: str
    variant: str
    worker: str
    seconds: float  # how long it lasts, or until what died comes back
    count: int  # any number that the kind needs

    def __str__(self):
        return f"{self.at:6.1f} s  {self.kind:10} {self.variant:22} {self.worker}  for {self.seconds:4.1f} s  n={self.count}"


class Deck:
    """Cards in a shuffled order, all of them before any comes again."""

    def __init__(self, chance, cards):
        self.chance, self.cards, self.left = chance, list(cards), []

    def draw(self):
        if not self.left:
            self.left = self.chance.sample(self.cards, len(self.cards))
        return self.left.pop()


def draw(seed, minutes, kinds):
    chance = random.Random(f"schedule {seed}")
    variants = {kind: Deck(chance, KINDS[kind]) for kind in kinds}
    deck = Deck(chance, [kind for kind in kinds for _ in range(WEIGHTS.get(kind, 1))])
    faults, at = [], WARM_UP_S
    while at < minutes * 60:
        kind = deck.draw()
        faults.append(
            Fault(
                at=round(at, 1),
                kind=kind,
                variant=variants[kind].draw(),
                worker=f"worker-{chance.randint(1, WORKERS)}",
                seconds=round(chance.uniform(0, 12), 1),
                count=chance.randint(1, 60),
            )
        )
        at += chance.uniform(*GAP_S)
    return faults

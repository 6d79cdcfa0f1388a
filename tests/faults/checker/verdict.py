"""The result of a property: the number of things examined, and its violations."""

from dataclasses import dataclass, field

SHOWN = 5


@dataclass
class Verdict:
    looked: int = 0
    wrong: list = field(default_factory=list)
    not_judged: str = ""  # why, where this run cannot show it

    @property
    def holds(self):
        return bool(self.not_judged) or (self.looked > 0 and not self.wrong)

    def look(self, is_right, offender):
        """`offender` is text, or a function that makes it: most are never asked."""
        self.looked += 1
        if not is_right:
            self.wrong.append(offender() if callable(offender) else offender)


@dataclass(frozen=True)
class Property:
    name: str
    promise: str
    judge: object

    def __call__(self, history):
        return self.judge(history)


def render(prop, verdict):
    if verdict.not_judged:
        return [f"  --    {prop.name:<22} {prop.promise}: not judged, {verdict.not_judged}"]
    word = "ok" if verdict.holds else "FAILED"
    lines = [f"  {word:<6}{prop.name:<22} {prop.promise}: {verdict.looked} looked at, {len(verdict.wrong)} wrong"]
    if not verdict.looked:
        lines.append("          there was nothing to look at")
    lines += [f"          {offender}" for offender in verdict.wrong[:SHOWN]]
    if len(verdict.wrong) > SHOWN:
        lines.append(f"          ... and {len(verdict.wrong) - SHOWN} more")
    return lines

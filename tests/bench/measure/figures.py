"""What a bench prints: one line a figure, beside it the limit that it has to keep."""

import json
import os


class Figures:
    def __init__(self, as_json):
        self.as_json = as_json
        self.missed = []

    def __call__(self, name, value, unit="", at_least=None, at_most=None):
        held = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
        if not held:
            self.missed.append(name)
        if self.as_json:
            limits = {"at_least": at_least, "at_most": at_most}
            known = {limit: bound for limit, bound in limits.items() if bound is not None}
            print(json.dumps({"figure": name, "value": round(value, 4), "unit": unit, **known, "held": held}), flush=True)
            return
        limit = f"limit: {'>=' if at_most is None else '<='} {at_least if at_most is None else at_most:,}" if not (at_least is at_most) else ""
        print(f"{name:<44} {value:>14,.{0 if abs(value) >= 1000 else 3}f} {unit:<10} {limit}{'' if held else '   MISSED'}".rstrip(), flush=True)

    def note(self, text):
        if not self.as_json:
            print(text, flush=True)

    def machine(self):
        """Beside what is measured by the clock: what else the machine had to do meanwhile."""
        self("machine: load average of the last minute", os.getloadavg()[0], f"{os.cpu_count()} cores")

    def exit_code(self):
        return 1 if self.missed else 0

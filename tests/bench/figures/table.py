"""The table of `run`: a line a measure, with its limit beside it."""

import json
import re
import sys
from statistics import median


class Table:
    HEAD = ("row", "measure", "median", "min", "max", "unit", "limit", "")

    def __init__(self, as_json, out=None):
        self.as_json, self.out = as_json, out or sys.stdout
        self.exceeded = []
        if not as_json:
            self._line(*self.HEAD)

    def say(self, text):
        """A row's remarks beside its measures, for people."""
        if not self.as_json:
            print(f"     {text}", file=self.out, flush=True)

    def add(self, row, measure, values, unit="", most=None, least=None):
        """`values`: one, or those of the repeats, whose median counts."""
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        value, limit = median(values), most if least is None else least
        ok = (most is None or value <= most) and (least is None or value >= least)
        if not ok:
            self.exceeded.append((row, measure))
        if self.as_json:
            self._json({"row": row, "measure": measure, "value": value, "limit": limit, "min": min(values), "max": max(values)}, unit, ok)
            return
        shown = "" if limit is None else ("<= " if least is None else ">= ") + number(limit)
        verdict = "" if limit is None else "ok" if ok else "--"
        self._line(row, measure, number(value), number(min(values)), number(max(values)), unit, shown, verdict)

    def _json(self, fields, unit, ok):
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}
        if rounded["limit"] is None:
            del rounded["limit"]
        print(json.dumps(rounded | {"unit": unit, "ok": ok}), file=self.out, flush=True)

    def _line(self, row, measure, middle, low, high, unit, limit, verdict):
        line = f"{row:<4} {measure:<48} {middle:>11} {low:>11} {high:>11}  {unit:<6} {limit:<11} {verdict}"
        print(line.rstrip(), file=self.out, flush=True)


class RowFigures:
    """The measures of a bench that stands by itself too (stand.Figures), as those of a row."""

    def __init__(self, table, row):
        self.table, self.row, self.say = table, row, table.say

    def figure(self, name, value, unit="", most=None, least=None, digits=None):
        measure = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        self.table.add(self.row, measure, value, unit.replace("records/s", "1/s"), most, least)


def number(value):
    """Three digits, and never fewer than stand before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 or not value else f"{value:.3g}"

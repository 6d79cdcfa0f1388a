"""All figures in one table, each beside the limit that it must hold: ratios are of one run on one
machine, measured in turns.
"""

import argparse
import os
import sys
import time
import traceback
from contextlib import ExitStack, closing
from functools import cached_property

from .rows_data import row_h, row_j, row_k
from .rows_engine import row_a, row_b, row_c, row_e
from .rows_latency import row_i
from .rows_worker import beside_floor, row_d, row_f, row_g, row_l, row_m
from .stand import Receiver, make_broker
from .table import RowFigures, Table

ROWS = dict(a=row_a, b=row_b, c=row_c, d=row_d, e=row_e, f=row_f, g=row_g, h=row_h, i=row_i, j=row_j, k=row_k, l=row_l, m=row_m)


def rows(text):
    chosen = text.split(",")
    if unknown := [row for row in chosen if row not in ROWS]:
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)}")
    return chosen


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run all", description=__doc__)
    parser.add_argument("--only", type=rows, default=list(ROWS), metavar="ROWS", help="such as f,g; default: all")
    parser.add_argument("--repeats", type=int, default=5, help="of what is short; the median counts (default %(default)s)")
    parser.add_argument("--size", type=float, default=1.0, help="of every row, of the usual; for a look whether they run (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a line a figure")
    return parser.parse_args()


class Run:
    """The programs that several rows use: made at their first use, stopped at the end."""

    def __init__(self, options, stack):
        self.options, self.stack, self.repeats = options, stack, options.repeats
        self.table = Table(options.json)
        self.partitions = self.size(12, least=2)

    def size(self, usual, least=1):
        return max(round(usual * self.options.size), least)

    def figures(self, row):
        """For what is a bench by itself too."""
        return RowFigures(self.table, row)

    @cached_property
    def receiver(self):
        return self.stack.enter_context(closing(Receiver()))

    @cached_property
    def broker(self):
        return self.stack.enter_context(make_broker())

    @cached_property
    def beside_floor(self):
        return beside_floor(self)


def main():
    options = arguments()
    with ExitStack() as stack:
        run = Run(options, stack)
        for row in options.only:
            begun = time.monotonic()
            try:
                ROWS[row](run)
            except Exception:  # the others' minutes are not to be lost for it
                traceback.print_exc()
                run.table.exceeded.append((row, "ended early"))
            run.table.say(f"row {row}: {time.monotonic() - begun:.0f} s; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    sys.exit(1 if run.table.exceeded else 0)


if __name__ == "__main__":
    main()

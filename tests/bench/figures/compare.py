"""The change between two builds: NEW's figures as a part of OLD's, a line a measure. The files are
the output of `run --json`, of one run or of several: then the medians count.
"""

import argparse
import json
import sys
from statistics import median

from .table import number


def read(path):
    """{(row, measure): figure}, in the file's order. Of a measure that is there several times the
    value is the median, and it is ok if the median is, as of several repeats.
    """
    with open(path) as file:
        lines = [line for line in file if line.strip()]
    try:
        figures = [json.loads(line) for line in lines]
        found = {}
        for figure in figures:
            found.setdefault((figure["row"], figure["measure"]), []).append(figure)
        return {key: middle(same) for key, same in found.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not what `run --json` prints: {error!r}") from error


def middle(figures):
    """One of them, with the median of their values; of an even number the worse of the two that are
    in the middle says whether it is within its limit.
    """
    ordered = sorted(figures, key=lambda figure: figure["value"])
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (low if not low.get("ok", True) else high) | {"value": median(figure["value"] for figure in figures)}


def compare(old, new):
    """Lines of text: measures of both runs, then those of one alone."""
    yield f"{'row':<4} {'measure':<48} {'old':>11} {'new':>11} {'new/old':>8}  limit"
    for key in (key for key in old if key in new):
        yield line(old[key], new[key])
    for name, one, other in (("old", old, new), ("new", new, old)):
        for row, measure in (key for key in one if key not in other):
            yield f"{row:<4} {measure:<48} only in {name}"


def line(old, new):
    ratio = f"{new['value'] / old['value']:.3f}" if old["value"] else "-"
    limit = number(new["limit"]) if "limit" in new else ""
    verdict = limit and ("  ok" if new.get("ok", True) else "  --")
    shown = f"{new['row']:<4} {new['measure']:<48} {number(old['value']):>11} {number(new['value']):>11} {ratio:>8}  {limit}{verdict}"
    return shown.rstrip()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="tests/bench/compare", description=__doc__)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    options = parser.parse_args(arguments)
    try:
        old, new = read(options.old), read(options.new)
    except (OSError, ValueError) as error:
        print(f"tests/bench/compare: {error}", file=sys.stderr)
        return 2
    print("\n".join(compare(old, new)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

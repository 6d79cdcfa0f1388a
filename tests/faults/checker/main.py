"""check RUN: reads, judges, prints; exits 1 when anything that was promised did not hold."""

import argparse
import sys

from . import callbacks, changelog, commands, told
from .verdict import render

PROPERTIES = [*commands.PROPERTIES, *changelog.PROPERTIES, *callbacks.PROPERTIES, *told.PROPERTIES]


def judge(history):
    """[(property, verdict)] of all of them."""
    return [(prop, prop(history)) for prop in PROPERTIES]


def main():
    parser = argparse.ArgumentParser(prog="check", description="Decides whether everything that posthorn promises held in a run.")
    parser.add_argument("run", help="the run directory; README.md says what is in it")
    arguments = parser.parse_args()
    # Kafka's client and the schemas are needed for reading only, so that the judges can be tested
    # without them.
    from .read import read
    from .run import Run

    history = read(Run.load(arguments.run), lambda line: print(line, file=sys.stderr))
    verdicts = judge(history)
    for prop, verdict in verdicts:
        print("\n".join(render(prop, verdict)))
    for line in callbacks.numbers(history):
        print(f"  {line}")
    failed = [prop.name for prop, verdict in verdicts if not verdict.holds]
    print(f"{len(verdicts) - len(failed)} properties hold, {len(failed)} do not{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

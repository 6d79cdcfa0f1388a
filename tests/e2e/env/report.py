"""Numbers that a test wants people to see: printed at once (pytest -s) and again at the end of the
run.
"""

LINES = []


class Report:
    def __init__(self, test):
        self.test = test

    def __call__(self, line):
        LINES.append((self.test, line))
        print(f"  {line}")


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]

"""docs/metrics.md against what the programs serve."""

import re

from env.paths import ROOT

# "- `name` (type; labels)", or several names before one type.
ITEM = re.compile(r"^- (`.*?`(?:(?: \(\w+\))?, `\w+`)*) \((\w+)(?:; (.*?))?\)", re.MULTILINE)
NAME = re.compile(r"`(\w+)`(?: \((\w+)\))?")


def documented(chapter):
    """{name: (type, labels)}"""
    text = re.split(r"^## ", (ROOT / "docs/metrics.md").read_text(), flags=re.MULTILINE)
    [part] = [part for part in text if part.startswith(chapter + "\n")]
    found = {}
    for names, kind, labels in ITEM.findall(part.replace("\n  ", " ")):
        for name, own_kind in NAME.findall(names):
            found[name] = (own_kind or kind, frozenset(re.findall(r"`(\w+)`", labels)))
    return found


def served(program):
    """The same of /metrics. Labels of families without a series are not seen, and neither are a
    histogram's bounds.
    """
    lines = program.get("/metrics").out.splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))
    labels = {name: set() for name in kinds}
    for line in lines:
        name, _, rest = line.rpartition(" ")[0].partition("{")
        if name in labels:
            labels[name] |= set(re.findall(r'(\w+)="', rest))
    return {name: (kind, frozenset(labels[name])) for name, kind in kinds.items()}


def check(program, chapter):
    page, truth = documented(chapter), served(program)
    assert page.keys() == truth.keys()
    assert {name: kind for name, (kind, _) in page.items()} == {name: kind for name, (kind, _) in truth.items()}
    assert {name: labels for name, (_, labels) in page.items()} == {name: labels or page[name][1] for name, (_, labels) in truth.items()}


def test_the_page_lists_the_workers_metrics_and_no_others(world):
    check(world.workers[0], "The worker")


def test_the_page_lists_the_gateways_metrics_and_no_others(world, gateway):
    world.client(gateway, world.tenant())("GET", "/v1/webhooks")
    check(gateway, "The gateway")

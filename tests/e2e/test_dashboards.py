"""The dashboards of compose/grafana: Grafana's own schema knows all that is in them, and each
expression has a value in a real Prometheus that scrapes a real pool.
"""

import json
import re

import pytest
from env.paths import ROOT
from env.prometheus import Prometheus, hastened_ranges
from env.wait import until
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "compose/grafana").glob("*.json"))}
RULES = (ROOT / "compose/prometheus/rules.yaml").read_text()
METRICS = (ROOT / "docs/metrics.md").read_text()
# Of Prometheus itself.
OTHERS = {"up", "ALERTS"}


def differences(ours, theirs, path=""):
    """What is in ours, and not the same in theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from differences(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(mine, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path} is {ours}, and read as {theirs}"


def expressions(dashboard):
    """(title of the panel, expression)"""
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]


def metrics(expression):
    return set(re.findall(r"\b(?:posthorn[\w:]+|process_\w+|up|ALERTS)\b", re.sub(r'"[^"]*"', "", expression)))


def test_there_are_two():
    assert set(DASHBOARDS) == {"operator", "tenants"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafana_knows_each_of_its_settings(name):
    """What the schema does not know is lost on the way through it."""
    register_default_plugins()
    read = json.loads(json.dumps(Dashboard.from_json(DASHBOARDS[name]), cls=JSONEncoder))
    assert list(differences(DASHBOARDS[name], read)) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_its_panels_have_places_and_names_of_their_own(name):
    panels = DASHBOARDS[name]["panels"]
    taken = [(x, y) for panel in panels for at in [panel["gridPos"]] for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(taken) == len(set(taken)) and all(x < 24 for x, _ in taken)
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    assert all(panel["type"] == "row" or panel["description"] for panel in panels)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_its_metrics_are_those_of_the_documents_and_rules(name):
    for title, expression in expressions(DASHBOARDS[name]):
        known = lambda metric: metric in OTHERS or re.search(rf"(`|record: ){re.escape(metric.removesuffix('_bucket'))}(`|\n)", METRICS + RULES)
        assert metrics(expression) and all(known(metric) for metric in metrics(expression)), title


def test_each_expression_has_a_value(fresh_world, tmp_path):
    world = fresh_world
    gateway, tenant = world.gateway(), world.tenant()
    worker = world.worker()
    client = world.client(gateway, tenant)
    prometheus = Prometheus(tmp_path / "prometheus", [worker, gateway]).wait_up()
    try:
        world.webhook(tenant, world.receivers.endpoint())

        def work():
            """Rates need what goes on."""
            world.issue(tenant)
            assert client("GET", "/v1/webhooks").status == 200

        for dashboard in DASHBOARDS.values():
            for title, expression in expressions(dashboard):
                hastened = hastened_ranges(expression)
                until(lambda hastened=hastened: prometheus.values(hastened), 60, f"a value of {title}: {hastened}", work)
    finally:
        prometheus.close()

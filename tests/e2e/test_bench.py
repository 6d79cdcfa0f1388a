"""The benches run and print what they are to print. What they measure is judged elsewhere: here
everything is tiny, and the machine is busy.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from env.paths import BIN, ROOT
from env.receiver import Endpoint
from env.sanitizer import SANITIZED
from env.verifier import Jwks, jwk, thumbprint, verify

BENCH = ROOT / "tests/bench"

MEASURES = {
    "a": {"cpu_per_delivery_vs_floor": 1.5},
    "b": {"cpu_per_delivery_vs_floor": 1.4},
    "c": {"cpu_per_delivery_vs_few_hosts": 1.3},
    "d": {"healthy_rate_beside_hung_endpoints_of_that_without": 0.9},
    "e": {"cpu_us_per_delivery": None},
    "f": {"cpu_per_delivery_vs_floor": 2.0, "broker_cpu_per_delivery_vs_floor": None, "two_workers_vs_one": 1.7, "peak_memory": None},
    "g": {"cpu_us_per_command": 25, "commands_per_s": None},
    "h": {"restore_records_a_second": 200_000},
    "i": {"idle_p50": 25, "idle_p99": 60, "half_load_p50": None, "half_load_p99": 250, "half_load_p999": None},
    "j": {"delivery_of_a_worker_1000000_webhooks_vs_100": 1.2, "admin_command_10000_webhooks_vs_100": 1.2},
    "k": {"warm_start_to_ready": 1, "idle_memory": 40, "binary_size": None},
    "l": {"cpu_per_delivery_vs_floor": 1.65, "broker_cpu_per_delivery_vs_floor": 0.35},
    "m": {f"cpu_per_delivery_{name}_vs_without": None for name in ("hmac_alone", "sealed_headers", "filter")},
}


def figures_of(*arguments):
    """{(row, measure): figure}"""
    command = [BENCH / "run", *arguments, "--json"]
    answer = subprocess.run(command, env=os.environ | {"POSTHORN_BIN": str(BIN)}, capture_output=True, text=True, timeout=600, check=False)
    assert answer.returncode in (0, 1) and "Traceback" not in answer.stderr, answer.stderr[-4000:]
    figures = [json.loads(line) for line in answer.stdout.splitlines()]
    return {(figure["row"], figure["measure"]): figure for figure in figures}


@pytest.mark.skipif(SANITIZED, reason="it measures, and needs a sender that is not instrumented")
def test_every_row_prints_its_measures():
    found = figures_of("--only", ",".join(MEASURES), "--size", "0.002", "--repeats", "1")
    for row, measures in MEASURES.items():
        for measure, limit in measures.items():
            figure = found[row, measure]
            assert figure.get("limit") == limit and figure["min"] <= figure["value"] <= figure["max"], figure
            assert limit is None or isinstance(figure["ok"], bool)


def run_bench(*arguments):
    """{figure: its line}"""
    answer = subprocess.run(
        [BENCH / "run", *arguments, "--json"], env=os.environ | {"POSTHORN_BIN": str(BIN)}, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode in (0, 1) and "Traceback" not in answer.stderr, answer.stderr[-1500:]
    return {line["figure"]: line for line in map(json.loads, answer.stdout.splitlines())}


@pytest.mark.skipif(SANITIZED, reason="it measures")
def test_a_pool_is_measured_from_its_start_to_its_growth():
    found = run_bench("pool", "--pools", "2x5", "--webhooks", "40", "--more", "1", "--idle", "1")
    of_pool = {name.removeprefix("2 workers, 5 partitions: "): line["value"] for name, line in found.items()}
    assert of_pool["idle, memory of a worker"] > 1 and of_pool["idle, the broker's CPU"] > 0
    assert of_pool["kill -9, longest wait of a command"] > 5, "the session of the killed one has to end"
    assert of_pool["kill -9, partitions moved"] >= 2, "those of the killed one"
    assert of_pool["rolling restart, partitions moved"] == 0, "each was back in time"
    assert of_pool["rolling restart, the group coordinator's of it"] > 0
    assert of_pool["more workers, until shared again"] > 0


@pytest.mark.skipif(SANITIZED, reason="it measures")
def test_the_price_of_handing_on():
    found = run_bench("reroute", "--commands", "200", "--rounds", "1", "--waits", "4")
    for who in ("worker", "broker"):
        one, other = (found[f"{who}'s CPU per command, {where}"]["value"] for where in ("in its partition", "handed on"))
        assert other / one == pytest.approx(found[f"{who}'s CPU per command, handed on, of that in its partition"]["value"], rel=0.01)
    assert found["from the producer to the receiver, handed on, p50"]["value"] > 0 < found["from the producer to the receiver, in its partition, p50"]["value"]


@pytest.mark.skipif(SANITIZED, reason="it measures")
def test_life_ends_with_nothing_left():
    found = run_bench("life", "--minutes", "0.2", "--rate", "40", "--endpoints", "20")
    assert found["lag at the end"]["value"] == found["deliveries without an end"]["value"] == found["dead deliveries"]["value"] == 0
    assert found["quick healthy endpoints, p99"]["value"] > 0 and found["slow healthy endpoints, p99"]["value"] > 0
    assert found["endpoints that fail by turns, p99"]["value"] >= 4000, "a retry follows after five seconds"
    assert "most" in found["memory in the last third, of that in the first"] and "resident memory, step 10 of 10" in found


@pytest.mark.parametrize("pools", ["1x4", "4x2", "2x4,", "2y4", ""])
def test_a_pool_that_is_none_is_refused(pools):
    answer = subprocess.run(
        [BENCH / "run", "pool", "--pools", pools], env=os.environ | {"POSTHORN_BIN": str(BIN)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 2 and "--pools" in answer.stderr


PRICE = {
    "cpu_per_delivery_vs_floor": 1.65,
    "broker_cpu_per_delivery_vs_floor": 0.35,
    "deliveries_per_s_vs_go": 0.8,
    "peak_memory": 110,
    "go_cpu_per_delivery_vs_floor": None,
    "go_broker_cpu_per_delivery_vs_floor": None,
}


def has_go():
    """Of a module that needs a newer one Go says nothing else."""
    if not shutil.which("go"):
        return False
    return subprocess.run(["go", "list", "-m"], cwd=BENCH / "peers/go", capture_output=True, timeout=120, check=False).returncode == 0


@pytest.mark.skipif(SANITIZED, reason="it measures, and needs a sender that is not instrumented")
def test_posthorn_is_compared_with_a_worker_in_go_that_does_the_same_work():
    if not has_go():
        pytest.skip("there is no Go as new as tests/bench/peers/go/go.mod names")
    found = figures_of("peers", "--records", "2048", "--rounds", "1", "--scenario", "hung")
    assert {measure: found["fast", measure].get("limit") for measure in PRICE} == PRICE
    assert found["hung", "time_of_the_others_of_that_without"]["value"] > 0 < found["hung", "go_time_of_the_others_of_that_without"]["value"]
    bytes = [found["fast", f"{prefix}bytes_of_a_request"]["value"] for prefix in ("", "go_", "floor_")]
    assert bytes == pytest.approx([bytes[0]] * 3, rel=0.01)


def test_a_contestant_that_is_none_is_refused():
    answer = subprocess.run(
        [BENCH / "run", "peers", "--contestants", "floor,rust"],
        env=os.environ | {"POSTHORN_BIN": str(BIN)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2 and "none of floor, go, posthorn: rust" in answer.stderr


def test_a_row_that_is_none_is_refused():
    answer = subprocess.run(
        [BENCH / "run", "--only", "a,z"], env=os.environ | {"POSTHORN_BIN": str(BIN)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 2 and "no such row: z" in answer.stderr


def test_requests_of_the_floor_are_genuine(receivers):
    """By code that is not ours, as those of the worker; so the floor spares itself nothing."""
    endpoint = Endpoint(receivers, receivers.ports[0], "/hook")
    answer = subprocess.run(
        [BIN / "bench_floor", "--deliveries", "20", "--hosts", "2", "--connections", "2", "--port", str(receivers.ports[0])],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    x = dict(line.split() for line in answer.stdout.splitlines())["public_key"]
    jwks = Jwks({"keys": [jwk(x)]})
    assert {verify(request, jwks) for request in endpoint.wait(4 + 20)} == {thumbprint(x)}


# compare


def write(path: Path, *figures):
    path.write_text("".join(json.dumps(figure) + "\n" for figure in figures))
    return path


def figure(row, measure, value, **more):
    return {"row": row, "measure": measure, "value": value, **more}


def compare(*files):
    answer = subprocess.run([BENCH / "compare", *files], capture_output=True, text=True, timeout=30, check=False)
    return answer.returncode, [line.split() for line in answer.stdout.splitlines()[1:]], answer.stderr


def test_compare_prints_ratios(tmp_path):
    old = write(tmp_path / "old", figure("f", "cpu", 2.5, limit=2.0, ok=False), figure("g", "rate", 40_000))
    new = write(tmp_path / "new", figure("f", "cpu", 2.0, limit=2.0, ok=True), figure("g", "rate", 50_000))
    code, lines, _ = compare(old, new)
    assert code == 0
    assert lines == [["f", "cpu", "2.50", "2.00", "0.800", "2.00", "ok"], ["g", "rate", "40,000", "50,000", "1.250"]]


def test_compare_shows_a_limit_that_is_exceeded(tmp_path):
    old = write(tmp_path / "old", figure("a", "cpu", 1.4, limit=1.5, ok=True))
    new = write(tmp_path / "new", figure("a", "cpu", 1.6, limit=1.5, ok=False))
    assert compare(old, new)[1][0][-1] == "--"


def test_compare_of_several_runs_takes_the_medians(tmp_path):
    old = write(tmp_path / "old", *(figure("i", "wait", value, limit=60, ok=value < 60) for value in (12, 10, 90)))
    new = write(tmp_path / "new", *(figure("i", "wait", value, limit=60, ok=value < 60) for value in (80, 70, 9)))
    assert compare(old, new)[1] == [["i", "wait", "12.0", "70.0", "5.833", "60.0", "--"]]


def test_compare_tells_what_only_one_run_has(tmp_path):
    old = write(tmp_path / "old", figure("a", "both", 1), figure("b", "gone", 1))
    new = write(tmp_path / "new", figure("a", "both", 1), figure("c", "added", 1))
    assert compare(old, new)[1][1:] == [["b", "gone", "only", "in", "old"], ["c", "added", "only", "in", "new"]]


def test_compare_of_nothing_to_something_has_no_ratio(tmp_path):
    old, new = write(tmp_path / "old", figure("a", "failed", 0)), write(tmp_path / "new", figure("a", "failed", 3))
    assert compare(old, new)[1][0][4] == "-"


@pytest.mark.parametrize("text", ["not JSON\n", '{"row": "a"}\n', "[1]\n"], ids=["text", "no measure", "no object"])
def test_compare_refuses_what_is_no_run(tmp_path, text):
    bad = tmp_path / "bad"
    bad.write_text(text)
    code, _, error = compare(bad, bad)
    assert code == 2 and "not what `run --json` prints" in error


def test_compare_of_a_file_that_is_not_there(tmp_path):
    code, _, error = compare(tmp_path / "none", tmp_path / "none")
    assert code == 2 and "No such file" in error

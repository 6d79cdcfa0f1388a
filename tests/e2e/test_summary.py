"""The summary of `tests/run`: a test that was not run, or did not even start, is no success."""

import subprocess

import pytest
from env.paths import ROOT

PASSED = '<testcase name="good"/>'
FAILED = '<testcase classname="there" name="bad"><failure message="no"/></testcase>'
SKIPPED = '<testcase name="inside"><skipped type="pytest.skip" message="there are no name spaces">where</skipped></testcase>'
MISSING = '<testcase name="unit_x" status="notrun"><skipped message="Unable to find executable"/></testcase>'
CMOCKA = '<testcase name="unit_y" status="run"><system-out>[       OK ] a\n[  SKIPPED ] b\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n</system-out></testcase>'


@pytest.mark.parametrize(
    "cases, environment, code, said",
    [
        ([PASSED], {}, 0, ["1 passed, 0 failed"]),
        ([PASSED, FAILED], {}, 1, ["failed: there bad", "1 passed, 1 failed"]),
        ([], {}, 1, ["0 passed, 0 failed"]),
        ([PASSED, SKIPPED], {}, 0, ["not run: inside because there are no name spaces", "1 passed, 0 failed"]),
        ([PASSED, SKIPPED], {"CI": "true"}, 1, ["not run: inside because there are no name spaces", "1 passed, 1 failed"]),
        ([PASSED, MISSING], {}, 1, ["failed: unit_x", "1 passed, 1 failed"]),
        ([CMOCKA], {"CI": "true"}, 0, ["not run: b because unit_y leaves it out here", "1 passed, 0 failed"]),
    ],
)
def test_summary(tmp_path, cases, environment, code, said):
    (tmp_path / "results.xml").write_text(f"<testsuite>{''.join(cases)}</testsuite>")
    run = subprocess.run(
        [ROOT / "tests/summary", tmp_path / "results.xml"], env={"PATH": "/usr/bin:/bin"} | environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.splitlines()) == (code, said), run.stderr

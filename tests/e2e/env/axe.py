"""axe-core, Deque's checks of a page's accessibility, unmodified, from npm."""

import functools
import shutil
import subprocess
from pathlib import Path

from .paths import ROOT
from .sanitizer import PATIENCE

PACKAGE = Path(__file__).parents[1] / "page/axe"


@functools.cache
def source():
    folder = ROOT / "build/clients/axe"
    shutil.copytree(PACKAGE, folder, dirs_exist_ok=True)
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


RUN = """const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(found => done(found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 160)}: ${node.failureSummary.slice(0, 200)}`))), error => done([String(error)]));"""


def violations(driver):
    """What it finds on the page as it is: a line for each."""
    driver.execute_script(source())
    return driver.execute_async_script(RUN)

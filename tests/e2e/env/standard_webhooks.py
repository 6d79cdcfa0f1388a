"""The libraries that Standard Webhooks publishes, each in its language, unmodified."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .paths import ROOT
from .sanitizer import PATIENCE

CLIENTS = Path(__file__).parents[1] / "clients/standard-webhooks"


def built(language, tool, *steps):
    """The folder in which it is installed."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is missing")
    folder = ROOT / "build/clients" / f"standard-webhooks-{language}"
    shutil.copytree(CLIENTS / language, folder, dirs_exist_ok=True)
    for step in steps:
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, timeout=600 * PATIENCE, check=False)
        assert done.returncode == 0, f"{step}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return folder


LIBRARIES = {
    "python": (sys.executable, [[sys.executable, "-m", "pip", "install", "-q", "--target", ".", "-r", "requirements.txt"]], [sys.executable, "verify.py"]),
    "node": ("npm", [["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]], ["node", "verify.js"]),
    "go": ("go", [["go", "build", "-o", "verify", "."]], ["./verify"]),
}


def python_library():
    """A folder for sys.path."""
    tool, steps, _ = LIBRARIES["python"]
    return built("python", tool, *steps)


def judged(language, tmp_path, secret, cases):
    """{what: whether the library takes the callback}, of {what: (headers, body)}"""
    tool, steps, command = LIBRARIES[language]
    folder = built(language, tool, *steps)
    for what, (headers, body) in cases.items():
        (tmp_path / what).mkdir(exist_ok=True)
        (tmp_path / what / "headers.json").write_text(json.dumps(headers))
        (tmp_path / what / "body").write_bytes(body)
    ran = subprocess.run(
        [*command, secret, *(tmp_path / what for what in cases)], cwd=folder, capture_output=True, text=True, timeout=60 * PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(zip(cases, [line == "true" for line in ran.stdout.split()], strict=True))

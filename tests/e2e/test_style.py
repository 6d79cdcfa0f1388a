"""The findings of `tests/style`: a fault of each kind, planted into a repository of its own."""

import shutil
import subprocess
import sys

import pytest
from env.paths import ROOT

WIDE = "word " * 25
CMAKE = "cmake_minimum_required(VERSION 3.25)\nproject(x C)\nset(CMAKE_EXPORT_COMPILE_COMMANDS ON)\nadd_library(x x.c)\n"
PRESETS = '{"version": 6, "configurePresets": [{"name": "release", "binaryDir": "build"}]}'

FAULTS = {
    "C, not formatted": ("format", "x.c", "int  x;\n", "code should be clang-formatted"),
    "C, wider than the formatter sees": ("width", "x.c", f"/* ── {WIDE} */\n", "x.c:1: more than"),
    "shell, a word that splits": ("shell", "x", "#!/usr/bin/env bash\necho $1\n", "SC2086"),
    "shell, a wide comment": ("width", "x", f"#!/usr/bin/env bash\n\n# {WIDE}\n", "x:3: more than"),
    "Python, an unused import": ("python", "x.py", "import os\n", "F401"),
    "Python, not formatted": ("python", "x.py", "x  = 1\n", "x = 1"),
    "Python, a program without an ending": ("python", "x", "#!/usr/bin/env python3\nimport os\n", "F401"),
    "Python, a wide comment": ("width", "x.py", f"x = 1\n# {WIDE}\n", "x.py:2: more than"),
    "Python, a wide docstring": ("width", "x.py", f'def x():\n    """A.\n\n    {WIDE}\n    """\n', "x.py:4: more than"),
    "Markdown, a wide paragraph": ("width", "x.md", f"{WIDE}\n", "x.md:1: more than"),
    "CMake, a wide comment": ("width", "CMakeLists.txt", f"# {WIDE}\n", "CMakeLists.txt:1: more than"),
    "C, a comparison with itself": ("tidy", "x.c", "int x(int a);\nint x(int a) {\n\treturn a == a;\n}\n", "misc-redundant-expression"),
}
RIGHT = {
    "C": ("format", "x.c", "int x;\n"),
    "a drawing": ("format", "x.c", "/*\n *   a ──► b\n *   │     c\n */\nint x;\n"),
    "a table": ("width", "x.md", f"| {WIDE} |\n"),
    "a link that cannot be broken": ("width", "x.md", f"- https://example.com/{'x' * 100}\n"),
    "wide code of Python": ("width", "x.py", f'x = "{WIDE}"\n'),
    "C without a fault": ("tidy", "x.c", "int x(void);\nint x(void) {\n\treturn 1;\n}\n"),
}


@pytest.fixture
def style(tmp_path):
    """Runs one check over a repository that holds a file."""
    for name in ("tests/style", "tests/ruff.toml", ".clang-format", ".clang-tidy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    (tmp_path / "CMakePresets.json").write_text(PRESETS)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    def run(check, name, text):
        (tmp_path / name).write_text(text)
        command = [sys.executable, tmp_path / "tests/style", check]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(("check", "name", "text", "finding"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(style, check, name, text, finding):
    code, output = style(check, name, text)
    assert code == 1 and finding in output, output


@pytest.mark.parametrize(("check", "name", "text"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_passes(style, check, name, text):
    code, output = style(check, name, text)
    assert code == 0, output

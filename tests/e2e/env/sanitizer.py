"""Builds under a sanitizer (presets asan, tsan): their options, the factor of their deadlines, and
the search for their reports.
"""

import os
import re

from .paths import ROOT, WORKER

SANITIZED = WORKER.exists() and re.search(rb"__[at]san_init", WORKER.read_bytes()) is not None

# The factor of every deadline in the tests. Deadlines are for a machine that does nothing else; a
# busy one is no failure, and a wait for a condition that comes true loses nothing. The programs
# themselves run on their own settings.
PATIENCE = 6 if SANITIZED else 3

REPORT = re.compile(r"\w+Sanitizer[: ]|: runtime error: ")


def _options(name, ours):
    """Options of the environment win."""
    return {name: ":".join(filter(None, (ours, os.environ.get(name))))}


OPTIONS = (
    _options("TSAN_OPTIONS", f"suppressions={ROOT}/tests/sanitizers/tsan.supp:second_deadlock_stack=1")
    | _options("UBSAN_OPTIONS", "print_stacktrace=1")
    | _options("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1")
)


def reports(text):
    """The lines that begin a report, or are part of one."""
    return [line for line in text.splitlines() if REPORT.search(line)]

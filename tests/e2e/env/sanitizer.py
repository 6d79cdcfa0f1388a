"""Builds under a sanitizer (presets asan, tsan): the factor of their deadlines, and the search for
their reports. tests/sanitizers/options.c has their options.
"""

import re

from .paths import WORKER

SANITIZED = WORKER.exists() and re.search(rb"__[at]san_init", WORKER.read_bytes()) is not None

# The factor of every deadline in the tests. Deadlines are for a machine that does nothing else; a
# busy one is no failure, and a wait for a condition that comes true loses nothing. The programs
# themselves run on their own settings.
PATIENCE = 6 if SANITIZED else 3

REPORT = re.compile(r"\w+Sanitizer[: ]|: runtime error: ")


def reports(text):
    """The lines that begin a report, or are part of one."""
    return [line for line in text.splitlines() if REPORT.search(line)]

"""Waiting on conditions. Nothing here or in the tests sleeps for a time that was guessed: it asks
again until a deadline.
"""

import time

from .sanitizer import PATIENCE


class Deadline(AssertionError):
    """The condition did not come true in time."""


def until(condition, timeout=20.0, what="the condition", step=None):
    """Asks `condition` until it returns something true, and returns that. `step`, when given, is
    called between (and may block a little).
    """
    timeout *= PATIENCE
    end = time.monotonic() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Deadline(f"{what}: not within {timeout:g} s (last: {value!r})")
        if step:
            step()
        else:
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)

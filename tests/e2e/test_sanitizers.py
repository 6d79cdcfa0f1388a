"""That a sanitizer's report fails the test that it came in: as GCC's sanitizers write them. And
their options.
"""

import os
import re
import subprocess

import pytest
from env.paths import WORKER
from env.programs import Worker, run
from env.sanitizer import SANITIZED

REPORTS = {
    "race": "WARNING: ThreadSanitizer: data race (pid=17639)",
    "crash": "==17639==ERROR: ThreadSanitizer: SEGV on unknown address 0x000000000010 (pc 0x7f2a bp 0x7ffd sp 0x7ffd T17639)",
    "the sanitizer's own": "ThreadSanitizer: CHECK failed: sanitizer_libignore.cpp:89 (0)",
    "use after free": "==17639==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x55d1 bp 0x7ffd sp 0x7ffd",
    "leak": "==17639==ERROR: LeakSanitizer: detected memory leaks",
    "undefined": "worker/base/buffer.c:33:9: runtime error: left shift of 1 by 31 places cannot be represented in type 'int'",
}


@pytest.fixture(params=REPORTS.values(), ids=REPORTS.keys())
def line(request):
    return request.param


def test_a_report_is_no_error_that_a_test_can_expect(line, tmp_path):
    worker = Worker(tmp_path, "worker-1", {})
    worker.expect_error(".*")
    worker.log.write_text(f"time=1 level=error msg=expected\n{line}\n    #0 free (libtsan.so.2+0x47e82)\n")
    assert worker.unexpected_errors() == [line]


def test_a_report_of_a_program_that_was_run_is_found(line):
    with pytest.raises(AssertionError, match=re.escape(line)):
        run("sh", "-c", 'echo "$1" >&2', "sh", line)


def test_a_program_has_the_options_of_its_sanitizer():
    environment = os.environ | {"ASAN_OPTIONS": "help=1", "TSAN_OPTIONS": "help=1"}
    told = subprocess.run([WORKER, "--version"], env=environment, capture_output=True, text=True, check=False).stderr
    if not SANITIZED:
        assert not told, "a program without a sanitizer reads no options"
        return
    on = set(re.findall(r"^\s+(\w+)\n.*\(Current Value: (?:1|true)\)", told, re.MULTILINE))
    assert "second_deadlock_stack" in on or {"detect_stack_use_after_return", "strict_string_checks"} <= on, told

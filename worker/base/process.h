/* The first steps of both programs: protection of their memory and of their standard
 * descriptors. */
#pragma once

#include "base/memory.h"

/*
 * Call before anything else, library calls included.
 *
 * - Opens descriptors 0 to 2 to /dev/null where they are closed, so that no log line ends up in a
 *   file or a socket that got number 2.
 * - Makes log lines independent of their reader (log_output.h).
 * - Unsets variables that make a library write secrets (SSLKEYLOGFILE and others), with a warning,
 *   and executes the program again: some are read before main.
 * - Disables core dumps (RLIMIT_CORE is 0 for good) and makes the process non-dumpable, so that no
 *   process of the same user can read its memory, and no program behind core_pattern gets it. A
 *   dump that root takes with gcore has no heap, stack or data (coredump_filter is 0), but the
 *   registers of the threads.
 *   Builds with POSTHORN_FAULTS (debug, asan, tsan) skip this: developers want cores, and
 *   LeakSanitizer traces its own process.
 * - As process 1, has the kernel reap orphans, since neither program waits for a child; and ends by
 *   SIGTERM and SIGINT, with 128 and their number, until they are blocked or caught: the kernel's
 *   default is to ignore them there.
 *
 * Returns 0, or a negative errno where /dev/null cannot be opened.
 */
int process_harden(char **argv) _must_check_;

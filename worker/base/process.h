/* What both programs do before anything else, for what they have in memory and whom they were
 * started by. */
#pragma once

#include "base/memory.h"

/*
 * Before any other call, of a library too:
 *
 *  - Descriptors 0 to 2 are opened where they are closed (/dev/null), so that no log line goes into
 * a file or a socket that happens to be number 2.
 *  - Log lines do not wait for their reader (log_output.h).
 *  - Variables that would have a library write secrets (SSLKEYLOGFILE and its like) are taken away,
 * with a warning. The program is begun anew without them: some are read before main.
 *  - No core is dumped, and no other process of the same user may look into the memory: RLIMIT_CORE
 * is 0 for good, and the process is not dumpable, as is told to programs that core_pattern pipes
 * to. Not in builds with POSTHORN_FAULTS (debug, asan, tsan), which are for developers: a core is
 * wanted there, and LeakSanitizer traces its own process.
 *
 * Returns 0, or a negative errno: without /dev/null.
 */
int process_harden(char **argv) _must_check_;

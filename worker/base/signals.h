/* The signals that end a program, SIGTERM and SIGINT: waited for by one thread, not handled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Blocks them, in the calling thread and in those that it starts from now on. */
void signals_block(void);

/* Waits for one, `timeout_ms` at most, or for ever where that is negative. Returns whether one
 * came; false may come early, after a signal of another kind. */
bool signals_wait(int64_t timeout_ms);

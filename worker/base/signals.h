/* The signals that a program heeds, waited for by one thread, not handled: SIGTERM and SIGINT end
 * it, SIGHUP has it read its configuration again. */
#pragma once

#include <stdint.h>

enum signal_asked { SIGNAL_NONE, SIGNAL_END, SIGNAL_RELOAD };

/* Blocks them, in the calling thread and in those that it starts from now on. */
void signals_block(void);

/* Waits for one, `timeout_ms` at most, or for ever where that is negative. SIGNAL_NONE may come
 * early, after a signal of another kind. An end comes before a reload. */
enum signal_asked signals_wait(int64_t timeout_ms);

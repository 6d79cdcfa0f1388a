/*
 * Fault injection: places where a test makes the worker die.
 *
 * In a build with POSTHORN_FAULTS (presets debug, asan, tsan; never a release),
 * POSTHORN_FAULT=STEP[:N] ends the process at once, without cleaning up, at the N-th call (default
 * the first) of fault_step("STEP"). In any other build the calls are empty.
 */
#pragma once

enum { FAULT_EXIT_STATUS = 70 };

#ifdef POSTHORN_FAULTS
/* Any thread. `step` is a literal. */
void fault_step(const char *step);
#else
static inline void fault_step(const char *step __attribute__((unused))) {
}
#endif

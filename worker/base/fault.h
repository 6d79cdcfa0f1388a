/*
 * Places where a test makes the worker die.
 *
 * In a build with POSTHORN_FAULTS (presets debug, asan, tsan; never a release) the environment
 * variable POSTHORN_FAULT=STEP[:N] ends the process, at once and without cleaning up, the N-th time
 * (default the first) that it comes by fault_step("STEP"). In any other build the steps are
 * nothing.
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

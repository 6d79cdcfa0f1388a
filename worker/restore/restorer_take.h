/* Takes records of the changelog. */
#pragma once

#include "restore/restorer_state.h"

/* Takes those that have come, until the deadline. Returns whether there were any, or a negative
 * errno. */
int restorer_take(struct restorer *restorer, int64_t deadline_ms) _must_check_;

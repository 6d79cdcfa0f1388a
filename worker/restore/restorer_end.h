/* The end of restores, and of the transactions that they wait for. */
#pragma once

#include "restore/restorer_state.h"

/* Ends transactions that dead workers left open. */
void restorer_take_over(struct restorer *restorer);
/* Ends the restores that are done or torn. Returns 0; REPLICA_E_MORE when one is done and the
 * replica is not ready for its rows to be read; or a negative errno. */
int restorer_finish(struct restorer *restorer) _must_check_;
/* Takes a restore out of its list, and puts everything away after the last one. */
void restorer_unlink(struct restorer *restorer, struct restore *restore);

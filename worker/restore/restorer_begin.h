/* The start of a restore, and every new start. Both return 0, or a negative errno of the replica.
 */
#pragma once

#include "restore/restorer_state.h"

/* Begins at the offset that the replica reflects, or from scratch. */
int restorer_begin(struct restorer *restorer, struct restore *restore) _must_check_;
/* Begins from scratch: drops the partition's rows. */
int restorer_begin_again(struct restorer *restorer, struct restore *restore,
			 const char *why) _must_check_;

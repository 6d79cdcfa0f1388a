/* Asks the brokers how far each partition is to be read, and from whom. */
#pragma once

#include "restore/restorer_state.h"

/* Asks for the targets and the leaders that are not known. Returns 1 when all are, 0 when the
 * brokers did not tell, or it is too early to ask again; or a negative errno. */
int restorer_ask(struct restorer *restorer) _must_check_;

/* What follows from the refusals by which a turn was undone, for those to come. */
#pragma once

#include "pipeline/turn_state.h"

/* Called after the rollback of the turn whose transaction ended so. */
void turn_heed(struct turn *turn, const struct transaction_end *ended);

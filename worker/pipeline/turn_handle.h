/* Handling: all that a turn took becomes effects, which are written. */
#pragma once

#include "pipeline/turn_take.h"

/* Handles and writes all of it, and commands as far as the turn's budget allows. */
int turn_handle(struct turn *turn, struct work *work) _must_check_;

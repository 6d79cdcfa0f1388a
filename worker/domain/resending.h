/* Sending a delivery again: pending, it is due now; ended, it is pending again, as if just
 * recorded, with its id and its body. Inside `domain` only. */
#pragma once

#include "domain/effects.h"

/* Makes it due, and tells so (RESEND). One that is due already is only written again. */
void resend_delivery(struct effects *out, const struct delivery *delivery, int64_t now_ms);

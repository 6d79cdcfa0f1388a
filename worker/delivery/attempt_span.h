/* The span of an attempt, for a delivery whose command belongs to a sampled trace. It is the child
 * of the command's span; the endpoint gets it as traceparent, so that its own spans follow. */
#pragma once

#include "delivery/transfer.h"

/* Chooses the span's id, or none. Appends the line of the traceparent: of this span, or the
 * command's as it is. */
void attempt_span_begin(struct transfer *transfer);

/* The attempt has its result. */
void attempt_span_end(const struct transfer *transfer, int64_t duration_us);

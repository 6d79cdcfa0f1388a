/* The span of an attempt, for a delivery whose command belongs to a sampled trace. It is the child
 * of the command's span; the endpoint gets it as traceparent, so that its own spans follow. */
#pragma once

#include "base/buffer.h"
#include "delivery/job.h"
#include "trace/span.h"

/* Chooses the span's id, or none (an empty one). Appends the line of the traceparent, of this span
 * or the command's as it is, and that of the tracestate. */
void attempt_span_begin(const struct job *job, struct span_ref *span, struct buffer *lines);

/* The attempt has its result. */
void attempt_span_end(const struct job *job, const struct span_ref *ref, int64_t duration_us);

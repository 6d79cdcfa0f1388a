/* The header lines of an attempt's request. */
#pragma once

#include "delivery/engine_shared.h"
#include "delivery/job.h"
#include "trace/span.h"

/* Signs the callback and writes its lines, as one text, over those that `lines` holds. curl copies
 * a header into the request as it is, and looks at each one of its list a dozen times: so all lines
 * are one header to it. `span`: of the attempt. */
void request_lines_write(struct buffer *lines, const struct job *job,
			 const struct engine_shared *shared, struct span_ref *span);
/* The webhook's own headers are secrets. */
void request_lines_wipe(struct buffer *lines, const struct job *job);

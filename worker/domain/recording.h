/* Recording a delivery with the command that asks for it. Inside `domain` only. */
#pragma once

#include "base/buffer.h"
#include "domain/handling.h"

/*
 * Records a pending delivery of the event, due now, and announces it. One that is pending already
 * with the same id (R11) is left as it is; one that is dead is recorded anew. `out`, where not
 * NULL, gets what it is and when it is due, either way. Returns 0 or a negative errno.
 */
int record_delivery(struct handling *handling, const struct uuid *webhook_id, enum event_type type,
		    const struct buffer *event_json, struct delivery *out) _must_check_;

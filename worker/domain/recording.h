/* Recording a delivery as an effect of a command. Inside `domain` only. */
#pragma once

#include "base/buffer.h"
#include "domain/command_run.h"

struct recording {
	const struct uuid *webhook_id;
	const char *type;    /* of the event */
	const char *subject; /* that its record keeps; NULL: none */
};

/*
 * Records a pending delivery of the event, due now, and adds its event. A delivery that is already
 * pending under the same id (R11) stays as it is; a dead one is recorded again. `out`, where not
 * NULL, gets the delivery with its due time in either case. Returns 0 or a negative errno.
 */
int record_delivery(struct command_run *run, const struct recording *recording,
		    const struct buffer *event_json, struct delivery *out) _must_check_;

/* Adds to the validation that the field makes a callback larger than DELIVERY_BODY_MAX, or those of
 * all the tenant's webhooks than FANOUT_BYTES_MAX. */
void recording_add_too_large(struct command_run *run, const char *param, const char *value);

#include "domain/recording.h"

#include "domain/callback_body.h"
#include "domain/id.h"
#include "domain/limits.h"

static void put_delivery(struct command_run *run, struct delivery *delivery,
			 const struct buffer *event_json) {
	callback_body(run->effects->arena, event_json, delivery);
	effects_put(run->effects,
		    &(struct state_record){ .kind = STATE_DELIVERY, .delivery = *delivery });
	command_run_add_received(run, delivery);
}

/* A worker of the first edition cannot read it (R13): it is left out until there is none. */
static const char *trace_state(const struct command_run *run) {
	return run->context->edition == GROUP_EDITION_NEWEST ? run->envelope->tracestate : NULL;
}

int record_delivery(struct command_run *run, const struct recording *recording,
		    const struct buffer *event_json, struct delivery *out) {
	const struct registry *registry = run->context->registry;
	const struct command_envelope *envelope = run->envelope;
	struct delivery delivery = {
		.id = id_of_delivery(envelope->tenant_id, envelope->command_id, recording->type,
				     recording->webhook_id),
		.event_id = id_of_event(envelope->tenant_id, envelope->command_id, recording->type),
		.webhook_id = *recording->webhook_id,
		.tenant_id = envelope->tenant_id,
		.command_id = envelope->command_id,
		.request_id = envelope->request_id,
		.client_id = envelope->client_id,
		.traceparent = envelope->traceparent,
		.event_type = recording->type,
		.subject = recording->subject,
		.tracestate = trace_state(run),
		.status = DELIVERY_PENDING,
		.created_at_ms = run->context->now_ms,
		.next_attempt_at_ms = run->context->now_ms,
	};
	enum delivery_status status;
	int64_t due_ms;
	int r;

	r = registry->delivery_find(registry->userdata, &delivery.id, &status, &due_ms);
	if (r < 0)
		return r;
	if (r == 0 && status == DELIVERY_PENDING)
		delivery.next_attempt_at_ms = due_ms;
	else
		put_delivery(run, &delivery, event_json);
	if (out)
		*out = delivery;
	return 0;
}

_Static_assert(DELIVERY_BODY_MAX == 256 * 1024 && FANOUT_BYTES_MAX == 32 * 1024 * 1024,
	       "the message says so");

void recording_add_too_large(struct command_run *run, const char *param, const char *value) {
	validation_add(&run->validation, param, "body", value,
		       "Must leave the callback's body within 256 KiB, and the bodies for all of "
		       "the tenant's webhooks within 32 MiB");
}

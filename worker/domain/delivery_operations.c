#include "domain/callback_body.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain/operations.h"
#include "domain/recording.h"
#include "domain/resending.h"

#include <string.h>

static void answer_accepted(struct command_run *run, const struct delivery *delivery) {
	command_run_answer(run, 202,
			   &(struct event_data){
			       .kind = EVENT_DATA_DELIVERY,
			       .delivery = { .delivery_id = delivery->id,
					     .webhook_id = delivery->webhook_id,
					     .event_type = delivery->event_type,
					     .duration_ms = -1,
					     .next_attempt_at_ms = delivery->next_attempt_at_ms },
			   });
}

int operation_test_webhook(struct command_run *run, const void *userdata) {
	_cleanup_(buffer_destroy) struct buffer event_json = BUFFER_INIT(EVENT_JSON_MAX);
	const struct command_envelope *envelope = run->envelope;
	struct webhook webhook;
	struct delivery delivery;
	struct uuid event_id;
	int r;

	r = operation_find_enabled(run, userdata, &webhook);
	if (r)
		return r;
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries, 1))
		return 0;
	event_id = id_of_event(envelope->tenant_id, envelope->command_id, EVENT_TYPE_WEBHOOK_TEST);
	event_json_test(&event_json, &event_id, &webhook.id, envelope->timestamp_ms);
	r = record_delivery(run, &(struct recording){ &webhook.id, EVENT_TYPE_WEBHOOK_TEST, NULL },
			    &event_json, &delivery);
	if (r < 0)
		return r;
	answer_accepted(run, &delivery);
	return 0;
}

/* The webhook of a delivery that is to be sent again. Returns 0; 1 after answering; or a negative
 * errno. */
static int find_webhook_of(struct command_run *run, const struct command *command,
			   const struct delivery *delivery) {
	const struct registry *registry = run->context->registry;
	struct webhook webhook;
	int r = registry->webhook_get(registry->userdata, run->effects->arena,
				      run->envelope->tenant_id, &delivery->webhook_id, &webhook);

	if (r == REGISTRY_E_NOT_FOUND)
		operation_answer_about(run, 409, "The delivery's webhook was deleted.", command->id,
				       "Must be to a webhook that is there");
	if (r || !webhook.disabled)
		return r;
	operation_answer_about(run, 409, "The delivery's webhook is disabled.", command->id,
			       "Must be to a webhook that is not disabled");
	return 1;
}

/* Another tenant's delivery is none. As find_webhook_of. */
static int find_delivery(struct command_run *run, const struct command *command,
			 struct delivery *out) {
	const struct registry *registry = run->context->registry;
	struct uuid id;
	int r;

	validate_id(&run->validation, command->id, &id);
	if (command_run_refused(run) || operation_meets_older(run))
		return 1;
	r = registry->delivery_get(registry->userdata, run->effects->arena, &id, out);
	if (r == 0 && strcmp(out->tenant_id, run->envelope->tenant_id) != 0)
		r = REGISTRY_E_NOT_FOUND;
	if (r == REGISTRY_E_NOT_FOUND)
		operation_answer_about(run, 404,
				       "The delivery does not exist, or is no longer kept.",
				       command->id, "Not found");
	return r ? r : find_webhook_of(run, command, out);
}

int operation_resend_delivery(struct command_run *run, const void *userdata) {
	struct delivery delivery;
	int r = find_delivery(run, userdata, &delivery);

	if (r)
		return MIN(r, 0);
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries,
				delivery.status != DELIVERY_PENDING))
		return 0;
	resend_delivery(run->effects, &delivery, run->context->now_ms);
	run->effects->is_asked_for = true;
	delivery.next_attempt_at_ms = run->context->now_ms;
	answer_accepted(run, &delivery);
	return 0;
}

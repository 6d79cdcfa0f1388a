#include "domain/callback_body.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain/operations.h"
#include "domain/recording.h"

/* Finds the command's webhook, which must not be disabled. Returns 0; 1 after answering; or a
 * negative errno. */
static int find_enabled(struct command_run *run, const struct command *command,
			struct webhook *out) {
	int r = operation_find_webhook(run, command, out);

	return r ? r : operation_is_disabled(run, command, out);
}

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

	r = find_enabled(run, userdata, &webhook);
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

/* Makes a dead delivery pending, as if just recorded; its id and body stay. */
static void revive(struct command_run *run, const struct delivery *dead) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *dead };

	record.delivery.status = DELIVERY_PENDING;
	record.delivery.attempts = 0;
	record.delivery.last_status = 0;
	record.delivery.last_reason = NULL;
	record.delivery.next_attempt_at_ms = run->context->now_ms;
	effects_put(run->effects, &record);
}

/* How many deliveries may be revived at once; at least 1 is looked for, so that a tenant without
 * dead deliveries gets 0 and not a refusal. */
static size_t room(const struct command_run *run) {
	const struct handler_context *context = run->context;
	int64_t max = context->settings->tenant_max[TENANT_LIMIT_PENDING_DELIVERIES];

	return max == 0 ? RECOVER_MAX
			: (size_t)MIN(MAX(max - context->pending_deliveries, (int64_t)1),
				      (int64_t)RECOVER_MAX);
}

/* A disabled webhook is refused: its pending deliveries are cancelled, so reviving dead ones
 * would lose them. */
int operation_recover_deliveries(struct command_run *run, const void *userdata) {
	const struct registry *registry = run->context->registry;
	const struct command *command = userdata;
	struct event_data data = { .kind = EVENT_DATA_RECOVERED };
	struct delivery *dead;
	struct webhook webhook;
	size_t count;
	int r;

	validate_since(&run->validation, command->since_ms);
	r = find_enabled(run, command, &webhook);
	if (r)
		return r;
	r = registry->delivery_dead(
	    registry->userdata, run->effects->arena, &webhook.id, command->since_ms,
	    (struct delivery_bounds){ room(run), RECOVER_BYTES_MAX }, &dead, &count);
	if (r < 0)
		return r;
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries, (int64_t)count))
		return 0;
	for (size_t i = 0; i < count; i++)
		revive(run, &dead[i]);
	data.recovered = (int32_t)count;
	command_run_answer(run, 200, &data);
	return 0;
}

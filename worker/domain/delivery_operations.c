#include "domain/callback_body.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain/operations.h"
#include "domain/recording.h"

/* The webhook that the command names, where it can take deliveries. Returns 0; 1 after answering;
 * or a negative errno. */
static int find_enabled(struct handling *handling, const struct command *command,
			struct webhook *out) {
	struct uuid id;
	int r;

	validate_id(&handling->validation, command->id, &id);
	if (handling_refused(handling))
		return 1;
	r = operation_find_webhook(handling, command, &id, out);
	if (r)
		return r;
	return operation_is_disabled(handling, command, out);
}

static void answer_accepted(struct handling *handling, const struct delivery *delivery) {
	handling_answer(handling, 202,
			&(struct event_data){
			    .kind = EVENT_DATA_DELIVERY,
			    .delivery = { .delivery_id = delivery->id,
					  .webhook_id = delivery->webhook_id,
					  .event_type = delivery->event_type,
					  .duration_ms = -1,
					  .next_attempt_at_ms = delivery->next_attempt_at_ms },
			});
}

int operation_test_webhook(struct handling *handling, const void *userdata) {
	_cleanup_(buffer_destroy) struct buffer event_json = BUFFER_INIT(EVENT_JSON_MAX);
	const struct command_envelope *envelope = handling->envelope;
	struct webhook webhook;
	struct delivery delivery;
	struct uuid event_id;
	int r;

	r = find_enabled(handling, userdata, &webhook);
	if (r)
		return r;
	if (handling_exceeds(handling, TENANT_LIMIT_PENDING_DELIVERIES,
			     handling->context->pending_deliveries, 1))
		return 0;
	event_id = id_of_event(envelope->tenant_id, envelope->command_id, EVENT_TYPE_WEBHOOK_TEST);
	event_json_test(&event_json, &event_id, &webhook.id, envelope->timestamp_ms);
	r = record_delivery(handling, &webhook.id, EVENT_TYPE_WEBHOOK_TEST, &event_json, &delivery);
	if (r < 0)
		return r;
	answer_accepted(handling, &delivery);
	return 0;
}

/* As if it had just been recorded; the id stays, and so does the body. */
static void revive(struct handling *handling, const struct delivery *dead) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *dead };

	record.delivery.status = DELIVERY_PENDING;
	record.delivery.attempts = 0;
	record.delivery.last_status = 0;
	record.delivery.last_reason = NULL;
	record.delivery.next_attempt_at_ms = handling->context->now_ms;
	effects_put(handling->effects, &record);
}

/* How many may be revived at once. One is asked for where none may be, so that a tenant that has
 * none is told so. */
static size_t room(const struct handling *handling) {
	const struct handler_context *context = handling->context;
	int64_t max = context->settings->tenant_max[TENANT_LIMIT_PENDING_DELIVERIES];

	return max == 0 ? RECOVER_MAX
			: (size_t)MIN(MAX(max - context->pending_deliveries, (int64_t)1),
				      (int64_t)RECOVER_MAX);
}

/* A disabled webhook's pending deliveries are withdrawn: reviving its dead ones would lose them, so
 * it is refused. */
int operation_recover_deliveries(struct handling *handling, const void *userdata) {
	const struct registry *registry = handling->context->registry;
	const struct command *command = userdata;
	struct event_data data = { .kind = EVENT_DATA_RECOVERED };
	struct delivery *dead;
	struct webhook webhook;
	size_t count;
	int r;

	validate_since(&handling->validation, command->since_ms);
	r = find_enabled(handling, command, &webhook);
	if (r)
		return r;
	r = registry->delivery_dead(
	    registry->userdata, handling->effects->arena, &webhook.id, command->since_ms,
	    (struct delivery_bounds){ room(handling), RECOVER_BYTES_MAX }, &dead, &count);
	if (r < 0)
		return r;
	if (handling_exceeds(handling, TENANT_LIMIT_PENDING_DELIVERIES,
			     handling->context->pending_deliveries, (int64_t)count))
		return 0;
	for (size_t i = 0; i < count; i++)
		revive(handling, &dead[i]);
	data.recovered = (int32_t)count;
	handling_answer(handling, 200, &data);
	return 0;
}

#include "domain/delivery.h"

#include "base/invariant.h"
#include "base/memory.h"
#include "domain/attempt.h"
#include "domain/field_hash.h"

static const char *const status_names[DELIVERY_STATUS_COUNT] = {
	[DELIVERY_PENDING] = "pending",
	[DELIVERY_DEAD] = "dead",
	[DELIVERY_SUCCEEDED] = "succeeded",
};

const char *delivery_status_name(enum delivery_status status) {
	return status_names[status];
}

int delivery_status_parse(const char *name, enum delivery_status *out) {
	for (size_t i = 0; i < ARRAY_LEN(status_names); i++) {
		if (!strcmp(status_names[i], name)) {
			*out = (enum delivery_status)i;
			return 0;
		}
	}
	return DELIVERY_STATUS_E_UNKNOWN;
}

struct delivery delivery_copy_without_body(struct arena *arena, const struct delivery *delivery) {
	struct delivery copy = *delivery;

	copy.tenant_id = arena_strdup_null(arena, delivery->tenant_id);
	copy.command_id = arena_strdup_null(arena, delivery->command_id);
	copy.request_id = arena_strdup_null(arena, delivery->request_id);
	copy.client_id = arena_strdup_null(arena, delivery->client_id);
	copy.traceparent = arena_strdup_null(arena, delivery->traceparent);
	copy.last_reason = arena_strdup_null(arena, delivery->last_reason);
	copy.event_type = arena_strdup_null(arena, delivery->event_type);
	copy.subject = arena_strdup_null(arena, delivery->subject);
	copy.tracestate = arena_strdup_null(arena, delivery->tracestate);
	copy.body = NULL;
	copy.body_len = 0;
	return copy;
}

struct delivery delivery_copy(struct arena *arena, const struct delivery *delivery) {
	struct delivery copy = delivery_copy_without_body(arena, delivery);

	copy.body = arena_strndup(arena, delivery->body, delivery->body_len);
	copy.body_len = delivery->body_len;
	return copy;
}

struct delivery delivery_without_texts(const struct delivery *delivery) {
	struct delivery copy = *delivery;

	copy.tenant_id = copy.command_id = copy.request_id = copy.client_id = copy.traceparent =
	    copy.last_reason = copy.subject = copy.tracestate = copy.event_type = NULL;
	copy.body = NULL;
	copy.body_len = 0;
	return copy;
}

/* -1..1, evenly distributed over deliveries and attempts. */
static double jitter_of(const struct uuid *delivery_id, int32_t attempts) {
	struct field_hash hash;
	uint8_t digest[FIELD_HASH_SIZE];
	uint32_t value = 0;

	field_hash_init(&hash, "posthorn retry jitter");
	field_hash_add_bytes(&hash, delivery_id->bytes, sizeof(delivery_id->bytes));
	field_hash_add_int(&hash, attempts);
	field_hash_finish(&hash, digest);
	for (size_t i = 0; i < sizeof(value); i++)
		value = value << 8 | digest[i];
	return (double)value / (double)UINT32_MAX * 2 - 1;
}

int64_t retry_delay_ms(const struct retry_policy *policy, const struct uuid *delivery_id,
		       int32_t attempts, int64_t retry_after_ms) {
	int64_t base_ms, back_off_ms, asked_ms;

	invariant_with(attempts >= 1, "a retry follows an attempt", "attempts=%d", attempts);
	if ((size_t)attempts > policy->schedule_count)
		return -1;
	base_ms = policy->schedule_ms[attempts - 1];
	back_off_ms = base_ms + (int64_t)((double)base_ms * policy->jitter *
					  jitter_of(delivery_id, attempts));
	asked_ms = MIN(retry_after_ms, (int64_t)RETRY_AFTER_MAX_MS);
	return MAX(back_off_ms, asked_ms);
}

static int64_t with_jitter(const struct retry_policy *policy, int64_t ms) {
	return ms + (int64_t)((double)ms * policy->jitter);
}

/* The longest wait before the next attempt that any worker may have recorded. */
static int64_t longest_wait_ms(const struct retry_policy *policy, const struct delivery *delivery) {
	int64_t longest_ms = 0;

	/* The whole schedule counts: the worker that recorded it may have had another one. */
	for (size_t i = 0; i < policy->schedule_count; i++)
		longest_ms = MAX(longest_ms, policy->schedule_ms[i]);
	longest_ms = with_jitter(policy, longest_ms);
	return attempt_may_ask_to_wait(delivery->last_status)
		   ? MAX(longest_ms, (int64_t)RETRY_AFTER_MAX_MS)
		   : longest_ms;
}

/* The longest that the schedule alone makes it wait after its last attempt. */
static int64_t scheduled_wait_ms(const struct retry_policy *policy,
				 const struct delivery *delivery) {
	return (size_t)delivery->attempts <= policy->schedule_count
		   ? with_jitter(policy, policy->schedule_ms[delivery->attempts - 1])
		   : 0;
}

int64_t retry_due_ms(const struct retry_policy *policy, const struct delivery *delivery,
		     int64_t now_ms, bool clock_was_ahead) {
	int64_t due_ms = delivery->next_attempt_at_ms;
	int64_t wait_ms = delivery->attempts == 0 ? 0
			  : clock_was_ahead       ? scheduled_wait_ms(policy, delivery)
						  : longest_wait_ms(policy, delivery);

	return due_ms > now_ms + wait_ms ? now_ms : due_ms;
}

#include "domain/operations.h"

struct signing_key operation_put_signing_key(struct handling *handling, int32_t epoch) {
	const struct handler_context *context = handling->context;
	const char *tenant_id = handling->envelope->tenant_id;
	struct state_record record = {
		.kind = STATE_SIGNING_KEY,
		.signing_key = { .tenant_id = tenant_id,
				 .epoch = epoch,
				 .created_at_ms = context->now_ms },
	};

	context->derive_key(context->derive_key_userdata, handling->effects->arena, tenant_id,
			    epoch, &record.signing_key);
	effects_put(handling->effects, &record);
	return record.signing_key;
}

/* The key that signed until now verifies what is under way, and stays in the JWKS for the overlap.
 */
static void retire(struct handling *handling, const struct signing_key *key) {
	struct state_record record = { .kind = STATE_SIGNING_KEY, .signing_key = *key };

	record.signing_key.expires_at_ms =
	    handling->context->now_ms + handling->context->settings->signing_key_overlap_ms;
	effects_put(handling->effects, &record);
}

/* Returns 0; 1 after answering; or a negative errno. */
static int check_room(struct handling *handling) {
	const struct handler_context *context = handling->context;
	size_t count, max = (size_t)context->settings->tenant_max[TENANT_LIMIT_SIGNING_KEYS];
	int r = context->registry->signing_key_count(context->registry->userdata,
						     handling->envelope->tenant_id, context->now_ms,
						     max, &count);

	return r < 0 ? r : handling_exceeds(handling, TENANT_LIMIT_SIGNING_KEYS, (int64_t)count, 1);
}

int operation_rotate_signing_key(struct handling *handling, const void *userdata _unused_) {
	const struct registry *registry = handling->context->registry;
	struct event_data data = { .kind = EVENT_DATA_SIGNING_KEY };
	struct signing_key newest, fresh;
	int r;

	if (handling_refused(handling))
		return 0;
	r = check_room(handling);
	if (r)
		return MIN(r, 0);
	r = registry->signing_key_newest(registry->userdata, handling->effects->arena,
					 handling->envelope->tenant_id, &newest);
	if (r < 0)
		return r;
	if (r == 0)
		retire(handling, &newest);
	fresh = operation_put_signing_key(handling, r == 0 ? newest.epoch + 1 : 1);
	data.signing_key =
	    (struct signing_key_report){ .kid = fresh.kid, .created_at_ms = fresh.created_at_ms };
	handling_answer(handling, 201, &data);
	return 0;
}

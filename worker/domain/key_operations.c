#include "domain/operations.h"

struct signing_key operation_put_signing_key(struct command_run *run, int32_t epoch) {
	const struct handler_context *context = run->context;
	const char *tenant_id = run->envelope->tenant_id;
	struct state_record record = {
		.kind = STATE_SIGNING_KEY,
		.signing_key = { .tenant_id = tenant_id,
				 .epoch = epoch,
				 .created_at_ms = context->now_ms },
	};

	context->keys->derive_key(context->keys->userdata, run->effects->arena, tenant_id, epoch,
				  &record.signing_key);
	effects_put(run->effects, &record);
	return record.signing_key;
}

/* The former signing key still verifies callbacks under way, so it stays in the JWKS for the
 * overlap. */
static void retire(struct command_run *run, const struct signing_key *key) {
	struct state_record record = { .kind = STATE_SIGNING_KEY, .signing_key = *key };

	record.signing_key.expires_at_ms =
	    run->context->now_ms + run->context->settings->signing_key_overlap_ms;
	effects_put(run->effects, &record);
}

/* Returns 0; 1 after answering; or a negative errno. */
static int check_room(struct command_run *run) {
	const struct handler_context *context = run->context;
	size_t count, max = (size_t)context->settings->tenant_max[TENANT_LIMIT_SIGNING_KEYS];
	int r = context->registry->signing_key_count(
	    context->registry->userdata, run->envelope->tenant_id, context->now_ms, max, &count);

	return r < 0 ? r : command_run_exceeds(run, TENANT_LIMIT_SIGNING_KEYS, (int64_t)count, 1);
}

int operation_rotate_signing_key(struct command_run *run, const void *userdata _unused_) {
	const struct registry *registry = run->context->registry;
	struct event_data data = { .kind = EVENT_DATA_SIGNING_KEY };
	struct signing_key newest, fresh;
	int r;

	if (command_run_refused(run))
		return 0;
	r = check_room(run);
	if (r)
		return MIN(r, 0);
	r = registry->signing_key_newest(registry->userdata, run->effects->arena,
					 run->envelope->tenant_id, &newest);
	if (r < 0)
		return r;
	if (r == 0)
		retire(run, &newest);
	fresh = operation_put_signing_key(run, r == 0 ? newest.epoch + 1 : 1);
	data.signing_key =
	    (struct signing_key_report){ .kid = fresh.kid, .created_at_ms = fresh.created_at_ms };
	command_run_answer(run, 201, &data);
	return 0;
}

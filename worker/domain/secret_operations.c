/* The secrets of a webhook: the values of its headers, and what its HMAC signatures are made
 * with. */
#include "domain/operations.h"

#include <strings.h>

static const struct webhook_header *find_header(const struct webhook *webhook, const char *name) {
	for (size_t i = 0; webhook && i < webhook->header_count; i++)
		if (strcasecmp(webhook->headers[i].name, name) == 0)
			return &webhook->headers[i];
	return NULL;
}

/* Seals the value that was given; or the one that the webhook has, so that each update moves its
 * values to the newest master key. */
static void seal_header(struct command_run *run, const struct header_given *given,
			const struct webhook *former, struct webhook *webhook, size_t i) {
	const struct handler_keys *keys = run->context->keys;
	struct webhook_header *header = &webhook->headers[i];
	struct arena *arena = run->effects->arena;
	const struct webhook_header *kept;
	const char *msg = "Must be given";

	*header = (struct webhook_header){ .name = given->name };
	if (given->value) {
		keys->seal_header(keys->userdata, arena, webhook, given->value, header);
		return;
	}
	kept = find_header(former, given->name);
	if (kept && keys->reseal_header(keys->userdata, arena, former, kept, header) == 0)
		return;
	if (kept)
		msg = "Must be given: the one that the webhook has cannot be opened";
	validation_add(&run->validation, arena_printf(arena, "headers[%zu].value", i), "body", NULL,
		       msg);
}

int operation_give_secrets(struct command_run *run, const struct command *command,
			   const struct webhook *former, struct webhook *webhook) {
	const struct handler_keys *keys = run->context->keys;

	webhook->header_count = command->header_count;
	if (webhook->header_count > 0)
		webhook->headers = arena_zalloc(run->effects->arena,
						webhook->header_count * sizeof(*webhook->headers));
	for (size_t i = 0; i < webhook->header_count; i++)
		seal_header(run, &command->headers[i], former, webhook, i);
	if (command_run_refused(run))
		return 1;
	if (former) {
		webhook->secret_epoch = former->secret_epoch;
		webhook->secret_overlap_until_ms = former->secret_overlap_until_ms;
		webhook->secret_master_key_id = former->secret_master_key_id;
		webhook->former_secret_master_key_id = former->former_secret_master_key_id;
	}
	if (!webhook->secret_master_key_id && webhook_signs_with_hmac(webhook))
		webhook->secret_master_key_id = keys->newest_id(keys->userdata);
	return 0;
}

static bool has_no_secret(struct command_run *run, const struct command *command,
			  const struct webhook *webhook) {
	struct problem *problem;

	if (webhook_signs_with_hmac(webhook) && webhook->secret_master_key_id)
		return false;
	problem = problem_new(run->effects->arena, 409, "The webhook has no secret.");
	problem->type = "resource";
	problem_add(run->effects->arena, problem, "id", "params", command->id,
		    "Must name a webhook whose signatures have standard-webhooks-hmac");
	command_run_answer_problem(run, problem);
	return true;
}

static void answer_secret(struct command_run *run, int32_t status, const struct webhook *webhook,
			  const char *sealed) {
	command_run_answer(
	    run, status,
	    &(struct event_data){
		.kind = EVENT_DATA_SECRET,
		.secret = { .secret = sealed,
			    .epoch = webhook->secret_epoch + 1,
			    .overlap_until_ms = webhook->secret_overlap_until_ms } });
}

int operation_retrieve_secret(struct command_run *run, const void *userdata) {
	const struct handler_keys *keys = run->context->keys;
	const struct command *command = userdata;
	uint8_t public_key[PUBLIC_KEY_LEN];
	struct webhook webhook;
	const char *sealed;
	int r;

	if (operation_meets_older(run))
		return 0;
	validate_public_key(&run->validation, command->public_key, public_key);
	r = operation_find_webhook(run, command, &webhook);
	if (r || has_no_secret(run, command, &webhook))
		return MIN(r, 0);
	if (keys->seal_secret(keys->userdata, run->effects->arena, &webhook, public_key, &sealed)) {
		validation_add(&run->validation, "publicKey", "body", command->public_key,
			       VALIDATION_INVALID);
		(void)command_run_refused(run);
		return 0;
	}
	answer_secret(run, 200, &webhook, sealed);
	return 0;
}

/* A secret that is replaced twice within the overlap ends at once: at most two sign. An older
 * worker could not even read the receipt of a refusal. */
int operation_rotate_secret(struct command_run *run, const void *userdata) {
	const struct handler_context *context = run->context;
	const struct handler_keys *keys = context->keys;
	const struct command *command = userdata;
	struct state_record record = { .kind = STATE_WEBHOOK };
	struct webhook *webhook = &record.webhook;
	int r;

	if (operation_meets_older(run))
		return 0;
	r = operation_find_webhook(run, command, webhook);
	if (r || has_no_secret(run, command, webhook))
		return MIN(r, 0);
	webhook->former_secret_master_key_id = webhook->secret_master_key_id;
	webhook->secret_master_key_id = keys->newest_id(keys->userdata);
	webhook->secret_epoch++;
	webhook->secret_overlap_until_ms =
	    context->settings->webhook_secret_overlap_ms
		? context->now_ms + context->settings->webhook_secret_overlap_ms
		: 0;
	webhook->updated_at_ms = context->now_ms;
	effects_put(run->effects, &record);
	answer_secret(run, 201, webhook, NULL);
	return 0;
}

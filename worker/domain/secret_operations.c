#include "domain/operations.h"

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

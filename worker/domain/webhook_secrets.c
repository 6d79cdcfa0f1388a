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

#include "domain/id.h"
#include "domain/limits.h"
#include "domain/operations.h"

#include <string.h>

void operation_answer_about(struct command_run *run, int status, const char *message,
			    const char *id, const char *msg) {
	struct problem *problem = problem_new(run->effects->arena, status, message);

	problem->type = "resource";
	problem_add(run->effects->arena, problem, "id", "params", id, msg);
	command_run_answer_problem(run, problem);
}

static int look_up(struct command_run *run, const struct command *command, const struct uuid *id,
		   struct webhook *out) {
	const struct registry *registry = run->context->registry;
	int r = registry->webhook_get(registry->userdata, run->effects->arena,
				      run->envelope->tenant_id, id, out);

	if (r == REGISTRY_E_NOT_FOUND)
		operation_answer_about(run, 404, "The webhook does not exist.", command->id,
				       "Not found");
	return r;
}

int operation_find_webhook(struct command_run *run, const struct command *command,
			   struct webhook *out) {
	struct uuid id;

	validate_id(&run->validation, command->id, &id);
	return command_run_refused(run) ? 1 : look_up(run, command, &id, out);
}

int operation_find_enabled(struct command_run *run, const struct command *command,
			   struct webhook *out) {
	int r = operation_find_webhook(run, command, out);

	if (r || !out->disabled)
		return r;
	operation_answer_about(run, 409, "The webhook is disabled.", command->id,
			       "Must name a webhook that is not disabled");
	return 1;
}

static void answer_webhook(struct command_run *run, int32_t status, const struct webhook *webhook) {
	command_run_answer(run, status,
			   &(struct event_data){ .kind = EVENT_DATA_WEBHOOK, .webhook = *webhook });
}

bool operation_meets_older(struct command_run *run) {
	struct arena *arena = run->effects->arena;
	struct problem *problem;

	if (run->context->edition == GROUP_EDITION_NEWEST)
		return false;
	problem = problem_new(arena, 503,
			      "Some workers are of an older release, which cannot read what the "
			      "command needs: all must be upgraded first.");
	problem->type = "server";
	problem_add(arena, problem, "workers", "group", run->context->older_workers,
		    "Are of an older release");
	command_run_answer_problem(run, problem);
	return true;
}

/* Whether a worker of the group could not read it (R13). If so, answers 503. */
static bool is_too_new(struct command_run *run, const struct webhook *webhook) {
	return webhook_is_newer(webhook) && operation_meets_older(run);
}

static void put_webhook(struct command_run *run, const struct webhook *webhook) {
	effects_put(run->effects,
		    &(struct state_record){ .kind = STATE_WEBHOOK, .webhook = *webhook });
}

/* A tenant's first key is made with its first webhook, before there is anything to sign. */
static int ensure_signing_key(struct command_run *run) {
	const struct registry *registry = run->context->registry;
	struct signing_key newest;
	int r = registry->signing_key_newest(registry->userdata, run->effects->arena,
					     run->envelope->tenant_id, &newest);

	if (r == REGISTRY_E_NOT_FOUND)
		operation_put_signing_key(run, 1);
	return MIN(r, 0);
}

/* Returns 0; 1 after answering; or a negative errno. */
static int check_room(struct command_run *run) {
	const struct registry *registry = run->context->registry;
	int64_t count;
	int r = registry->webhook_count(registry->userdata, run->envelope->tenant_id, &count);

	return r < 0 ? r : command_run_exceeds(run, TENANT_LIMIT_WEBHOOKS, count, 1);
}

int operation_create_webhook(struct command_run *run, const void *userdata) {
	const struct handler_context *context = run->context;
	const struct command *command = userdata;
	struct webhook webhook = {
		.id = id_of_webhook(context->source, run->envelope->tenant_id,
				    run->envelope->command_id),
		.tenant_id = run->envelope->tenant_id,
		.created_at_ms = context->now_ms,
		.updated_at_ms = context->now_ms,
	};
	int r;

	validate_webhook(&run->validation, command, &context->settings->webhook_rules, &webhook);
	if (command_run_refused(run) || operation_give_secrets(run, command, NULL, &webhook) ||
	    is_too_new(run, &webhook))
		return 0;
	r = check_room(run);
	if (r == 0)
		r = ensure_signing_key(run);
	if (r)
		return MIN(r, 0);
	put_webhook(run, &webhook);
	answer_webhook(run, 201, &webhook);
	return 0;
}

int operation_retrieve_webhook(struct command_run *run, const void *userdata) {
	struct webhook webhook;
	int r = operation_find_webhook(run, userdata, &webhook);

	if (r == 0)
		answer_webhook(run, 200, &webhook);
	return r;
}

/* Replaces everything but the id and the time of creation, which are the webhook's position in a
 * list, its secret, and what was told of it. */
int operation_update_webhook(struct command_run *run, const void *userdata) {
	const struct command *command = userdata;
	struct webhook replacement = { 0 }, webhook;
	struct uuid id;
	int r;

	validate_id(&run->validation, command->id, &id);
	validate_webhook(&run->validation, command, &run->context->settings->webhook_rules,
			 &replacement);
	if (command_run_refused(run))
		return 0;
	r = look_up(run, command, &id, &webhook);
	if (r)
		return r;
	replacement.id = webhook.id;
	replacement.tenant_id = webhook.tenant_id;
	replacement.created_at_ms = webhook.created_at_ms;
	replacement.updated_at_ms = run->context->now_ms;
	replacement.told = webhook.told;
	if (operation_give_secrets(run, command, &webhook, &replacement) ||
	    is_too_new(run, &replacement))
		return 0;
	put_webhook(run, &replacement);
	answer_webhook(run, 200, &replacement);
	return 0;
}

int operation_delete_webhook(struct command_run *run, const void *userdata) {
	struct webhook webhook;
	int r = operation_find_webhook(run, userdata, &webhook);

	if (r)
		return r;
	effects_delete(run->effects, &(struct state_key){ .kind = STATE_WEBHOOK,
							  .tenant_id = run->envelope->tenant_id,
							  .id = webhook.id });
	command_run_answer(run, 204, &(struct event_data){ .kind = EVENT_DATA_NONE });
	return 0;
}

/* Larger than any encoding of a webhook's members of one size: ids, built-in event names, times and
 * punctuation. */
enum { WEBHOOK_ENCODED_MAX = 512 };

static size_t length_of_list(const struct text_list *list) {
	size_t bytes = 0;

	for (size_t i = 0; i < list->count; i++)
		bytes += strlen(list->items[i]) + sizeof("\"\",");
	return bytes;
}

/* At least the bytes that it takes in a record. */
static size_t length_of(const struct webhook *webhook) {
	size_t bytes = strlen(webhook->url) + WEBHOOK_ENCODED_MAX;

	for (size_t i = 0; i < webhook->event_count; i++)
		if (event_type_is_newer(webhook->events[i]))
			bytes += strlen(webhook->events[i]) + sizeof("\"\",");
	if (webhook->description)
		bytes += strlen(webhook->description);
	for (size_t i = 0; i < webhook->header_count; i++)
		bytes += strlen(webhook->headers[i].name) + sizeof("{\"name\":\"\"},");
	if (webhook->filter)
		bytes += length_of_list(&webhook->filter->credential_configuration_ids) +
			 length_of_list(&webhook->filter->formats) +
			 length_of_list(&webhook->filter->credential_profiles) +
			 length_of_list(&webhook->filter->subjects);
	return bytes;
}

/* The number of items that fit into one record; at least one. */
static size_t count_fitting(const struct webhook *items, size_t count) {
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		bytes += length_of(&items[i]);
		if (i > 0 && bytes > PAGE_BYTES_MAX)
			return i;
	}
	return count;
}

int operation_retrieve_webhooks(struct command_run *run, const void *userdata) {
	const struct registry *registry = run->context->registry;
	struct event_data data = { .kind = EVENT_DATA_WEBHOOK_PAGE };
	struct arena *arena = run->effects->arena;
	struct webhook_query query = { .bytes_max = PAGE_READ_MAX };
	struct webhook_list list;
	struct cursor storage;
	size_t shown;
	int r;

	validate_limit(&run->validation, userdata, &query.limit);
	validate_cursor(&run->validation, userdata, &storage, &query.after);
	if (command_run_refused(run))
		return 0;
	r = registry->webhook_list(registry->userdata, arena, run->envelope->tenant_id, &query,
				   &list);
	if (r < 0)
		return r;
	shown = count_fitting(list.items, list.count);
	data.page = (struct webhook_page){ .items = list.items, .count = shown };
	if (shown < list.count || list.has_more) {
		const struct webhook *last = &list.items[shown - 1];

		data.page.next_cursor =
		    cursor_format(arena, &(struct cursor){ last->created_at_ms, last->id });
	}
	command_run_answer(run, 200, &data);
	return 0;
}

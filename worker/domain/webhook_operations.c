#include "domain/id.h"
#include "domain/limits.h"
#include "domain/operations.h"

static void answer_about(struct handling *handling, int status, const char *message, const char *id,
			 const char *msg) {
	struct problem *problem = problem_new(handling->effects->arena, status, message);

	problem->type = "resource";
	problem_add(handling->effects->arena, problem, "id", "params", id, msg);
	handling_answer_problem(handling, problem);
}

int operation_find_webhook(struct handling *handling, const struct command *command,
			   const struct uuid *id, struct webhook *out) {
	const struct registry *registry = handling->context->registry;
	int r = registry->webhook_get(registry->userdata, handling->effects->arena,
				      handling->envelope->tenant_id, id, out);

	if (r == REGISTRY_E_NOT_FOUND)
		answer_about(handling, 404, "The webhook does not exist.", command->id,
			     "Not found");
	return r;
}

bool operation_is_disabled(struct handling *handling, const struct command *command,
			   const struct webhook *webhook) {
	if (webhook->disabled)
		answer_about(handling, 409, "The webhook is disabled.", command->id,
			     "Must name a webhook that is not disabled");
	return webhook->disabled;
}

static void answer_webhook(struct handling *handling, int32_t status,
			   const struct webhook *webhook) {
	handling_answer(handling, status,
			&(struct event_data){ .kind = EVENT_DATA_WEBHOOK, .webhook = *webhook });
}

static void put_webhook(struct handling *handling, const struct webhook *webhook) {
	effects_put(handling->effects,
		    &(struct state_record){ .kind = STATE_WEBHOOK, .webhook = *webhook });
}

/* A tenant's first key comes with its first webhook, so that there is one to sign with before there
 * is something to sign. */
static int ensure_signing_key(struct handling *handling) {
	const struct registry *registry = handling->context->registry;
	struct signing_key newest;
	int r = registry->signing_key_newest(registry->userdata, handling->effects->arena,
					     handling->envelope->tenant_id, &newest);

	if (r == REGISTRY_E_NOT_FOUND)
		operation_put_signing_key(handling, 1);
	return MIN(r, 0);
}

/* Returns 0; 1 after answering; or a negative errno. */
static int check_room(struct handling *handling) {
	const struct registry *registry = handling->context->registry;
	int64_t count;
	int r = registry->webhook_count(registry->userdata, handling->envelope->tenant_id, &count);

	return r < 0 ? r : handling_exceeds(handling, TENANT_LIMIT_WEBHOOKS, count, 1);
}

int operation_create_webhook(struct handling *handling, const void *userdata) {
	const struct handler_context *context = handling->context;
	const struct command *command = userdata;
	struct webhook webhook = {
		.id = id_of_webhook(context->source, handling->envelope->tenant_id,
				    handling->envelope->command_id),
		.tenant_id = handling->envelope->tenant_id,
		.created_at_ms = context->now_ms,
		.updated_at_ms = context->now_ms,
	};
	int r;

	validate_webhook(&handling->validation, command, &context->settings->url_policy, &webhook);
	if (handling_refused(handling))
		return 0;
	r = check_room(handling);
	if (r == 0)
		r = ensure_signing_key(handling);
	if (r)
		return MIN(r, 0);
	put_webhook(handling, &webhook);
	answer_webhook(handling, 201, &webhook);
	return 0;
}

int operation_retrieve_webhook(struct handling *handling, const void *userdata) {
	const struct command *command = userdata;
	struct webhook webhook;
	struct uuid id;
	int r;

	validate_id(&handling->validation, command->id, &id);
	if (handling_refused(handling))
		return 0;
	r = operation_find_webhook(handling, command, &id, &webhook);
	if (r == 0)
		answer_webhook(handling, 200, &webhook);
	return r;
}

/* Replaces everything but the id and the time of creation, which are its place in the order of a
 * list. */
int operation_update_webhook(struct handling *handling, const void *userdata) {
	const struct command *command = userdata;
	struct webhook replacement = { 0 }, webhook;
	struct uuid id;
	int r;

	validate_id(&handling->validation, command->id, &id);
	validate_webhook(&handling->validation, command, &handling->context->settings->url_policy,
			 &replacement);
	if (handling_refused(handling))
		return 0;
	r = operation_find_webhook(handling, command, &id, &webhook);
	if (r)
		return r;
	replacement.id = webhook.id;
	replacement.tenant_id = webhook.tenant_id;
	replacement.created_at_ms = webhook.created_at_ms;
	replacement.updated_at_ms = handling->context->now_ms;
	put_webhook(handling, &replacement);
	answer_webhook(handling, 200, &replacement);
	return 0;
}

int operation_delete_webhook(struct handling *handling, const void *userdata) {
	const struct command *command = userdata;
	struct webhook webhook;
	struct uuid id;
	int r;

	validate_id(&handling->validation, command->id, &id);
	if (handling_refused(handling))
		return 0;
	r = operation_find_webhook(handling, command, &id, &webhook);
	if (r)
		return r;
	effects_delete(handling->effects,
		       &(struct state_key){ .kind = STATE_WEBHOOK,
					    .tenant_id = handling->envelope->tenant_id,
					    .id = webhook.id });
	handling_answer(handling, 204, &(struct event_data){ .kind = EVENT_DATA_NONE });
	return 0;
}

/* More than any encoding of it needs besides the url: ids, names of events, times, and what stands
 * between them. */
enum { WEBHOOK_ENCODED_MAX = 512 };

/* How many of the items fit into one record; at least one. */
static size_t count_fitting(const struct webhook *items, size_t count) {
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		bytes += strlen(items[i].url) + WEBHOOK_ENCODED_MAX;
		if (i > 0 && bytes > PAGE_BYTES_MAX)
			return i;
	}
	return count;
}

int operation_retrieve_webhooks(struct handling *handling, const void *userdata) {
	const struct registry *registry = handling->context->registry;
	struct event_data data = { .kind = EVENT_DATA_WEBHOOK_PAGE };
	struct arena *arena = handling->effects->arena;
	struct cursor storage;
	const struct cursor *after;
	struct webhook *items;
	size_t limit, found, shown;
	int r;

	validate_limit(&handling->validation, userdata, &limit);
	validate_cursor(&handling->validation, userdata, &storage, &after);
	if (handling_refused(handling))
		return 0;
	/* One more than asked for tells whether this page is the last. */
	r = registry->webhook_list(registry->userdata, arena, handling->envelope->tenant_id, after,
				   limit + 1, &items, &found);
	if (r < 0)
		return r;
	shown = count_fitting(items, MIN(found, limit));
	data.page = (struct webhook_page){ .items = items, .count = shown };
	if (shown < found) {
		const struct webhook *last = &items[shown - 1];

		data.page.next_cursor =
		    cursor_format(arena, &(struct cursor){ last->created_at_ms, last->id });
	}
	handling_answer(handling, 200, &data);
	return 0;
}

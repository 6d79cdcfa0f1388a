#include "base/clock.h"
#include "changelog/delivery_json.h"
#include "changelog/delivery_list.h"
#include "command/call.h"
#include "command/flags.h"
#include "kafka/record_codec.h"
#include "terminal/clean.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <stdio.h>

enum { LIMIT_DEFAULT = 100, LINE_MAX_BYTES = 64 * 1024 * 1024 };

static const struct flag list_flags[] = {
	{ "webhook", "ID", "only deliveries to this webhook" },
	{ "status", "pending|dead|succeeded", "only deliveries with this status" },
	{ "limit", "N", "list at most N (default 100)" },
	{ "with-body", NULL, "show the bodies, which have credentials and personal data" },
	{ 0 },
};

/* The checked flags. */
struct request {
	struct delivery_filter filter;
	struct uuid webhook_id;
	size_t limit;
};

static enum admin_status read_status(const char *text, struct delivery_filter *filter) {
	if (!text)
		return ADMIN_OK;
	if (!delivery_status_parse(text, &filter->status)) {
		filter->has_status = true;
		return ADMIN_OK;
	}
	terminal_complain("--status is \"%s\", must be pending, dead or succeeded", text);
	return ADMIN_USAGE;
}

static enum admin_status read_request(const struct invocation *invocation,
				      struct request *request) {
	const char *webhook = arguments_get(invocation->arguments, "webhook");
	enum admin_status status;

	*request = (struct request){ .filter = { .tenant_id = invocation->tenant,
						 .with_body = arguments_has(invocation->arguments,
									    "with-body") } };
	if (webhook && uuid_parse(webhook, &request->webhook_id)) {
		terminal_complain("--webhook is \"%s\", must be a webhook's id", webhook);
		return ADMIN_USAGE;
	}
	if (webhook)
		request->filter.webhook_id = &request->webhook_id;
	status = read_status(arguments_get(invocation->arguments, "status"), &request->filter);
	return status ? status : flags_read_limit(invocation, LIMIT_DEFAULT, &request->limit);
}

static enum admin_status print_json(struct delivery_list *list, size_t count, bool with_body) {
	_cleanup_(buffer_destroy) struct buffer line = BUFFER_INIT(LINE_MAX_BYTES);
	enum admin_status status = ADMIN_OK;

	for (size_t i = 0; !status && i < count; i++) {
		struct delivery delivery = delivery_list_get(list, i);

		buffer_clear(&line);
		delivery_json_append(&line, &delivery, with_body);
		buffer_append_char(&line, '\n');
		status = terminal_print_buffer(stdout, "delivery list", &line);
	}
	return status;
}

/* The result of the last attempt; most reasons include the status. Owned by the caller. */
static char *last_attempt(const struct delivery *delivery) {
	const char *reason = delivery->last_reason;

	if (!reason)
		return x_strdup("-");
	if (!delivery->last_status || strncmp(reason, "status-", strlen("status-")) == 0)
		return x_strdup(reason);
	return x_asprintf("%s (%d)", reason, delivery->last_status);
}

static void add_row(struct table *table, const struct delivery *delivery) {
	char id[UUID_TEXT_SIZE], webhook[UUID_TEXT_SIZE], attempts[16], at[CLOCK_ISO8601_SIZE],
	    created[CLOCK_ISO8601_SIZE];
	_cleanup_(x_freep) char *last = last_attempt(delivery),
				*body = x_strndup(delivery->body, delivery->body_len);

	uuid_format(&delivery->id, id);
	uuid_format(&delivery->webhook_id, webhook);
	snprintf(attempts, sizeof(attempts), "%d", delivery->attempts);
	clock_format_iso8601(delivery->next_attempt_at_ms, at);
	clock_format_iso8601(delivery->created_at_ms, created);
	terminal_clean(last);
	terminal_clean(body);
	table_add(table, (const char *const[]){ id, webhook, delivery->event_type,
						delivery_status_name(delivery->status), attempts,
						last, at, created, body });
}

static void print_table(struct delivery_list *list, size_t count, bool with_body) {
	static const char *const head[] = { "ID",   "WEBHOOK",      "EVENT",   "STATUS", "ATTEMPTS",
					    "LAST", "NEXT / ENDED", "CREATED", "BODY" };
	_cleanup_(table_destroy) struct table table =
	    table_new(with_body ? ARRAY_LEN(head) : ARRAY_LEN(head) - 1, head);

	for (size_t i = 0; i < count; i++) {
		struct delivery delivery = delivery_list_get(list, i);

		add_row(&table, &delivery);
	}
	table_print(&table);
	if (count < delivery_list_count(list))
		printf("%zu more: --limit %zu shows all\n", delivery_list_count(list) - count,
		       delivery_list_count(list));
}

static enum admin_status list_deliveries(const struct invocation *invocation) {
	_cleanup_(codec_freep) struct codec *codec = NULL;
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	_cleanup_(delivery_list_freep) struct delivery_list *found = NULL;
	struct request request;
	enum admin_status status = read_request(invocation, &request);
	size_t count;

	if (status)
		return status;
	codec = record_codec_new(invocation->config);
	if (!codec)
		return ADMIN_USAGE;
	found = delivery_list_new(&request.filter, codec);
	status = state_read(invocation->config,
			    &(struct state_read_options){ .tenant_id = invocation->tenant,
							  .wanted = delivery_list_wants,
							  .userdata = found,
							  .timeout_ms = invocation->timeout_ms },
			    fold);
	if (status)
		return status;
	delivery_list_sort(found, fold);
	count = MIN(request.limit, delivery_list_count(found));
	if (invocation->json)
		status = print_json(found, count, request.filter.with_body);
	else
		print_table(found, count, request.filter.with_body);
	return !status && delivery_list_unreadable(found) ? ADMIN_REFUSED : status;
}

static const struct flag resend_flags[] = { ENVELOPE_FLAGS, { 0 } };

static enum admin_status resend_delivery(const struct invocation *invocation) {
	return call_and_show(invocation,
			     &(struct command){ .operation = OPERATION_RESEND_DELIVERY,
						.id = invocation->arguments->operands[0] });
}

const struct subcommand delivery_subcommands[] = {
	{
	    .family = "delivery",
	    .verb = "list",
	    .summary = "list a tenant's pending, dead and kept deliveries",
	    .details =
		"In the order of creation, from the changelog up to the start. Succeeded "
		"deliveries are there for delivery.succeeded.retention; their events are in\n"
		"`trace` and `results tail`. A dead delivery can be sent again: `delivery resend`, "
		"`webhook recover`.\n"
		"With --json a line for each delivery: id, webhookId, eventType, status, "
		"attempts, lastStatus, lastReason, nextAttemptAt\n"
		"(pending), diedAt (dead), createdAt, and body with --with-body.\n",
	    .examples = "delivery list --tenant acme --status dead\n"
			"delivery list --tenant acme --webhook "
			"0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11 --json\n",
	    .flags = list_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = list_deliveries,
	},
	{
	    .family = "delivery",
	    .verb = "resend",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "send a delivery again, with the same webhook-id",
	    .details = "A pending delivery is due now. A dead one, and one that "
		       "delivery.succeeded.retention has kept, is as if just recorded.\n"
		       "A receiver that has it drops it by its webhook-id.\n",
	    .examples = "delivery resend --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .flags = resend_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = resend_delivery,
	},
	{ 0 },
};

#include "avro/json.h"
#include "base/number.h"
#include "command/call.h"
#include "command/flags.h"
#include "command/recover.h"
#include "command/secret.h"
#include "command/show.h"

static const struct flag write_flags[] = {
	{ "url", "URL", "the endpoint: an absolute https url (required)" },
	{ "events", "TYPE[,TYPE]",
	  "OpenIdCredentialIssued, OpenIdCredentialIssuedSummary, WebhookFailing, "
	  "WebhookRecovered, "
	  "WebhookDisabled, DeliveryDead, or of event.types (required)" },
	{ "disabled", NULL, "no callbacks for now" },
	{ "description", "TEXT", "a text for people, at most 256 characters" },
	{ "filter", "JSON",
	  "the events that lead to a delivery: lists of credentialConfigurationId, format, "
	  "credentialProfile, subject, such as {\"format\":[\"jwt_vc_json\"]}" },
	{ "rate-limit", "N", "requests a second to the endpoint, 1 to 10000" },
	{ "header", "NAME:FILE",
	  "a header of each callback, its value the one line of a secret file; up to 8. NAME alone "
	  "keeps the value that the webhook has" },
	{ "signatures", "FORMAT[,FORMAT]",
	  "rfc9421, standard-webhooks, standard-webhooks-hmac (default: the worker's "
	  "signature.formats)" },
	ENVELOPE_FLAGS,
	{ 0 },
};
static const struct flag list_flags[] = {
	{ "limit", "N", "webhooks on a page, 1 to 1000 (default 100)" },
	{ "cursor", "CURSOR", "the nextCursor of the previous page" },
	{ "all", NULL, "every page, one after the other" },
	ENVELOPE_FLAGS,
	{ 0 },
};
static const struct flag envelope_flags[] = { ENVELOPE_FLAGS, { 0 } };

static enum admin_status read_rate_limit(const struct invocation *invocation,
					 struct command *command) {
	const char *text = arguments_get(invocation->arguments, "rate-limit");
	int64_t number;

	if (!text)
		return ADMIN_OK;
	if (number_parse(text, INT32_MIN, INT32_MAX, &number)) {
		terminal_complain("--rate-limit is \"%s\", must be a number", text);
		return ADMIN_USAGE;
	}
	command->has_rate_limit = true;
	command->rate_limit = (int32_t)number;
	return ADMIN_OK;
}

static enum admin_status read_filter(const struct invocation *invocation, struct arena *arena,
				     struct command *command) {
	const char *text = arguments_get(invocation->arguments, "filter"), *why;

	if (!text || !json_read_filter(arena, text, &command->filter, &why))
		return ADMIN_OK;
	terminal_complain("--filter: %s", why);
	return ADMIN_USAGE;
}

/* For create and update. The worker judges the values. */
static enum admin_status write_webhook(const struct invocation *invocation,
				       enum operation operation) {
	const char *url = arguments_get(invocation->arguments, "url"),
		   *events = arguments_get(invocation->arguments, "events"),
		   *signatures = arguments_get(invocation->arguments, "signatures");
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(x_freep) const char **list = NULL, **formats = NULL;
	struct command command = { .operation = operation,
				   .id = call_operand(invocation),
				   .url = url };
	enum admin_status status;

	if (!url || !events) {
		terminal_complain("%s is needed", url ? "--events" : "--url");
		return ADMIN_USAGE;
	}
	list = arguments_split_list(events, &command.event_count);
	if (!events[0])
		command.event_count = 0;
	command.events = list;
	if (signatures)
		command.signatures = formats =
		    arguments_split_list(signatures, &command.signature_count);
	command.disabled = arguments_has(invocation->arguments, "disabled");
	command.description = arguments_get(invocation->arguments, "description");
	status = read_rate_limit(invocation, &command);
	if (!status)
		status = read_filter(invocation, arena, &command);
	if (!status)
		status = secret_read_headers(invocation, arena, &command);
	return status ? status : call_and_show(invocation, &command);
}

static enum admin_status create_webhook(const struct invocation *invocation) {
	return write_webhook(invocation, OPERATION_CREATE_WEBHOOK);
}

static enum admin_status update_webhook(const struct invocation *invocation) {
	return write_webhook(invocation, OPERATION_UPDATE_WEBHOOK);
}

static enum admin_status get_webhook(const struct invocation *invocation) {
	return call_and_show(invocation, &(struct command){ .operation = OPERATION_RETRIEVE_WEBHOOK,
							    .id = call_operand(invocation) });
}

static enum admin_status delete_webhook(const struct invocation *invocation) {
	return call_and_show(invocation, &(struct command){ .operation = OPERATION_DELETE_WEBHOOK,
							    .id = call_operand(invocation) });
}

static enum admin_status test_webhook(const struct invocation *invocation) {
	return call_and_show(invocation, &(struct command){ .operation = OPERATION_TEST_WEBHOOK,
							    .id = call_operand(invocation) });
}

static enum admin_status fill_list(const struct invocation *invocation, struct command *command) {
	const char *limit = arguments_get(invocation->arguments, "limit");
	int64_t number;

	command->operation = OPERATION_RETRIEVE_WEBHOOKS;
	command->cursor = arguments_get(invocation->arguments, "cursor");
	if (!limit)
		return ADMIN_OK;
	if (number_parse(limit, INT32_MIN, INT32_MAX, &number)) {
		terminal_complain("--limit is \"%s\", must be a number", limit);
		return ADMIN_USAGE;
	}
	command->has_limit = true;
	command->limit = (int32_t)number;
	return ADMIN_OK;
}

static void append_page(struct arena *arena, struct webhook_page *all,
			const struct webhook_page *page) {
	struct webhook *items = arena_alloc(arena, (all->count + page->count) * sizeof(*items) + 1);

	if (all->count)
		memcpy(items, all->items, all->count * sizeof(*items));
	if (page->count)
		memcpy(items + all->count, page->items, page->count * sizeof(*items));
	all->items = items;
	all->count += page->count;
}

static enum admin_status list_all(const struct invocation *invocation, struct command *command) {
	const struct command_client_options options = { .awaits_outcomes = true,
							.timeout_ms = invocation->timeout_ms };
	_cleanup_(call_close) struct call call;
	enum admin_status status = call_open(&call, invocation, &options);
	struct webhook_page all = { 0 };
	struct analytic_event outcome;

	if (status)
		return status;
	do {
		command->envelope = envelope_from_arguments(invocation, call.arena);
		status = command_client_call(call.client, call.arena, command, &outcome);
		if (status)
			return status;
		if (outcome.step == ANALYTIC_FAIL || outcome.data.kind != EVENT_DATA_WEBHOOK_PAGE)
			return show_outcome(&outcome, invocation->json);
		append_page(call.arena, &all, &outcome.data.page);
		command->cursor = outcome.data.page.next_cursor;
	} while (command->cursor);
	return show_page(&all, invocation->json);
}

static enum admin_status list_webhooks(const struct invocation *invocation) {
	struct command command = { 0 };
	enum admin_status status = fill_list(invocation, &command);

	if (status)
		return status;
	if (!arguments_has(invocation->arguments, "all"))
		return call_and_show(invocation, &command);
	if (arguments_has(invocation->arguments, "command-id")) {
		terminal_complain(
		    "--all sends a command for each page and cannot be combined with --command-id");
		return ADMIN_USAGE;
	}
	if (!command.has_limit) {
		command.has_limit = true;
		command.limit = 1000;
	}
	return list_all(invocation, &command);
}

const struct subcommand webhook_subcommands[] = {
	{
	    .family = "webhook",
	    .verb = "create",
	    .summary = "create a webhook",
	    .examples = "webhook create --tenant acme --url https://example.com/hooks --events "
			"OpenIdCredentialIssued\n"
			"webhook create --tenant acme --url https://example.com/hooks --events "
			"DegreeRevoked --filter '{\"subject\":[\"degree-1\"]}' --rate-limit 20\n"
			"webhook create --tenant acme --url https://example.com/hooks --events "
			"DegreeRevoked --header x-api-key:/run/secrets/key "
			"--signatures rfc9421,standard-webhooks-hmac\n",
	    .flags = write_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = create_webhook,
	},
	{
	    .family = "webhook",
	    .verb = "list",
	    .summary = "list a tenant's webhooks, a page or all",
	    .details = "In the order of creation. --all requests pages until the last one, of 1000 "
		       "webhooks unless --limit is given.\n",
	    .examples = "webhook list --tenant acme --limit 10\n"
			"webhook list --tenant acme --all --json\n",
	    .flags = list_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = list_webhooks,
	},
	{
	    .family = "webhook",
	    .verb = "get",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "show a webhook",
	    .examples = "webhook get --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .flags = envelope_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = get_webhook,
	},
	{
	    .family = "webhook",
	    .verb = "update",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "replace all of a webhook but its id and its secret",
	    .examples = "webhook update --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11 --url "
			"https://example.com/v2 "
			"--events OpenIdCredentialIssued,OpenIdCredentialIssuedSummary\n",
	    .flags = write_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = update_webhook,
	},
	{
	    .family = "webhook",
	    .verb = "delete",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "delete a webhook; its pending deliveries end",
	    .examples = "webhook delete --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .flags = envelope_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = delete_webhook,
	},
	{
	    .family = "webhook",
	    .verb = "test",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "send a WebhookTest event to a webhook now",
	    .details = "Also if the webhook is not subscribed to that type. It ends when the "
		       "delivery is recorded; `results tail` shows its\n"
		       "result, and `delivery list` the delivery until it succeeds. A disabled "
		       "webhook is refused.\n",
	    .examples = "webhook test --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n"
			"webhook test --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11 --json\n",
	    .flags = envelope_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = test_webhook,
	},
	{
	    .family = "webhook",
	    .verb = "secret",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "show the secret of a webhook's standard-webhooks-hmac signatures",
	    .details = "The worker seals it for this command alone: it stands on no topic in the "
		       "clear.\n",
	    .examples = "webhook secret --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .flags = envelope_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = secret_show,
	},
	{
	    .family = "webhook",
	    .verb = "rotate-secret",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "give a webhook another secret; both sign for webhook.secret.overlap",
	    .details = "`webhook secret` shows the new one. Twice within the overlap, and the "
		       "first secret ends at once.\n",
	    .examples =
		"webhook rotate-secret --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .flags = envelope_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = secret_rotate,
	},
	{
	    .family = "webhook",
	    .verb = "recover",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "make a webhook's dead deliveries due again",
	    .details = "Those that died at --since or later. Their attempts count from the "
		       "beginning, and their ids stay. It ends when all\n"
		       "are due, the oldest first; repeated with its --command-id before, it tells "
		       "how many are. A disabled webhook is\n"
		       "refused: enable it first.\n",
	    .examples =
		"webhook recover --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11 --since 2h\n"
		"webhook recover --tenant acme 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11 --since "
		"2026-01-31T12:00:00.000Z\n",
	    .flags = recover_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = recover_deliveries,
	},
	{ 0 },
};

#include "base/clock.h"
#include "command/command.h"
#include "gateway/token_file.h"
#include "terminal/clean.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <stdio.h>

/* A list names each field again, and a byte of a tenant may become six. */
enum { WHY_MAX = 16 * 1024, LINE_MAX_BYTES = 16 * 1024, LIST_MAX = 8 * TOKENS_FILE_MAX };

static enum admin_status complain_file(const char *file, int r, const struct buffer *why) {
	if (r < 0)
		terminal_complain("tokens file %s: %s", file, strerror(-r));
	else
		terminal_complain_lines(why->data);
	return ADMIN_USAGE;
}

static void append_json(struct buffer *out, const struct token *token, const char *text) {
	buffer_append_string(out, "{\"id\":");
	buffer_append_json_string(out, token->id);
	buffer_append_string(out, ",\"tenantId\":");
	buffer_append_json_string(out, token->tenant_id);
	if (text)
		buffer_printf(out, ",\"token\":\"%s\"}", text);
}

static enum admin_status create_token(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX),
						line = BUFFER_INIT(LINE_MAX_BYTES);
	_cleanup_(token_destroy) struct token token = { 0 };
	const char *file = invocation->config->gateway_tokens_file;
	char text[TOKEN_TEXT_SIZE];
	int r = token_file_add(file, invocation->tenant, text, &token, &why);

	if (r)
		return complain_file(file, r, &why);
	append_json(&line, &token, text);
	buffer_append_char(&line, '\n');
	return terminal_print_buffer(stdout, "token create", &line);
}

static void append_listed(struct buffer *out, const struct token *token) {
	char created_at[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(token->created_at_ms, created_at);
	append_json(out, token, NULL);
	buffer_printf(out, ",\"createdAt\":\"%s\"}", created_at);
}

static enum admin_status print_json(const struct invocation *invocation,
				    const struct token_list *list) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(LIST_MAX);
	const char *comma = "";

	buffer_append_char(&out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (invocation->tenant && strcmp(invocation->tenant, list->items[i].tenant_id) != 0)
			continue;
		buffer_append_string(&out, comma);
		append_listed(&out, &list->items[i]);
		comma = ",";
	}
	buffer_append_string(&out, "]\n");
	return terminal_print_buffer(stdout, "token list", &out);
}

static void print_table(const struct invocation *invocation, const struct token_list *list) {
	_cleanup_(table_destroy) struct table table =
	    table_new(3, (const char *const[]){ "ID", "CREATED", "TENANT" });

	for (size_t i = 0; i < list->count; i++) {
		const struct token *token = &list->items[i];
		_cleanup_(x_freep) char *tenant = x_strdup(token->tenant_id);
		char created_at[CLOCK_ISO8601_SIZE];

		if (invocation->tenant && strcmp(invocation->tenant, token->tenant_id) != 0)
			continue;
		clock_format_iso8601(token->created_at_ms, created_at);
		terminal_clean(tenant);
		table_add(&table, (const char *const[]){ token->id, created_at, tenant });
	}
	table_print(&table);
}

static enum admin_status list_tokens(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(token_list_destroy) struct token_list tokens = { 0 };
	const char *file = invocation->config->gateway_tokens_file;
	int r = token_file_read(file, &tokens, NULL, &why);

	if (r)
		return complain_file(file, r, &why);
	if (invocation->json)
		return print_json(invocation, &tokens);
	print_table(invocation, &tokens);
	return ADMIN_OK;
}

static enum admin_status revoke_token(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX),
						line = BUFFER_INIT(LINE_MAX_BYTES);
	const char *file = invocation->config->gateway_tokens_file,
		   *id = invocation->arguments->operands[0];
	bool found = false;
	int r = token_file_remove(file, id, &found, &why);

	if (r)
		return complain_file(file, r, &why);
	if (!found) {
		terminal_complain("there is no token %s", id);
		return ADMIN_REFUSED;
	}
	buffer_append_string(&line, "{\"id\":");
	buffer_append_json_string(&line, id);
	buffer_append_string(&line, ",\"revoked\":true}\n");
	if (invocation->json)
		return terminal_print_buffer(stdout, "token revoke", &line);
	printf("%s is revoked.\n", id);
	return ADMIN_OK;
}

const struct subcommand token_subcommands[] = {
	{
	    .family = "token",
	    .verb = "create",
	    .summary = "create a tenant's token for the HTTP API, and show it once",
	    .details = "Its hash is kept in gateway.tokens.file; it cannot be shown again. Running "
		       "gateways accept it within a second.\n",
	    .examples = "token create --tenant acme\n",
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_GATEWAY,
	    .run = create_token,
	},
	{
	    .family = "token",
	    .verb = "list",
	    .summary = "list the ids and tenants of tokens",
	    .examples = "token list\n"
			"token list --tenant acme --json\n",
	    .needs = CONFIG_NEED_GATEWAY,
	    .run = list_tokens,
	},
	{
	    .family = "token",
	    .verb = "revoke",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "revoke a token; running gateways refuse it within a second",
	    .examples = "token revoke 0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11\n",
	    .needs = CONFIG_NEED_GATEWAY,
	    .run = revoke_token,
	},
	{ 0 },
};

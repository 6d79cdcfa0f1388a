#include "kafka/acls.h"

#include "command/command.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <stdio.h>

enum { REPORT_MAX = 1024 * 1024 };

#define PRINCIPALS                                                                                 \
	{ "worker", "PRINCIPAL", "who runs posthorn-worker: User:NAME, or NAME" },                 \
	    { "gateway", "PRINCIPAL", "who runs posthorn-admin serve" },                           \
	    { "operator", "PRINCIPAL", "who runs the other commands of posthorn-admin" },          \
	    { "producer", "PRINCIPAL", "who sends commands" }

static const struct flag acls_flags[] = { PRINCIPALS, { 0 } };

static const struct flag print_flags[] = {
	PRINCIPALS,
	{ "script", NULL, "as command lines of Kafka's own kafka-acls.sh" },
	{ 0 },
};

/* The rights of all principals that are given. */
static enum admin_status read_wanted(const struct invocation *invocation, struct acl_list *out) {
	for (int user = 0; user < ACL_USER_COUNT; user++) {
		const char *principal =
		    arguments_get(invocation->arguments, acl_user_name((enum acl_user)user));

		if (principal && !*principal) {
			terminal_complain("--%s needs a principal",
					  acl_user_name((enum acl_user)user));
			return ADMIN_USAGE;
		}
		if (principal)
			acl_rules_expand(invocation->config, (enum acl_user)user, principal, out);
	}
	if (out->count)
		return ADMIN_OK;
	terminal_complain("one of --worker, --gateway, --operator and --producer is needed");
	return ADMIN_USAGE;
}

static const char *state_name(enum acl_state state) {
	static const char *const names[] = { [ACL_GRANTED] = "granted",
					     [ACL_MISSING] = "missing",
					     [ACL_DENIED] = "denied" };

	return names[state];
}

/* As JSON and as a table. `states` is NULL where only the rights are listed. */

static enum admin_status print_json(const struct acl_list *wanted, const enum acl_state *states) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(REPORT_MAX);

	buffer_append_string(&out, "{\"acls\":[");
	for (size_t i = 0; i < wanted->count; i++) {
		const struct acl *acl = &wanted->items[i];

		buffer_append_string(&out, i ? ",{\"principal\":" : "{\"principal\":");
		buffer_append_json_string(&out, acl->principal);
		buffer_printf(&out, ",\"operation\":\"%s\",\"resource\":\"%s\",\"name\":",
			      acl_operation_name(acl->operation), acl_resource_name(acl->resource));
		buffer_append_json_string(&out, acl->name);
		buffer_printf(&out, ",\"pattern\":\"%s\"", acl->is_prefix ? "prefixed" : "literal");
		if (states)
			buffer_printf(&out, ",\"state\":\"%s\"", state_name(states[i]));
		buffer_append_char(&out, '}');
	}
	buffer_append_string(&out, "]}\n");
	return terminal_print_buffer(stdout, "acls", &out);
}

static void print_table(const struct acl_list *wanted, const enum acl_state *states) {
	_cleanup_(table_destroy) struct table table =
	    table_new(states ? 5 : 4, (const char *const[]){ "PRINCIPAL", "OPERATION", "RESOURCE",
							     "NAME", "STATE" });

	for (size_t i = 0; i < wanted->count; i++) {
		const struct acl *acl = &wanted->items[i];
		_cleanup_(x_freep) char *name =
		    x_asprintf("%s%s", acl->name, acl->is_prefix ? "*" : "");

		table_add(&table,
			  (const char *const[]){ acl->principal, acl_operation_name(acl->operation),
						 acl_resource_name(acl->resource), name,
						 states ? state_name(states[i]) : NULL });
	}
	table_print(&table);
}

static enum admin_status show(const struct invocation *invocation, const struct acl_list *wanted,
			      const enum acl_state *states) {
	enum admin_status status = ADMIN_OK;

	if (invocation->json)
		status = print_json(wanted, states);
	else
		print_table(wanted, states);
	for (size_t i = 0; states && !status && i < wanted->count; i++)
		if (states[i] != ACL_GRANTED)
			status = ADMIN_REFUSED;
	return status;
}

/* As a shell's words. */

static void append_quoted(struct buffer *out, const char *text) {
	buffer_append_char(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			buffer_append_string(out, "'\\''");
		else
			buffer_append_char(out, *text);
	buffer_append_char(out, '\'');
}

static void append_resource(struct buffer *out, const struct acl *acl) {
	static const char *const flags[] = { [ACL_TOPIC] = "--topic",
					     [ACL_GROUP] = "--group",
					     [ACL_TRANSACTIONAL_ID] = "--transactional-id" };

	if (acl->resource == ACL_CLUSTER) {
		buffer_append_string(out, " --cluster");
		return;
	}
	buffer_printf(out, " %s ", flags[acl->resource]);
	append_quoted(out, acl->name);
	if (acl->is_prefix)
		buffer_append_string(out, " --resource-pattern-type prefixed");
}

static enum admin_status print_script(const struct config *config, const struct acl_list *wanted) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(REPORT_MAX);
	const char *bootstrap = config_kafka_get(config, "bootstrap.servers");

	for (size_t i = 0; i < wanted->count; i++) {
		const struct acl *acl = &wanted->items[i];

		buffer_append_string(&out, "kafka-acls.sh --bootstrap-server ");
		append_quoted(&out, bootstrap ? bootstrap : "localhost:9092");
		buffer_append_string(&out, " --add --allow-principal ");
		append_quoted(&out, acl->principal);
		buffer_printf(&out, " --operation %s", acl_operation_name(acl->operation));
		append_resource(&out, acl);
		buffer_append_char(&out, '\n');
	}
	return terminal_print_buffer(stdout, "acls print", &out);
}

/* The commands. */

static enum admin_status print_acls(const struct invocation *invocation) {
	_cleanup_(acl_list_destroy) struct acl_list wanted = { 0 };
	enum admin_status status = read_wanted(invocation, &wanted);

	if (status)
		return status;
	return arguments_has(invocation->arguments, "script")
		   ? print_script(invocation->config, &wanted)
		   : show(invocation, &wanted, NULL);
}

typedef enum admin_status (*acls_fn)(const struct config *config, int64_t timeout_ms,
				     const struct acl_list *wanted, enum acl_state *states);

static enum admin_status run(const struct invocation *invocation, acls_fn fn) {
	_cleanup_(acl_list_destroy) struct acl_list wanted = { 0 };
	_cleanup_(x_freep) enum acl_state *states = NULL;
	enum admin_status status = read_wanted(invocation, &wanted);

	if (status)
		return status;
	states = x_calloc(wanted.count, sizeof(*states));
	status = fn(invocation->config, invocation->timeout_ms, &wanted, states);
	return status ? status : show(invocation, &wanted, states);
}

static enum admin_status create_acls(const struct invocation *invocation) {
	return run(invocation, acls_create);
}

static enum admin_status check_acls(const struct invocation *invocation) {
	return run(invocation, acls_inspect);
}

const struct subcommand acls_subcommands[] = {
	{
	    .family = "acls",
	    .verb = "print",
	    .summary = "print the rights that each principal needs, without asking Kafka",
	    .details = "By topic.prefix and group.id. A principal that is not given is left out.\n",
	    .examples = "acls print --worker worker --gateway gateway --operator operator\n"
			"acls print --worker User:CN=worker --script > acls.sh\n",
	    .flags = print_flags,
	    .run = print_acls,
	},
	{
	    .family = "acls",
	    .verb = "create",
	    .summary = "create the ACLs that each principal needs",
	    .details = "This command's own principal needs Alter and Describe on the cluster.\n",
	    .examples = "acls create --config kafka-admin.properties --worker worker --gateway "
			"gateway --operator operator --producer producer\n",
	    .flags = acls_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = create_acls,
	},
	{
	    .family = "acls",
	    .verb = "check",
	    .summary = "compare the ACLs with those that are needed; exit 1 for a missing one",
	    .details = "This command's own principal needs Describe on the cluster. Super users\n"
		       "have no ACLs, and none is found for them.\n",
	    .examples = "acls check --config kafka-admin.properties --worker worker\n"
			"acls check --config kafka-admin.properties --gateway gateway --json\n",
	    .flags = acls_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = check_acls,
	},
	{ 0 },
};

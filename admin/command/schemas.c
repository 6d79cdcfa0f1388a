#include "avro/embedded.h"
#include "command/command.h"
#include "rdkafka/topic_names.h"
#include "registry/protocol.h"
#include "registry/schema_registry.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <inttypes.h>
#include <stdio.h>

enum { REPORT_MAX = 64 * 1024, WHY_MAX = 16 * 1024, TOPICS = 4 };

struct topic_schema {
	char *subject; /* owned */
	char *schema;  /* owned */
	const char *state;
	bool has_id, is_good;
	uint32_t id;
};

struct schemas {
	struct registry_client *client;
	atomic_bool stopping;
	struct topic_schema topics[TOPICS];
};

static void schemas_destroy(struct schemas *schemas) {
	registry_client_free(schemas->client);
	for (int i = 0; i < TOPICS; i++) {
		free(schemas->topics[i].subject);
		free(schemas->topics[i].schema);
	}
}

static void name_topics(struct schemas *schemas, const char *prefix) {
	static const struct {
		enum topic topic;
		const char *file;
	} rows[TOPICS] = { { TOPIC_ADMIN, "webhook-command.avsc" },
			   { TOPIC_ISSUANCE, "credential-issuance-command.avsc" },
			   { TOPIC_EVENTS, "event-command.avsc" },
			   { TOPIC_RESULTS, "analytic-event.avsc" } };

	for (int i = 0; i < TOPICS; i++) {
		const struct embedded_schema *own = embedded_schema_find(rows[i].file);
		_cleanup_(x_freep) char *topic = topic_name(prefix, rows[i].topic);

		schemas->topics[i].subject = schema_registry_subject(topic);
		schemas->topics[i].schema = x_strndup((const char *)own->json, own->len);
	}
}

static enum admin_status open_schemas(const struct config *config, struct schemas *schemas) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);

	if (!config->schema_registry_url) {
		terminal_complain("schema.registry.url is required");
		return ADMIN_USAGE;
	}
	name_topics(schemas, config->topic_prefix);
	if (!registry_client_new(config, &schemas->stopping, &schemas->client, &why))
		return ADMIN_OK;
	terminal_complain("%s", why.data);
	return ADMIN_USAGE;
}

static enum admin_status complain_failed(const struct buffer *why) {
	terminal_complain("the schema registry does not answer: %s", why->len ? why->data : "");
	return ADMIN_NO_OUTCOME;
}

static void append_json(struct buffer *out, const struct topic_schema *topic) {
	buffer_append_string(out, "{\"subject\":");
	buffer_append_json_string(out, topic->subject);
	buffer_append_string(out, ",\"id\":");
	if (topic->has_id)
		buffer_printf(out, "%" PRIu32, topic->id);
	else
		buffer_append_string(out, "null");
	buffer_printf(out, ",\"state\":\"%s\"}", topic->state);
}

static enum admin_status print_json(const struct schemas *schemas, bool is_good) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(REPORT_MAX);

	buffer_append_string(&out, "{\"schemas\":[");
	for (int i = 0; i < TOPICS; i++) {
		if (i)
			buffer_append_char(&out, ',');
		append_json(&out, &schemas->topics[i]);
	}
	buffer_printf(&out, "],\"good\":%s}\n", is_good ? "true" : "false");
	return terminal_print_buffer(stdout, "schemas", &out);
}

static void print_table(const struct schemas *schemas) {
	_cleanup_(table_destroy) struct table table =
	    table_new(3, (const char *const[]){ "SUBJECT", "ID", "STATE" });

	for (int i = 0; i < TOPICS; i++) {
		const struct topic_schema *topic = &schemas->topics[i];
		_cleanup_(x_freep) char *id =
		    topic->has_id ? x_asprintf("%" PRIu32, topic->id) : x_strdup("-");

		table_add(&table, (const char *const[]){ topic->subject, id, topic->state });
	}
	table_print(&table);
}

static enum admin_status show(const struct invocation *invocation, const struct schemas *schemas) {
	enum admin_status status = ADMIN_OK;
	bool is_good = true;

	for (int i = 0; i < TOPICS; i++)
		is_good &= schemas->topics[i].is_good;
	if (invocation->json)
		status = print_json(schemas, is_good);
	else
		print_table(schemas);
	if (status)
		return status;
	return is_good ? ADMIN_OK : ADMIN_REFUSED;
}

/* Returns as the protocol does; what the registry refuses is only noted. */
static int register_one(struct schemas *schemas, struct topic_schema *topic, struct buffer *why) {
	int r = protocol_register(schemas->client, topic->subject, topic->schema, &topic->id, why);

	topic->has_id = topic->is_good = r == 0;
	topic->state = r == 0 ? "registered" : "refused";
	return r;
}

static int check_one(struct schemas *schemas, struct topic_schema *topic, struct buffer *why) {
	int r = protocol_find_id(schemas->client, topic->subject, topic->schema, &topic->id, why);
	bool compatible = true;

	topic->has_id = topic->is_good = r == 0;
	topic->state = "registered";
	if (r == 0 || r == PROTOCOL_E_FAILED)
		return r;
	buffer_clear(why);
	r = protocol_is_compatible(schemas->client, topic->subject, topic->schema, &compatible,
				   why);
	topic->state = compatible ? "missing" : "incompatible";
	return r == PROTOCOL_E_UNKNOWN ? 0 : r;
}

static enum admin_status run_each(const struct invocation *invocation,
				  int (*one)(struct schemas *, struct topic_schema *,
					     struct buffer *)) {
	_cleanup_(schemas_destroy) struct schemas schemas = { 0 };
	enum admin_status status = open_schemas(invocation->config, &schemas);

	for (int i = 0; i < TOPICS && !status; i++) {
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
		int r = one(&schemas, &schemas.topics[i], &why);

		if (r == PROTOCOL_E_FAILED)
			status = complain_failed(&why);
		else if (r)
			terminal_complain("%s", why.len ? why.data : "");
	}
	return status ? status : show(invocation, &schemas);
}

static enum admin_status register_schemas(const struct invocation *invocation) {
	return run_each(invocation, register_one);
}

static enum admin_status check_schemas(const struct invocation *invocation) {
	return run_each(invocation, check_one);
}

const struct subcommand schemas_subcommands[] = {
	{
	    .family = "schemas",
	    .verb = "register",
	    .summary = "register the schemas of commands and events at the schema registry",
	    .details = "Of webhook-admin, credential-issuance and webhook-results, each in the\n"
		       "subject of its topic's values. What is registered is not changed.\n",
	    .examples = "schemas register --config posthorn.properties\n"
			"schemas register --set schema.registry.url=http://127.0.0.1:8081\n",
	    .run = register_schemas,
	},
	{
	    .family = "schemas",
	    .verb = "check",
	    .summary = "check the schemas at the schema registry; exit 1 where one is missing",
	    .details = "A missing one is also checked against the subject's compatibility.\n",
	    .examples = "schemas check --config posthorn.properties\n"
			"schemas check --config posthorn.properties --json\n",
	    .run = check_schemas,
	},
	{ 0 },
};

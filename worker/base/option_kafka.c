#include "base/config.h"
#include "base/option.h"

/* What the pipeline depends on: how it sets them, and why, stands in pipeline/. */
static const struct {
	const char *name;
	const char *follows_from; /* the key that decides it; NULL: it is fixed */
} reserved[] = {
	{ "group.id", "group.id" },
	{ "group.instance.id", "worker.id" },
	{ "transactional.id", "group.id and worker.id" },
	{ "acks", NULL },
	{ "auto.commit.enable", NULL },
	{ "auto.offset.reset", NULL },
	{ "delivery.timeout.ms", NULL },
	{ "enable.auto.commit", NULL },
	{ "enable.auto.offset.store", NULL },
	{ "enable.gapless.guarantee", NULL },
	{ "enable.idempotence", NULL },
	{ "enable.partition.eof", NULL },
	{ "group.protocol", NULL },
	{ "group.remote.assignor", NULL },
	{ "isolation.level", NULL },
	{ "max.in.flight", NULL },
	{ "max.in.flight.requests.per.connection", NULL },
	{ "message.timeout.ms", NULL },
	{ "partition.assignment.strategy", NULL },
	{ "partitioner", NULL },
	{ "request.required.acks", NULL },
	{ "socket.nagle.disable", NULL },
	{ "transaction.timeout.ms", NULL },
};

static int check_name(const char *name, struct buffer *rule) {
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._")]) {
		buffer_append_string(rule, "must name a setting of librdkafka");
		return CONFIG_E_REFUSED;
	}
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (strcmp(reserved[i].name, name) != 0)
			continue;
		if (reserved[i].follows_from)
			buffer_printf(rule, "cannot be set; it follows from %s", reserved[i].follows_from);
		else
			buffer_append_string(rule, "cannot be set; posthorn depends on its own value");
		return CONFIG_E_REFUSED;
	}
	return 0;
}

static struct kafka_property *find_property(const struct config *config, const char *name) {
	for (size_t i = 0; i < config->kafka_count; i++) {
		if (strcmp(config->kafka[i].name, name) == 0)
			return &config->kafka[i];
	}
	return NULL;
}

int option_set_kafka(struct config *config, const char *name, const char *value, struct buffer *rule) {
	struct kafka_property *property;

	if (check_name(name, rule) != 0)
		return CONFIG_E_REFUSED;
	property = find_property(config, name);
	if (!property) {
		config->kafka = x_realloc(config->kafka, (config->kafka_count + 1) * sizeof(*config->kafka));
		property = &config->kafka[config->kafka_count++];
		*property = (struct kafka_property){ .name = x_strdup(name) };
	}
	free(property->value);
	property->value = x_strdup(value);
	return 0;
}

const char *config_kafka_get(const struct config *config, const char *name) {
	const struct kafka_property *property = find_property(config, name);

	return property ? property->value : NULL;
}

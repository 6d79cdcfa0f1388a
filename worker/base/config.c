#include "base/config.h"

/* Source: librdkafka 2.8, CONFIGURATION.md. */
static const char *const secrets[] = {
	"sasl.password",
	"ssl.key.password",
	"ssl.keystore.password",
	"ssl.key.pem",
	"sasl.oauthbearer.client.secret",
	"sasl.oauthbearer.config",
};

bool config_kafka_is_secret(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (strcmp(secrets[i], name) == 0)
			return true;
	return false;
}

static int check_name(const char *name, struct buffer *rule) {
	if (*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._")])
		return 0;
	buffer_append_string(rule, "must name a setting of librdkafka");
	return CONFIG_E_REFUSED;
}

static struct kafka_property *find_property(const struct config *config, const char *name) {
	for (size_t i = 0; i < config->kafka_count; i++) {
		if (strcmp(config->kafka[i].name, name) == 0)
			return &config->kafka[i];
	}
	return NULL;
}

int config_kafka_set(struct config *config, const struct config_kafka_rules *rules,
		     const char *name, const char *value, struct buffer *rule) {
	struct kafka_property *property;
	int r = check_name(name, rule);

	if (r == 0 && rules)
		r = rules->judge_setting(name, value, rule);
	if (r != 0)
		return r;
	property = find_property(config, name);
	if (!property) {
		config->kafka =
		    x_realloc(config->kafka, (config->kafka_count + 1) * sizeof(*config->kafka));
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

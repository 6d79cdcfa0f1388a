#include "base/config.h"

#include "base/secret_file.h"

#include <errno.h>

enum { SECRET_BYTES_MAX = 64 * 1024 };

static const char twin[] = ".file";

static bool is_twin(const char *name) {
	size_t len = strlen(name), twin_len = strlen(twin);

	return len > twin_len && strcmp(name + len - twin_len, twin) == 0;
}

/* By their words: each version of librdkafka has more of them. Source: librdkafka 2.12,
 * CONFIGURATION.md. */
bool config_kafka_is_secret(const char *name) {
	static const char *const words[] = { "password", "passphrase", "secret", "key.pem",
					     "sasl.oauthbearer.config" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(name, words[i]))
			return !is_twin(name);
	return false;
}

/* `sasl.password` for `sasl.password.file`; NULL where `name` is no such twin. */
static char *secret_of_twin(const char *name) {
	_cleanup_(x_freep) char *secret =
	    is_twin(name) ? x_strndup(name, strlen(name) - strlen(twin)) : NULL;

	return secret && config_kafka_is_secret(secret) ? TAKE(secret) : NULL;
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

static int set(struct config *config, const struct config_kafka_rules *rules, const char *name,
	       const char *value, struct buffer *rule) {
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

static int set_from_file(struct config *config, const struct config_kafka_rules *rules,
			 const char *secret, const char *path, struct buffer *rule) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(SECRET_BYTES_MAX),
						why = BUFFER_INIT(1024);
	int r = secret_file_read(path, &text, &why);

	if (r != 0) {
		/* One that is too long would not fit into a message either. */
		buffer_printf(rule, "%s %s", r == -ENAMETOOLONG ? "its file:" : path,
			      r < 0 ? strerror(-r) : why.data);
		r = CONFIG_E_REFUSED;
	} else {
		r = set(config, rules, secret, text.data, rule);
	}
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	return r;
}

int config_kafka_set(struct config *config, const struct config_kafka_rules *rules,
		     const char *name, const char *value, struct buffer *rule) {
	_cleanup_(x_freep) char *secret = secret_of_twin(name);

	return secret ? set_from_file(config, rules, secret, value, rule)
		      : set(config, rules, name, value, rule);
}

const char *config_kafka_get(const struct config *config, const char *name) {
	const struct kafka_property *property = find_property(config, name);

	return property ? property->value : NULL;
}

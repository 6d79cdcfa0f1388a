/*
 * Reading the configuration: one table of options (options.c) gives parsing, checking, `--help`,
 * the manual page's list and docs/configuration.md. The sources, later ones winning, are the file
 * (Java-style properties), the environment (POSTHORN_DELIVERY_TIMEOUT for delivery.timeout), and
 * `--set key=value`.
 *
 * A problem names a key and the rule that it breaks. It never repeats a value that is or may be a
 * secret, such as the value of an unknown key.
 */
#pragma once

#include "base/config.h"

struct config_source {
	const char *file;            /* NULL: none */
	char *const *environment;    /* NULL-terminated NAME=value, or NULL */
	const char *const *settings; /* "key=value", in order */
	size_t setting_count;
	unsigned needs;                               /* enum config_need */
	const struct config_kafka_rules *kafka_rules; /* NULL: kafka.* is not judged */
};

/*
 * Loads all sources into a new configuration. Returns 0; CONFIG_E_REFUSED with one line for each
 * problem in `problems`, naming the source, the key and the broken rule; or a negative errno.
 *
 * An unknown POSTHORN_ variable is only logged as a warning: Kubernetes sets
 * POSTHORN_KAFKA_SERVICE_HOST where a Service is called posthorn-kafka. A configuration file that
 * others can write to is refused, one with a password that others can read, and a tokens file that
 * secret_file.h refuses.
 */
int config_load(const struct config_source *source, struct config **out,
		struct buffer *problems) _must_check_;
void config_free(struct config *config);
DEFINE_CLEANUP(struct config, config_free)

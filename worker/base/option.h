/* One row of the option table, and the kinds of value that an option has. Internal to the
 * configuration. */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

struct option;

struct option_kind {
	/* Reads `text` into the field and frees what was there. Returns 0, or CONFIG_E_REFUSED with
	 * the rule that it breaks. */
	int (*set)(const struct option *option, const char *text, void *field, struct buffer *rule);
	/* Frees what the field owns; NULL: it owns nothing. */
	void (*clear)(void *field);
};

struct option {
	const char *key;
	const struct option_kind *kind; /* NULL: kafka.*, which is not read here */
	size_t field;                   /* its place in struct config */
	const char *value;              /* the default, as one would write it; NULL: unset */
	const char
	    *shown; /* said instead of the default where that is no value; NULL: nothing is said */
	int64_t min, max; /* numbers, milliseconds, or bytes of text */
	const char *help;
};

extern const struct option_kind option_int, option_count_or_broker, option_size, option_duration,
    option_retry_schedule, option_ratio, option_bool, option_text, option_files, option_name,
    option_url, option_listen, option_networks, option_signature_formats, option_log_level,
    option_log_format;

/* The table, in the order in which it is shown. */
extern const struct option options[];
extern const size_t option_count;

struct config;
struct config_kafka_rules;

/* Keeps librdkafka's setting `name`, copied, if the rules (NULL: none) allow it. Returns as
 * config_kafka_rules do. */
int option_set_kafka(struct config *config, const struct config_kafka_rules *rules,
		     const char *name, const char *value, struct buffer *rule);

/* The row of `key`, or NULL. */
const struct option *option_find(const char *key);

/* The key that `key` was probably meant to be, or NULL. */
const char *option_suggest(const char *key);

/* The default as it is shown: the value, what is said instead, or "none". */
const char *option_default(const struct option *option);

/* One row of the option table, and the kinds of option values. Internal to the configuration. */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

struct option;

struct option_kind {
	/* Parses `text` into the field and frees the former value. Returns 0, or
	 * CONFIG_E_REFUSED with the broken rule. */
	int (*set)(const struct option *option, const char *text, void *field, struct buffer *rule);
	/* Frees the field's value; NULL: the field owns nothing. */
	void (*clear)(void *field);
};

struct option {
	const char *key;
	const struct option_kind *kind; /* NULL: kafka.*, which is not parsed here */
	size_t field;                   /* offset in struct config */
	const char *value;              /* the default as text; NULL: unset */
	const char *shown; /* shown instead of the default, where that is no value; NULL: the
			      default is shown */
	int64_t min, max;  /* of numbers, milliseconds, or bytes of text */
	const char *help;
};

extern const struct option_kind option_int, option_count_or_broker, option_size, option_duration,
    option_retry_schedule, option_ratio, option_bool, option_text, option_files, option_event_types,
    option_name, option_urls, option_listen, option_networks, option_proxy, option_hosts,
    option_signature_formats, option_log_level, option_log_format, option_results_framing,
    option_canonical_form;

/* The table, in the order in which it is shown. */
extern const struct option options[];
extern const size_t option_count;

/* The row of `key`, or NULL. */
const struct option *option_find(const char *key);

/* The likeliest meaning of the misspelt `key`, or NULL. */
const char *option_suggest(const char *key);

/* The default as it is shown: the value, the text that replaces it, or "none". */
const char *option_default(const struct option *option);

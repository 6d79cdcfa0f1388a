#include "base/config_reload.h"

#include "base/option.h"

enum { PROBLEMS_MAX = 64 * 1024 };

/* --- Changes --- */

static bool is_apart(const char *key, const char *const *apart) {
	for (; *apart; apart++)
		if (strncmp(key, *apart, strlen(*apart)) == 0)
			return true;
	return false;
}

static void append_change(struct buffer *out, const char *prefix, const char *key) {
	buffer_printf(out, "%s%s%s", out->len ? "," : "", prefix, key);
}

/* The settings of `one` that `other` lacks, and, where `with_values`, those that differ. */
static void append_kafka_changes(const struct config *one, const struct config *other,
				 bool with_values, struct buffer *out) {
	for (size_t i = 0; i < one->kafka_count; i++) {
		const struct kafka_property *property = &one->kafka[i];
		const char *value = config_kafka_get(other, property->name);

		if (!value || (with_values && strcmp(value, property->value) != 0))
			append_change(out, "kafka.", property->name);
	}
}

void config_append_changes(const struct config *one, const struct config *other,
			   const char *const *apart, struct buffer *out) {
	for (size_t i = 0; i < option_count; i++) {
		const char *before = one->texts[i], *after = other->texts[i];

		if (!is_apart(options[i].key, apart) &&
		    (before && after ? strcmp(before, after) != 0 : before != after))
			append_change(out, "", options[i].key);
	}
	append_kafka_changes(one, other, true, out);
	append_kafka_changes(other, one, false, out);
}

/* --- Reload --- */

static void warn_of_restarts(const struct config *running, const struct config *next,
			     const char *const *apart) {
	_cleanup_(buffer_destroy) struct buffer keys = BUFFER_INIT(PROBLEMS_MAX);

	config_append_changes(running, next, apart, &keys);
	if (keys.len)
		log_warn("changed keys need a restart", "keys=%s", keys.data);
}

int config_reload(const struct config_source *source, const struct config *running,
		  const char *const *apart, struct config **out) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	int r = config_load(source, out, &problems);

	if (r) {
		log_error("configuration is refused: the one before stays", "error=%s",
			  log_quote(r < 0 ? strerror(-r) : problems.data));
		return CONFIG_E_REFUSED;
	}
	log_configure((*out)->log_level, (*out)->log_format);
	warn_of_restarts(running, *out, apart);
	return 0;
}

#include "avro/json_values.h"

#include "avro/json_parse.h"
#include "base/clock.h"

bool json_text_is_string(struct json_text text) {
	return text.len >= 2 && *text.bytes == '"';
}

/* One character more than a detail shows, so that the detail's own cut finds a whole one. */
const char *json_text_shown(struct arena *arena, struct json_text text) {
	size_t quotes = json_text_is_string(text);

	return arena_strndup(arena, text.bytes + quotes,
			     MIN(text.len - 2 * quotes, (size_t)PROBLEM_VALUE_MAX + 4));
}

static const char *full_name(struct json_values *values, const char *param) {
	return values->prefix ? arena_printf(values->arena, "%s%s", values->prefix, param) : param;
}

/* Copies nothing for a detail that would be dropped. */
void json_values_fault(struct json_values *values, const char *param, struct json_text value,
		       const char *msg) {
	const struct problem *problem = values->faults.problem;
	bool is_shown = !values->is_secret && *value.bytes != '{' && *value.bytes != '[';

	if (!problem || problem->detail_count < PROBLEM_DETAILS_MAX)
		validation_add(&values->faults, full_name(values, param), "body",
			       is_shown ? json_text_shown(values->arena, value) : NULL, msg);
}

void json_values_missing(struct json_values *values, const char *param) {
	validation_add(&values->faults, full_name(values, param), "body", NULL, "Must be given");
}

bool json_text_equals(struct json_text text, const char *word) {
	return text.len == strlen(word) && !memcmp(text.bytes, word, text.len);
}

/* Parses a string or a number, of which nothing else can be made than one value. */
static json_t *parse_scalar(struct json_text text) {
	bool is_number =
	    text.len && (*text.bytes == '-' || (*text.bytes >= '0' && *text.bytes <= '9'));

	if (!is_number && !json_text_is_string(text))
		return NULL;
	return json_parse(text.bytes, text.len, JSON_DECODE_ANY, NULL);
}

const char *json_read_string(struct arena *arena, struct json_text text, size_t *len) {
	json_t *json = parse_scalar(text);
	const char *out = NULL;

	if (json_is_string(json)) {
		*len = json_string_length(json);
		out = *len ? arena_strndup(arena, json_string_value(json), *len) : "";
	}
	json_decref(json);
	return out;
}

void json_read_text(struct json_values *values, const char *param, struct json_text text,
		    const char **out, size_t *len) {
	*out = json_read_string(values->arena, text, len);
	if (!*out)
		json_values_fault(values, param, text, "Must be a string, without NUL");
}

static bool read_integer(struct json_text text, int64_t min, int64_t max, int64_t *out) {
	json_t *json = parse_scalar(text);
	bool is_read = json_is_integer(json) && json_integer_value(json) >= min &&
		       json_integer_value(json) <= max;

	if (is_read)
		*out = json_integer_value(json);
	json_decref(json);
	return is_read;
}

bool json_read_int(struct json_values *values, const char *param, struct json_text text,
		   int32_t *out) {
	int64_t number = 0;
	bool is_read = read_integer(text, INT32_MIN, INT32_MAX, &number);

	if (!is_read)
		json_values_fault(values, param, text, "Must be a whole number of 32 bits");
	*out = (int32_t)number;
	return is_read;
}

void json_read_long(struct json_values *values, const char *param, struct json_text text,
		    int64_t *out) {
	if (!read_integer(text, INT64_MIN, INT64_MAX, out))
		json_values_fault(values, param, text, "Must be a whole number of 64 bits");
}

bool json_read_time(struct json_values *values, const char *param, struct json_text text,
		    int64_t *out) {
	const char *string;
	size_t len;

	if (read_integer(text, INT64_MIN, INT64_MAX, out))
		return true;
	string = json_read_string(values->arena, text, &len);
	if (string && !clock_parse_rfc3339(string, out))
		return true;
	json_values_fault(
	    values, param, text,
	    "Must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970");
	return false;
}

void json_read_boolean(struct json_values *values, const char *param, struct json_text text,
		       bool *out) {
	*out = json_text_equals(text, "true");
	if (!*out && !json_text_equals(text, "false"))
		json_values_fault(values, param, text, "Must be true or false");
}

void json_read_uuid(struct json_values *values, const char *param, struct json_text text,
		    struct uuid *out) {
	size_t len;
	const char *string = json_read_string(values->arena, text, &len);

	if (!string || uuid_parse(string, out))
		json_values_fault(values, param, text, "Must be a UUID");
}

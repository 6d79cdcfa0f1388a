/*
 * Values of a JSON record (json_read.h): each reader parses one, and notes a fault where it is not
 * what its field takes. What is wrong becomes zero.
 */
#pragma once

#include "avro/json_walk.h"
#include "base/uuid.h"
#include "domain/validation.h"

#include <stdint.h>

struct json_values {
	struct arena *arena;
	struct validation faults;
	const char *prefix; /* of the names of members, such as "headers[0]."; NULL: none */
	bool is_secret;     /* values are not shown */
};

/* The detail shows a text, a number or a word; an object or an array, which may hold a secret, it
 * does not show. */
void json_values_fault(struct json_values *values, const char *param, struct json_text value,
		       const char *msg);
void json_values_missing(struct json_values *values, const char *param);

bool json_text_equals(struct json_text text, const char *word);
bool json_text_is_string(struct json_text text);
/* The value as it stands in the text, a string without its quotes; cut to what a detail shows. */
const char *json_text_shown(struct arena *arena, struct json_text text);

/* The string, in the arena; NULL for what is none, and for one with a NUL. */
const char *json_read_string(struct arena *arena, struct json_text text, size_t *len);

void json_read_text(struct json_values *values, const char *param, struct json_text text,
		    const char **out, size_t *len);
/* Returns false after a fault. */
bool json_read_int(struct json_values *values, const char *param, struct json_text text,
		   int32_t *out);
void json_read_long(struct json_values *values, const char *param, struct json_text text,
		    int64_t *out);
/* Returns false after a fault. */
bool json_read_time(struct json_values *values, const char *param, struct json_text text,
		    int64_t *out);
void json_read_boolean(struct json_values *values, const char *param, struct json_text text,
		       bool *out);
void json_read_uuid(struct json_values *values, const char *param, struct json_text text,
		    struct uuid *out);

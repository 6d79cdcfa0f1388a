#include "registry/protocol.h"

#include "avro/json_parse.h"

#include <inttypes.h>

/* Source: Confluent Schema Registry API, "Errors". */
enum { SUBJECT_NOT_FOUND = 40401, VERSION_NOT_FOUND = 40402, SCHEMA_NOT_FOUND = 40403 };

static void json_freep(json_t **json) {
	json_decref(*json);
}

static int fail(struct buffer *why, const char *path, const char *reason) {
	buffer_printf(why, "%s: %s", path, reason);
	return PROTOCOL_E_FAILED;
}

static void append_words(struct buffer *why, const char *path, long status, const json_t *answer) {
	const char *words = json_string_value(json_object_get(answer, "message"));

	buffer_printf(why, "%s: status %ld", path, status);
	if (words) {
		buffer_append_string(why, ": ");
		buffer_append_visible(why, words);
	}
}

/* Judges an answer that is not 200. */
static int judge_error(const char *path, long status, const json_t *answer, struct buffer *why) {
	json_int_t code = json_integer_value(json_object_get(answer, "error_code"));

	append_words(why, path, status, answer);
	if (status != 404)
		return PROTOCOL_E_REFUSED;
	if (code == SUBJECT_NOT_FOUND || code == VERSION_NOT_FOUND || code == SCHEMA_NOT_FOUND)
		return PROTOCOL_E_UNKNOWN;
	buffer_append_string(why, ", without a registry's error code: is the url right?");
	return PROTOCOL_E_FAILED;
}

/* `out`, which the caller frees, is an object where it returns 0. */
static int ask(struct registry_client *client, const char *path, const char *json, json_t **out,
	       struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer body = BUFFER_INIT(CLIENT_ANSWER_MAX);
	long status = 0;
	int r = registry_client_call(client, path, json, &status, &body, why);

	*out = NULL;
	if (r)
		return PROTOCOL_E_FAILED;
	if (body.len)
		*out = json_parse(body.data, body.len, 0, NULL);
	if (status != 200)
		return judge_error(path, status, *out, why);
	return json_is_object(*out) ? 0 : fail(why, path, "the answer is no JSON object");
}

/* A schema by id. */

static int take_schema(const char *path, const json_t *answer, struct buffer *schema,
		       struct buffer *why) {
	const char *text = json_string_value(json_object_get(answer, "schema"));
	const char *type = json_string_value(json_object_get(answer, "schemaType"));

	if (type && strcmp(type, "AVRO") != 0) {
		buffer_append_string(why, "its schema is of the type ");
		buffer_append_visible(why, type);
		return PROTOCOL_E_REFUSED;
	}
	if (!text)
		return fail(why, path, "the answer has no schema");
	if (json_array_size(json_object_get(answer, "references")) > 0) {
		buffer_append_string(why, "its schema refers to others");
		return PROTOCOL_E_REFUSED;
	}
	buffer_append_string(schema, text);
	return 0;
}

int protocol_get_schema(struct registry_client *client, uint32_t id, struct buffer *schema,
			struct buffer *why) {
	_cleanup_(json_freep) json_t *answer = NULL;
	_cleanup_(x_freep) char *path = x_asprintf("/schemas/ids/%" PRIu32, id);
	int r = ask(client, path, NULL, &answer, why);

	return r ? r : take_schema(path, answer, schema, why);
}

/* Subjects. Their names are of topics, which need no escaping in a path. Normalised: another text
 * of the same schema is the same. */

static int ask_with_schema(struct registry_client *client, const char *path, const char *schema,
			   json_t **out, struct buffer *why) {
	_cleanup_(json_freep) json_t *question = json_pack("{s:s}", "schema", schema);
	_cleanup_(x_freep) char *json = x_checked(json_dumps(question, JSON_COMPACT));

	return ask(client, path, json, out, why);
}

static int ask_for_id(struct registry_client *client, const char *path, const char *schema,
		      uint32_t *id, struct buffer *why) {
	_cleanup_(json_freep) json_t *answer = NULL;
	int r = ask_with_schema(client, path, schema, &answer, why);
	const json_t *value = json_object_get(answer, "id");

	if (r)
		return r;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > UINT32_MAX)
		return fail(why, path, "the answer has no id");
	*id = (uint32_t)json_integer_value(value);
	return 0;
}

int protocol_find_id(struct registry_client *client, const char *subject, const char *schema,
		     uint32_t *id, struct buffer *why) {
	_cleanup_(x_freep) char *path = x_asprintf("/subjects/%s?normalize=true", subject);

	return ask_for_id(client, path, schema, id, why);
}

int protocol_register(struct registry_client *client, const char *subject, const char *schema,
		      uint32_t *id, struct buffer *why) {
	_cleanup_(x_freep) char *path = x_asprintf("/subjects/%s/versions?normalize=true", subject);

	return ask_for_id(client, path, schema, id, why);
}

int protocol_is_compatible(struct registry_client *client, const char *subject, const char *schema,
			   bool *compatible, struct buffer *why) {
	_cleanup_(x_freep) char *path =
	    x_asprintf("/compatibility/subjects/%s/versions/latest", subject);
	_cleanup_(json_freep) json_t *answer = NULL;
	int r = ask_with_schema(client, path, schema, &answer, why);
	const json_t *value = json_object_get(answer, "is_compatible");

	if (r)
		return r;
	if (!json_is_boolean(value))
		return fail(why, path, "the answer does not tell whether it is compatible");
	*compatible = json_is_true(value);
	return 0;
}

#include "command/issuance_json.h"

#include "avro/json_parse.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/uuid.h"
#include "command/json_text.h"
#include "domain/limits.h"

enum field_kind { FIELD_TEXT, FIELD_TIMESTAMP, FIELD_CLAIMS, FIELD_CREDENTIAL, FIELD_JSON };

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t offset; /* of a const char * (or, the timestamp, an int64_t) in the struct */
};

static const struct field issuance_fields[] = {
	{ "commandId", FIELD_TEXT, false, offsetof(struct issuance, envelope.command_id) },
	{ "tenantId", FIELD_TEXT, false, offsetof(struct issuance, envelope.tenant_id) },
	{ "requestId", FIELD_TEXT, false, offsetof(struct issuance, envelope.request_id) },
	{ "clientId", FIELD_TEXT, false, offsetof(struct issuance, envelope.client_id) },
	{ "timestamp", FIELD_TIMESTAMP, false, offsetof(struct issuance, envelope.timestamp_ms) },
	{ "userId", FIELD_TEXT, false, offsetof(struct issuance, user_id) },
	{ "credentialId", FIELD_TEXT, true, offsetof(struct issuance, credential_id) },
	{ "credentialConfigurationId", FIELD_TEXT, true,
	  offsetof(struct issuance, credential_configuration_id) },
	{ "credentialProfile", FIELD_TEXT, true, offsetof(struct issuance, credential_profile) },
	{ "format", FIELD_TEXT, true, offsetof(struct issuance, format) },
	{ "credentialOfferId", FIELD_TEXT, false, offsetof(struct issuance, credential_offer_id) },
	{ "sessionId", FIELD_TEXT, false, offsetof(struct issuance, session_id) },
	{ "claims", FIELD_CLAIMS, false, offsetof(struct issuance, claims) },
	{ "credential", FIELD_CREDENTIAL, false, offsetof(struct issuance, credential) },
};

static const struct field event_fields[] = {
	{ "commandId", FIELD_TEXT, false, offsetof(struct event_command, envelope.command_id) },
	{ "tenantId", FIELD_TEXT, false, offsetof(struct event_command, envelope.tenant_id) },
	{ "requestId", FIELD_TEXT, false, offsetof(struct event_command, envelope.request_id) },
	{ "clientId", FIELD_TEXT, false, offsetof(struct event_command, envelope.client_id) },
	{ "timestamp", FIELD_TIMESTAMP, false,
	  offsetof(struct event_command, envelope.timestamp_ms) },
	{ "eventType", FIELD_TEXT, true, offsetof(struct event_command, event_type) },
	{ "subject", FIELD_TEXT, false, offsetof(struct event_command, subject) },
	{ "payload", FIELD_JSON, true, offsetof(struct event_command, payload) },
};

struct member {
	const char *name;
	const json_t *value;
	struct json_text text; /* the value's own bytes */
};

struct parse {
	struct arena *arena;
	struct json_text text;
	const char *record; /* of the schema */
	const struct field *fields;
	size_t field_count;
	struct command_envelope *out; /* the first member of the struct */
	const char **why;
};

static int refuse_object(const struct parse *parse, const char *name, const char *rule) {
	*parse->why = arena_printf(parse->arena, "%s %s", name, rule);
	return ISSUANCE_JSON_E_REFUSED;
}

static const char **text_of(const struct parse *parse, const struct field *field) {
	return (const char **)((char *)parse->out + field->offset);
}

const char *issuance_credential_text(struct arena *arena, const char *string) {
	_cleanup_(buffer_destroy) struct buffer quoted = BUFFER_INIT(6 * strlen(string) + 2);

	if (string[0] == '{' || string[0] == '"' || !string[0])
		return string;
	buffer_append_json_string(&quoted, string);
	return arena_strndup(arena, quoted.data, quoted.len);
}

static int take_timestamp(const struct parse *parse, const json_t *value) {
	double number = json_number_value(value);

	if (json_is_string(value) &&
	    !clock_parse_iso8601(json_string_value(value), &parse->out->timestamp_ms))
		return 0;
	/* A double holds whole milliseconds exactly up to the year 287396. */
	if (!json_is_number(value) || number > 0x1p53 || number < -0x1p53 ||
	    number != (double)(int64_t)number)
		return refuse_object(parse, "timestamp",
				     "must be whole milliseconds or ISO 8601 with milliseconds");
	parse->out->timestamp_ms = (int64_t)number;
	return 0;
}

static int take_field(const struct parse *parse, const struct field *field,
		      const struct member *member) {
	const char *string = json_string_value(member->value);

	if (json_is_null(member->value))
		return 0;
	if (field->kind == FIELD_TIMESTAMP)
		return take_timestamp(parse, member->value);
	if (field->kind == FIELD_JSON ||
	    (field->kind != FIELD_TEXT && json_is_object(member->value))) {
		*text_of(parse, field) =
		    arena_strndup(parse->arena, member->text.bytes, member->text.len);
		return 0;
	}
	if (!string)
		return refuse_object(parse, field->name,
				     field->kind == FIELD_TEXT ? "must be a string"
							       : "must be an object or a string");
	string = arena_strdup(parse->arena, string);
	*text_of(parse, field) = field->kind == FIELD_CREDENTIAL
				     ? issuance_credential_text(parse->arena, string)
				     : string;
	return 0;
}

static int take_member(const struct parse *parse, const struct member *member) {
	for (size_t i = 0; i < parse->field_count; i++) {
		if (!strcmp(parse->fields[i].name, member->name))
			return take_field(parse, &parse->fields[i], member);
	}
	return refuse_object(parse, member->name,
			     arena_printf(parse->arena, "is not a field of %s", parse->record));
}

/* Refuses a record without a usable tenantId: it would be a dead letter, without an outcome. */
static int complete(const struct parse *parse, const struct issuance_defaults *defaults) {
	struct command_envelope *envelope = parse->out;

	if (!envelope->tenant_id)
		envelope->tenant_id = defaults->tenant_id;
	if (!envelope->tenant_id)
		return refuse_object(parse, "tenantId", "is missing, and --tenant is not given");
	if (!envelope->tenant_id[0] || strlen(envelope->tenant_id) > TENANT_ID_MAX)
		return refuse_object(parse, "tenantId", "must have 1 to 256 bytes");
	for (size_t i = 0; i < parse->field_count; i++) {
		if (parse->fields[i].required && !*text_of(parse, &parse->fields[i]))
			return refuse_object(parse, parse->fields[i].name, "is missing");
	}
	if (!envelope->command_id)
		envelope->command_id = uuid_random_text(parse->arena);
	if (!envelope->request_id)
		envelope->request_id = uuid_random_text(parse->arena);
	return 0;
}

/* Walks the members of jansson and of the text in step: jansson keeps the order of the text, and
 * refuses repeated names. */
static int take_object(const struct parse *parse, json_t *object) {
	struct member member;
	json_t *value;
	size_t at = 0;
	int r = 0;

	json_object_foreach(object, member.name, value) {
		bool has_text = json_text_next_member(&parse->text, &at, &member.text);

		invariant(has_text, "an object has the members of its text");
		member.value = value;
		r = take_member(parse, &member);
		if (r)
			return r;
	}
	return 0;
}

static int parse_object(const struct parse *parse, const struct issuance_defaults *defaults) {
	json_error_t error;
	json_t *object = json_parse(parse->text.bytes, parse->text.len,
				    JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
	int r;

	if (!object)
		return refuse_object(parse, "not JSON:", error.text);
	r = json_is_object(object) ? take_object(parse, object)
				   : refuse_object(parse, "the line", "must be a JSON object");
	json_decref(object);
	return r ? r : complete(parse, defaults);
}

int issuance_json_parse(struct arena *arena, const char *text, size_t len,
			const struct issuance_defaults *defaults, struct issuance *out,
			const char **why) {
	const struct parse parse = { arena,
				     { text, len },
				     "CredentialIssuanceCommand",
				     issuance_fields,
				     ARRAY_LEN(issuance_fields),
				     &out->envelope,
				     why };

	*out = (struct issuance){ .envelope.timestamp_ms = defaults->now_ms, .credential = "" };
	return parse_object(&parse, defaults);
}

int event_json_parse(struct arena *arena, const char *text, size_t len,
		     const struct issuance_defaults *defaults, struct event_command *out,
		     const char **why) {
	const struct parse parse = { arena,        { text, len },           "EventCommand",
				     event_fields, ARRAY_LEN(event_fields), &out->envelope,
				     why };

	*out = (struct event_command){ .envelope.timestamp_ms = defaults->now_ms };
	return parse_object(&parse, defaults);
}

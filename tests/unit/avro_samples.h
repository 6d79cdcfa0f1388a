/* One valid value of every kind of record, for the tests of the codec. */
#pragma once

#include "avro/codec.h"
#include "base/memory.h"

enum sample_kind { SAMPLE_COMMAND, SAMPLE_ISSUANCE, SAMPLE_EVENT, SAMPLE_STATE };

struct sample {
	const char *name;
	enum sample_kind kind;
	union {
		const struct command *command;
		const struct issuance *issuance;
		const struct analytic_event *event;
		const struct state_record *state;
		const void *value;
	};
};

#define SAMPLE_UUID(last)                                                                          \
	{                                                                                          \
		{                                                                                  \
			0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde, 0x8f, 0x01, 0x23, 0x45,    \
			    0x67, 0x89, 0xab, last                                                 \
		}                                                                                  \
	}
#define SAMPLE_ENVELOPE { "cmd-1", "acme", "req-1", "client-1", 1767225600000, NULL, NULL, NULL }
static const char *const sample_types[] = { EVENT_TYPE_CREDENTIAL_ISSUED };
static const char *const sample_types_both[] = { EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY,
						 EVENT_TYPE_CREDENTIAL_ISSUED };

#define SAMPLE_WEBHOOK                                                                             \
	{ SAMPLE_UUID(1),                                                                          \
	  .tenant_id = "acme",                                                                     \
	  .events = sample_types_both,                                                             \
	  .event_count = 2,                                                                        \
	  .url = "https://hooks.example.com/a?b=c",                                                \
	  .disabled = true,                                                                        \
	  .created_at_ms = 1767225600000,                                                          \
	  .updated_at_ms = 1767225600123 }
/* With every member of the second edition that is shown, and others. */
#define SAMPLE_WEBHOOK_WITH(headers_, ...)                                                         \
	{ SAMPLE_UUID(1),                                                                          \
	  .tenant_id = "acme",                                                                     \
	  .events = sample_types,                                                                  \
	  .event_count = 1,                                                                        \
	  .url = "https://hooks.example.com/",                                                     \
	  .created_at_ms = 1767225600000,                                                          \
	  .updated_at_ms = 1767225600123,                                                          \
	  .description = "the staging system",                                                     \
	  .headers = (headers_),                                                                   \
	  .header_count = 2,                                                                       \
	  .signatures = { SIGNATURE_STANDARD_WEBHOOKS_HMAC, SIGNATURE_RFC9421 },                   \
	  .signature_count = 2,                                                                    \
	  .filter = &sample_filter,                                                                \
	  .rate_limit = 50,                                                                        \
	  __VA_ARGS__ }
#define SAMPLE_EVENT_HEAD(subject_, step_, status_)                                                \
	.id = SAMPLE_UUID(2), .subject = (subject_), .step = (step_),                              \
	.timestamp_ms = 1767225600001, .tenant_id = "acme", .command_id = "cmd-1",                 \
	.request_id = "req-1", .client_id = "client-1", .status = (status_)

static const char *sample_event_names[] = { "OpenIdCredentialIssued",
					    "OpenIdCredentialIssuedSummary" };

static const char *sample_values[] = { "Degree", "Licence" };
static const struct webhook_filter sample_filter = {
	.credential_configuration_ids = { sample_values, 2 },
	.subjects = { sample_values, 1 },
};
static struct header_given sample_given[] = { { "x-api-key", "k" }, { "authorization", NULL } };
static struct webhook_header sample_shown[] = { { .name = "x-api-key" },
						{ .name = "authorization" } };
static struct webhook_header sample_sealed[] = {
	{ "x-api-key", (const uint8_t *)"\0sealed", 7 },
	{ "authorization", (const uint8_t *)"s", 1 },
};

static const struct command sample_commands[] = {
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_CREATE_WEBHOOK,
	  .events = sample_event_names,
	  .event_count = 2,
	  .url = "https://hooks.example.com/ü",
	  .disabled = true },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_RETRIEVE_WEBHOOKS,
	  .has_limit = true,
	  .limit = -7,
	  .cursor = "Y3Vyc29y" },
	{ .envelope = { "c", "t", NULL, NULL, -1, NULL, NULL, NULL },
	  .operation = OPERATION_RETRIEVE_WEBHOOKS },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_RETRIEVE_WEBHOOK,
	  .id = "not a uuid" },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_UPDATE_WEBHOOK,
	  .id = "u",
	  .events = NULL,
	  .event_count = 0,
	  .url = "" },
	{ .envelope = SAMPLE_ENVELOPE, .operation = OPERATION_DELETE_WEBHOOK, .id = "d" },
	{ .envelope = SAMPLE_ENVELOPE, .operation = OPERATION_TEST_WEBHOOK, .id = "t" },
	{ .envelope = SAMPLE_ENVELOPE, .operation = OPERATION_ROTATE_SIGNING_KEY },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_RECOVER_DELIVERIES,
	  .id = "r",
	  .since_ms = 1767225600002 },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_CREATE_WEBHOOK,
	  .events = sample_event_names,
	  .event_count = 1,
	  .url = "https://hooks.example.com/",
	  .description = "the staging system",
	  .headers = sample_given,
	  .header_count = 2,
	  .signatures = sample_values,
	  .signature_count = 2,
	  .filter = &sample_filter,
	  .has_rate_limit = true },
	{ .envelope = SAMPLE_ENVELOPE, .operation = OPERATION_ROTATE_SECRET, .id = "s" },
	{ .envelope = SAMPLE_ENVELOPE, .operation = OPERATION_RESEND_DELIVERY, .id = "d" },
	{ .envelope = SAMPLE_ENVELOPE,
	  .operation = OPERATION_RECOVER_DELIVERIES,
	  .id = "r",
	  .since_ms = 1767225600002,
	  .has_until = true,
	  .until_ms = 1767225600003,
	  .subject = "cred-1",
	  .status = "succeeded" },
};

static const struct issuance sample_issuances[] = {
	{ SAMPLE_ENVELOPE, "user-1", "cred-1", "config-1", "profile-1", "jwt_vc_json", "offer-1",
	  "session-1", "{\"a\":1}", "\"ey.J.x\"" },
	{ .envelope = { "c", "t", NULL, NULL, 0, NULL, NULL, NULL },
	  .credential_id = "i",
	  .credential_configuration_id = "k",
	  .credential_profile = "p",
	  .format = "f",
	  .credential = "" },
};

static const struct webhook sample_page[] = { SAMPLE_WEBHOOK, SAMPLE_WEBHOOK };

static struct problem_detail sample_details[] = {
	{ "ftp://x", "Invalid value", "url", "body" },
	{ "", "must not be empty", "events", "body" },
};
static const struct problem sample_problem = {
	400, "BadRequest", "request", "The command is not valid.", sample_details, 2, 2
};

static const struct attempt_response sample_response = { "busy\\u000a", "192.0.2.1", "1.1",
							 "TLSv1.3" };

static const struct analytic_event sample_events[] = {
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_CREATE, ANALYTIC_START, 0) },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_CREATE, ANALYTIC_SUCCESS, 201), .repeat = true,
	  .data = { EVENT_DATA_WEBHOOK, .webhook = SAMPLE_WEBHOOK } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_RETRIEVE_LIST, ANALYTIC_SUCCESS, 200),
	  .data = { EVENT_DATA_WEBHOOK_PAGE, .page = { sample_page, 2, "bmV4dA" } } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_RETRIEVE_LIST, ANALYTIC_SUCCESS, 200),
	  .data = { EVENT_DATA_WEBHOOK_PAGE } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_UPDATE, ANALYTIC_FAIL, 400),
	  .data = { EVENT_DATA_PROBLEM, .problem = &sample_problem } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_OPENID_CREDENTIAL, ANALYTIC_SUCCESS, 200),
	  .data = { EVENT_DATA_CREDENTIAL_ISSUED, .credential_issued = { "cred-1", 3 } } },
	{ .id = SAMPLE_UUID(2),
	  .subject = ANALYTIC_WEBHOOK_EVENT,
	  .step = ANALYTIC_RETRY,
	  .timestamp_ms = 5,
	  .tenant_id = "acme",
	  .status = 503,
	  .data = { EVENT_DATA_DELIVERY,
		    .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(1), EVENT_TYPE_WEBHOOK_TEST, 2, 503,
				  "status-503", 0, .next_attempt_at_ms = 1767225605000 } } },
	{ .id = SAMPLE_UUID(2),
	  .subject = ANALYTIC_WEBHOOK_EVENT,
	  .step = ANALYTIC_RECEIVE,
	  .timestamp_ms = 5,
	  .tenant_id = "acme",
	  .data = { EVENT_DATA_DELIVERY,
		    .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(1), EVENT_TYPE_CREDENTIAL_ISSUED,
				  .duration_ms = -1 } } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_KEY_ROTATE, ANALYTIC_SUCCESS, 201),
	  .data = { EVENT_DATA_SIGNING_KEY,
		    .signing_key = { "kid-1", 1767225600000, 1767312000000 } } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_RECOVER, ANALYTIC_SUCCESS, 200),
	  .data = { EVENT_DATA_RECOVERED, .recovered = 12 } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_CREATE, ANALYTIC_SUCCESS, 201),
	  .data = { EVENT_DATA_WEBHOOK, .webhook = SAMPLE_WEBHOOK_WITH(sample_shown) } },
	{ .id = SAMPLE_UUID(2),
	  .subject = ANALYTIC_WEBHOOK_EVENT,
	  .step = ANALYTIC_RETRY,
	  .timestamp_ms = 5,
	  .tenant_id = "acme",
	  .command_id = "cmd-1",
	  .status = 503,
	  .data = { EVENT_DATA_DELIVERY,
		    .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(1), EVENT_TYPE_WEBHOOK_TEST, 2, 503,
				  "status-503", 0, 1767225605000, true, SAMPLE_UUID(4), "cred-1",
				  1767225600000, &sample_response } } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_EVENT_PUBLISH, ANALYTIC_SUCCESS, 202),
	  .data = { EVENT_DATA_PUBLISHED,
		    .published = { SAMPLE_UUID(4), "CredentialRevoked", 3 } } },
	{ SAMPLE_EVENT_HEAD(ANALYTIC_WEBHOOK_SECRET_ROTATE, ANALYTIC_SUCCESS, 201),
	  .data = { EVENT_DATA_SECRET, .secret = { NULL, 2, 1767312000000 } } },
};

#define SAMPLE_RECEIPT(subject_, status_, ...)                                                     \
	{ .kind = STATE_RECEIPT,                                                                   \
	  .receipt = { "acme", "cmd-1", "0123456789abcde", subject_, status_, __VA_ARGS__,         \
		       1767225600000, 1767312000000 } }

static const struct state_record sample_states[] = {
	{ .kind = STATE_WEBHOOK, .webhook = SAMPLE_WEBHOOK },
	{ .kind = STATE_WEBHOOK,
	  .webhook = { SAMPLE_UUID(1), .tenant_id = "acme", .events = sample_types,
		       .event_count = 1, .url = "https://a/", .created_at_ms = 1767225600000,
		       .updated_at_ms = 1767225600123, .failing_since_ms = 1767225600456 } },
	{ .kind = STATE_SIGNING_KEY,
	  .signing_key = { "acme", "kid-1", "0123456789abcdef0123456789abcde", "master-1", 2,
			   1767225600000, 0 } },
	{ .kind = STATE_DELIVERY,
	  .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(4), SAMPLE_UUID(1), "acme", "cmd-1", "req-1",
			NULL, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
			EVENT_TYPE_CREDENTIAL_ISSUED, "{\"k\":\"\\\"é\"}", 12, DELIVERY_DEAD, 8,
			500, "status-500", 1767225600000, 1767225700000, NULL, NULL } },
	{ .kind = STATE_DELIVERY,
	  .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(4), SAMPLE_UUID(1), "acme", "cmd-1",
			.body = "{}", .body_len = 2, .event_type = EVENT_TYPE_WEBHOOK_TEST,
			.created_at_ms = 1, .next_attempt_at_ms = 2 } },
	SAMPLE_RECEIPT(ANALYTIC_WEBHOOK_CREATE, 201,
		       { EVENT_DATA_WEBHOOK, .webhook = SAMPLE_WEBHOOK }),
	SAMPLE_RECEIPT(ANALYTIC_WEBHOOK_DELETE, 204, { EVENT_DATA_NONE }),
	SAMPLE_RECEIPT(ANALYTIC_WEBHOOK_UPDATE, 400,
		       { EVENT_DATA_PROBLEM, .problem = &sample_problem }),
	{ .kind = STATE_POSITION,
	  .position = { SAMPLE_UUID(5), 1234567890123, 7, "worker-1", -1, 42, 3, 1767225600000, 0,
			0 } },
	{ .kind = STATE_WEBHOOK,
	  .webhook = SAMPLE_WEBHOOK_WITH(sample_sealed, .told = { 1767225600456, 1767225600789,
								  1767312000000, 1767225700000 }) },
	{ .kind = STATE_DELIVERY,
	  .delivery = { SAMPLE_UUID(3), SAMPLE_UUID(4), SAMPLE_UUID(1), "acme", "cmd-1",
			.body = "{}", .body_len = 2, .event_type = EVENT_TYPE_WEBHOOK_TEST,
			.created_at_ms = 1, .next_attempt_at_ms = 2, .subject = "cred-1",
			.tracestate = "rojo=1" } },
	SAMPLE_RECEIPT(
	    ANALYTIC_WEBHOOK_EVENT_PUBLISH, 202,
	    { EVENT_DATA_PUBLISHED, .published = { SAMPLE_UUID(4), "CredentialRevoked", 3 } }),
	{ .kind = STATE_POSITION,
	  .position = { SAMPLE_UUID(5), 1234567890123, 7, "worker-1", -1, 42, 3, 1767225600000, 9,
			4711 } },
};

static const struct sample samples[] = {
	{ "create", SAMPLE_COMMAND, { &sample_commands[0] } },
	{ "list", SAMPLE_COMMAND, { &sample_commands[1] } },
	{ "list without options", SAMPLE_COMMAND, { &sample_commands[2] } },
	{ "retrieve", SAMPLE_COMMAND, { &sample_commands[3] } },
	{ "update", SAMPLE_COMMAND, { &sample_commands[4] } },
	{ "delete", SAMPLE_COMMAND, { &sample_commands[5] } },
	{ "test", SAMPLE_COMMAND, { &sample_commands[6] } },
	{ "rotate", SAMPLE_COMMAND, { &sample_commands[7] } },
	{ "recover", SAMPLE_COMMAND, { &sample_commands[8] } },
	{ "issuance", SAMPLE_ISSUANCE, { .issuance = &sample_issuances[0] } },
	{ "issuance without options", SAMPLE_ISSUANCE, { .issuance = &sample_issuances[1] } },
	{ "event start", SAMPLE_EVENT, { .event = &sample_events[0] } },
	{ "event webhook", SAMPLE_EVENT, { .event = &sample_events[1] } },
	{ "event page", SAMPLE_EVENT, { .event = &sample_events[2] } },
	{ "event empty page", SAMPLE_EVENT, { .event = &sample_events[3] } },
	{ "event problem", SAMPLE_EVENT, { .event = &sample_events[4] } },
	{ "event credential issued", SAMPLE_EVENT, { .event = &sample_events[5] } },
	{ "event retry", SAMPLE_EVENT, { .event = &sample_events[6] } },
	{ "event receive", SAMPLE_EVENT, { .event = &sample_events[7] } },
	{ "event signing key", SAMPLE_EVENT, { .event = &sample_events[8] } },
	{ "event recovered", SAMPLE_EVENT, { .event = &sample_events[9] } },
	{ "webhook", SAMPLE_STATE, { .state = &sample_states[0] } },
	{ "failing webhook", SAMPLE_STATE, { .state = &sample_states[1] } },
	{ "signing key", SAMPLE_STATE, { .state = &sample_states[2] } },
	{ "dead delivery", SAMPLE_STATE, { .state = &sample_states[3] } },
	{ "pending delivery", SAMPLE_STATE, { .state = &sample_states[4] } },
	{ "receipt webhook", SAMPLE_STATE, { .state = &sample_states[5] } },
	{ "receipt nothing", SAMPLE_STATE, { .state = &sample_states[6] } },
	{ "receipt problem", SAMPLE_STATE, { .state = &sample_states[7] } },
	{ "position", SAMPLE_STATE, { .state = &sample_states[8] } },
	/* Of the second edition. */
	{ "create with all", SAMPLE_COMMAND, { &sample_commands[9] } },
	{ "rotate secret", SAMPLE_COMMAND, { &sample_commands[10] } },
	{ "resend", SAMPLE_COMMAND, { &sample_commands[11] } },
	{ "recover with all", SAMPLE_COMMAND, { &sample_commands[12] } },
	{ "event webhook with all", SAMPLE_EVENT, { .event = &sample_events[10] } },
	{ "event retry with trace", SAMPLE_EVENT, { .event = &sample_events[11] } },
	{ "event published", SAMPLE_EVENT, { .event = &sample_events[12] } },
	{ "event secret", SAMPLE_EVENT, { .event = &sample_events[13] } },
	{ "webhook with all", SAMPLE_STATE, { .state = &sample_states[9] } },
	{ "delivery with trace", SAMPLE_STATE, { .state = &sample_states[10] } },
	{ "receipt published", SAMPLE_STATE, { .state = &sample_states[11] } },
	{ "position of three inputs", SAMPLE_STATE, { .state = &sample_states[12] } },
};
enum { SAMPLE_COUNT = ARRAY_LEN(samples), SAMPLES_OF_SECOND_EDITION = 12 };

/* Room for the result of any of the decoders. */
union sample_value {
	struct command command;
	struct issuance issuance;
	struct analytic_event event;
	struct state_record state;
};

static inline void sample_encode(struct codec *codec, enum sample_kind kind, const void *value,
				 struct buffer *out) {
	if (kind == SAMPLE_COMMAND)
		codec_encode_command(codec, value, out);
	else if (kind == SAMPLE_ISSUANCE)
		codec_encode_issuance(codec, value, out);
	else if (kind == SAMPLE_EVENT)
		codec_encode_event(codec, value, out);
	else
		codec_encode_state(codec, value, out);
}

static inline int sample_decode(struct codec *codec, struct arena *arena, enum sample_kind kind,
				const void *bytes, size_t len, union sample_value *out,
				const char **why) {
	if (kind == SAMPLE_COMMAND)
		return codec_decode_command(codec, arena, bytes, len, &out->command, why);
	if (kind == SAMPLE_ISSUANCE)
		return codec_decode_issuance(codec, arena, bytes, len, &out->issuance, why);
	if (kind == SAMPLE_EVENT)
		return codec_decode_event(codec, arena, bytes, len, &out->event, why);
	return codec_decode_state(codec, arena, bytes, len, &out->state, why);
}

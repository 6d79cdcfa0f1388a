/* Every kind of record, there and back: our bytes are fastavro's, and fastavro's are read as the
 * same values. */
#include "avro/canonical.h"
#include "avro/codec.h"
#include "avro/embedded.h"
#include "avro/fingerprint.h"
#include "avro/frame.h"
#include "avro/json.h"
#include "avro_samples.h"
#include "avro_vectors.h"
#include "unit.h"

static struct codec *codec;
static struct arena *arena;

static int setup(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	arena = arena_new();
	return codec_new(NULL, &codec, &problems);
}

static int teardown(void **state _unused_) {
	codec_free(codec);
	arena_free(arena);
	return 0;
}

static size_t from_hex(const char *hex, uint8_t *out) {
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	return len;
}

static void our_bytes_are_those_of_fastavro(void **state _unused_) {
	assert_int_equal(ARRAY_LEN(vectors), SAMPLE_COUNT);
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
		uint8_t expected[4096];
		size_t len = from_hex(vectors[i].hex, expected);

		print_message("%s\n", samples[i].name);
		assert_string_equal(samples[i].name, vectors[i].name);
		sample_encode(codec, samples[i].kind, samples[i].value, &out);
		assert_false(out.overflowed);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, expected, len);
	}
}

/* Equal structs encode to equal bytes, so a decoded value that encodes back to them has lost
 * nothing. */
static void what_is_decoded_encodes_to_the_same_bytes(void **state _unused_) {
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		_cleanup_(buffer_destroy) struct buffer again = BUFFER_INIT(65536);
		_cleanup_(x_freep) uint8_t *bytes = x_malloc(4096);
		size_t len = from_hex(vectors[i].hex, bytes);
		union sample_value value;
		const char *why = "";

		print_message("%s\n", samples[i].name);
		assert_int_equal(
		    sample_decode(codec, arena, samples[i].kind, bytes, len, &value, &why), 0);
		memset(bytes, 0xff, len); /* what is decoded must not borrow from the record */
		sample_encode(codec, samples[i].kind, &value, &again);
		len = from_hex(vectors[i].hex, bytes);
		assert_int_equal(again.len, len);
		assert_memory_equal(again.data, bytes, len);
	}
}

static void decode_sample(const char *name, union sample_value *out) {
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		uint8_t bytes[4096];
		const char *why = "";

		if (strcmp(samples[i].name, name))
			continue;
		assert_int_equal(sample_decode(codec, arena, samples[i].kind, bytes,
					       from_hex(vectors[i].hex, bytes), out, &why),
				 0);
		return;
	}
	fail_msg("no sample %s", name);
}

static void a_command_has_its_fields(void **state _unused_) {
	union sample_value value;

	decode_sample("create", &value);
	assert_string_equal(value.command.envelope.command_id, "cmd-1");
	assert_string_equal(value.command.envelope.tenant_id, "acme");
	assert_string_equal(value.command.envelope.request_id, "req-1");
	assert_string_equal(value.command.envelope.client_id, "client-1");
	assert_int_equal(value.command.envelope.timestamp_ms, 1767225600000);
	assert_null(value.command.envelope.traceparent);
	assert_int_equal(value.command.operation, OPERATION_CREATE_WEBHOOK);
	assert_int_equal(value.command.event_count, 2);
	assert_string_equal(value.command.events[1], "OpenIdCredentialIssuedSummary");
	assert_string_equal(value.command.url, "https://hooks.example.com/ü");
	assert_true(value.command.disabled);

	decode_sample("list", &value);
	assert_true(value.command.has_limit);
	assert_int_equal(value.command.limit, -7);
	assert_string_equal(value.command.cursor, "Y3Vyc29y");

	decode_sample("list without options", &value);
	assert_null(value.command.envelope.request_id);
	assert_false(value.command.has_limit);
	assert_null(value.command.cursor);

	decode_sample("recover", &value);
	assert_int_equal(value.command.operation, OPERATION_RECOVER_DELIVERIES);
	assert_string_equal(value.command.id, "r");
	assert_int_equal(value.command.since_ms, 1767225600002);
}

static void a_time_of_1970_is_not_null(void **state _unused_) {
	for (int given = 0; given < 2; given++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
		const struct command command = { .envelope = SAMPLE_ENVELOPE,
						 .operation = OPERATION_RECOVER_DELIVERIES,
						 .id = "r",
						 .has_until = given };
		union sample_value value;
		const char *why;

		sample_encode(codec, SAMPLE_COMMAND, &command, &out);
		assert_int_equal(
		    sample_decode(codec, arena, SAMPLE_COMMAND, out.data, out.len, &value, &why),
		    0);
		assert_int_equal(value.command.has_until, given);
		assert_int_equal(value.command.until_ms, 0);
	}
}

static void an_issuance_has_its_fields(void **state _unused_) {
	union sample_value value;

	decode_sample("issuance", &value);
	assert_string_equal(value.issuance.envelope.tenant_id, "acme");
	assert_string_equal(value.issuance.user_id, "user-1");
	assert_string_equal(value.issuance.credential_id, "cred-1");
	assert_string_equal(value.issuance.credential_configuration_id, "config-1");
	assert_string_equal(value.issuance.credential_profile, "profile-1");
	assert_string_equal(value.issuance.format, "jwt_vc_json");
	assert_string_equal(value.issuance.credential_offer_id, "offer-1");
	assert_string_equal(value.issuance.session_id, "session-1");
	assert_string_equal(value.issuance.claims, "{\"a\":1}");
	assert_string_equal(value.issuance.credential, "\"ey.J.x\"");

	decode_sample("issuance without options", &value);
	assert_null(value.issuance.claims);
	assert_string_equal(value.issuance.credential, "");
}

/* What stands once in the record and twice in the structs. */
static void tenant_and_status_reach_the_data(void **state _unused_) {
	union sample_value value;

	decode_sample("event webhook", &value);
	assert_string_equal(value.event.data.webhook.tenant_id, "acme");
	decode_sample("event page", &value);
	assert_int_equal(value.event.data.page.count, 2);
	assert_string_equal(value.event.data.page.items[1].tenant_id, "acme");
	decode_sample("event problem", &value);
	assert_int_equal(value.event.data.problem->status, 400);
	assert_int_equal(value.event.data.problem->detail_capacity, 2);
	decode_sample("receipt problem", &value);
	assert_int_equal(value.state.receipt.data.problem->status, 400);
	assert_int_equal(value.state.receipt.subject, ANALYTIC_WEBHOOK_UPDATE);
	decode_sample("receipt webhook", &value);
	assert_string_equal(value.state.receipt.data.webhook.tenant_id, "acme");
}

static void the_nulls_of_numbers(void **state _unused_) {
	union sample_value value;

	decode_sample("event receive", &value);
	assert_int_equal(value.event.data.delivery.duration_ms, -1);
	assert_int_equal(value.event.data.delivery.next_attempt_at_ms, 0);
	assert_int_equal(value.event.status, 0);
	decode_sample("event retry", &value);
	assert_int_equal(value.event.data.delivery.duration_ms, 0);
	decode_sample("position", &value);
	assert_int_equal(value.state.position.admin_offset, -1);
	assert_int_equal(value.state.position.issuance_offset, 42);
	decode_sample("dead delivery", &value);
	assert_int_equal(value.state.delivery.body_len, strlen(value.state.delivery.body));
}

/* A word that is not used any more, as a record of a former edition has it. */
static void former_reasons_are_retold(void **state _unused_) {
	static const char *const words[][2] = { { "dns", "no-address" },
						{ "address-refused", "no-address" },
						{ "no-address", "no-address" },
						{ "status-500", "status-500" } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		_cleanup_(buffer_destroy) struct buffer state_bytes = BUFFER_INIT(4096),
							event_bytes = BUFFER_INIT(4096);
		union sample_value old, value;
		const char *why = "";

		decode_sample("dead delivery", &old);
		old.state.delivery.last_reason = words[i][0];
		sample_encode(codec, SAMPLE_STATE, &old, &state_bytes);
		assert_int_equal(sample_decode(codec, arena, SAMPLE_STATE,
					       (const uint8_t *)state_bytes.data, state_bytes.len,
					       &value, &why),
				 0);
		assert_string_equal(value.state.delivery.last_reason, words[i][1]);
		decode_sample("event retry", &old);
		old.event.data.delivery.reason = words[i][0];
		sample_encode(codec, SAMPLE_EVENT, &old, &event_bytes);
		assert_int_equal(sample_decode(codec, arena, SAMPLE_EVENT,
					       (const uint8_t *)event_bytes.data, event_bytes.len,
					       &value, &why),
				 0);
		assert_string_equal(value.event.data.delivery.reason, words[i][1]);
	}
}

static void a_record_that_does_not_fit_overflows_the_buffer(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(20);

	sample_encode(codec, samples[0].kind, samples[0].value, &out);
	assert_true(out.overflowed);
}

static const char webhook_json[] =
    "{\"id\":\"01234567-89ab-4cde-8f01-23456789ab01\",\"events\":["
    "\"OpenIdCredentialIssuedSummary\","
    "\"OpenIdCredentialIssued\"],\"url\":\"https://hooks.example.com/a?b=c\",\"disabled\":true";

static void json_of_an_event(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536),
						expected = BUFFER_INIT(65536);

	json_append_event(&out, &sample_events[1]);
	buffer_printf(&expected,
		      "{\"id\":\"01234567-89ab-4cde-8f01-23456789ab02\",\"type\":\"WEBHOOK_CREATE_"
		      "SUCCESS\",\"category\":\"webhook\","
		      "\"version\":1,\"timestamp\":\"2026-01-01T00:00:00.001Z\",\"tenantId\":"
		      "\"acme\",\"commandId\":\"cmd-1\","
		      "\"requestId\":\"req-1\",\"clientId\":\"client-1\",\"repeat\":true,"
		      "\"status\":201,\"data\":%s,"
		      "\"createdAt\":\"2026-01-01T00:00:00.000Z\",\"updatedAt\":\"2026-01-01T00:00:"
		      "00.123Z\"}}",
		      webhook_json);
	assert_string_equal(out.data, expected.data);
}

static void json_of_a_state_record(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);

	json_append_state(&out, &sample_states[3]);
	assert_string_equal(out.data,
			    "{\"type\":\"Delivery\",\"id\":\"01234567-89ab-4cde-8f01-"
			    "23456789ab03\",\"eventId\":\"01234567-89ab-4cde-8f01-23456789ab04\","
			    "\"webhookId\":\"01234567-89ab-4cde-8f01-23456789ab01\",\"tenantId\":"
			    "\"acme\",\"commandId\":\"cmd-1\",\"requestId\":\"req-1\","
			    "\"clientId\":null,\"traceparent\":\"00-"
			    "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
			    "\"eventType\":\"OpenIdCredentialIssued\",\"body\":\"{\\\"k\\\":"
			    "\\\"\\\\\\\"é\\\"}\",\"status\":\"dead\",\"attempts\":8,"
			    "\"lastStatus\":500,\"lastReason\":\"status-500\",\"createdAt\":\"2026-"
			    "01-01T00:00:00.000Z\","
			    "\"nextAttemptAt\":\"2026-01-01T00:01:40.000Z\"}");
	buffer_clear(&out);
	json_append_state(&out, &sample_states[2]);
	assert_string_equal(out.data,
			    "{\"type\":\"SigningKey\",\"tenantId\":\"acme\",\"kid\":\"kid-1\","
			    "\"x\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQA\","
			    "\"masterKeyId\":\"master-1\",\"epoch\":2,\"createdAt\":\"2026-01-"
			    "01T00:00:00.000Z\",\"expiresAt\":null}");
}

static void json_as_the_api_shows_it(void **state _unused_) {
	struct {
		const char *name, *json;
		const struct event_data *data;
	} rows[] = {
		{ "webhook", x_asprintf("%s}", webhook_json), &sample_events[1].data },
		{ "page",
		  x_asprintf("{\"data\":[%s},%s}],\"nextCursor\":\"bmV4dA\"}", webhook_json,
			     webhook_json),
		  &sample_events[2].data },
		{ "last page", x_strdup("{\"data\":[]}"), &sample_events[3].data },
		{ "problem",
		  x_strdup("{\"code\":\"BadRequest\",\"type\":\"request\",\"message\":\"The "
			   "command is not valid.\",\"details\":[{\"value\":\"ftp://x\","
			   "\"msg\":\"Invalid "
			   "value\",\"param\":\"url\",\"location\":\"body\"},{\"value\":\"\","
			   "\"msg\":\"must not be empty\","
			   "\"param\":\"events\",\"location\":\"body\"}]}"),
		  &sample_events[4].data },
		{ "nothing", x_strdup("null"), &sample_events[0].data },
		{ "recovered", x_strdup("{\"deliveries\":12}"), &sample_events[9].data },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);

		print_message("%s\n", rows[i].name);
		json_append_api_data(&out, rows[i].data);
		assert_string_equal(out.data, rows[i].json);
		free((void *)(uintptr_t)rows[i].json);
	}
}

/* The schema of the edition that the sample is written with. */
static const struct embedded_schema *schema_of(size_t sample) {
	static const char *const first[] = {
		[SAMPLE_COMMAND] = "edition-1/webhook-command.avsc",
		[SAMPLE_ISSUANCE] = "credential-issuance-command.avsc",
		[SAMPLE_EVENT] = "edition-1/analytic-event.avsc",
		[SAMPLE_STATE] = "edition-1/state-record.avsc",
	};

	/* A kind's schema has the kind's place in the table. */
	return sample < SAMPLE_COUNT - SAMPLES_OF_SECOND_EDITION
		   ? embedded_schema_find(first[samples[sample].kind])
		   : &embedded_schemas[samples[sample].kind];
}

static void write_header(size_t sample, enum canonical_form form, uint8_t *header) {
	const struct embedded_schema *schema = schema_of(sample);
	_cleanup_(buffer_destroy) struct buffer canonical = BUFFER_INIT(65536);

	assert_int_equal(
	    canonical_append(&canonical, (const char *)schema->json, schema->len, form), 0);
	frame_write(fingerprint_of(canonical.data, canonical.len), header);
}

static void a_record_with_any_form_of_the_fingerprint_is_read(void **state _unused_) {
	for (size_t i = 0; i < SAMPLE_COUNT; i++)
		for (int form = 0; form < CANONICAL_FORM_COUNT; form++) {
			union sample_value value;
			uint8_t bytes[4096];
			size_t len = from_hex(vectors[i].hex, bytes);
			const char *why = "";

			write_header(i, (enum canonical_form)form, bytes);
			if (sample_decode(codec, arena, samples[i].kind, bytes, len, &value, &why))
				fail_msg("%s: %s", samples[i].name, why);
		}
}

/* The changelog and commands keep the specification's, which every edition of ours knows. */
static void the_setting_chooses_the_fingerprint_of_events_alone(void **state _unused_) {
	for (int form = 0; form < CANONICAL_FORM_COUNT; form++) {
		const struct codec_settings settings = { .results_fingerprint =
							     (enum canonical_form)form };
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(codec_freep) struct codec *writer = NULL;

		assert_int_equal(codec_new(&settings, &writer, &problems), 0);
		for (size_t i = 0; i < SAMPLE_COUNT; i++) {
			_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
			bool is_event = samples[i].kind == SAMPLE_EVENT;
			uint8_t header[FRAME_HEADER_SIZE];

			write_header(i,
				     is_event ? (enum canonical_form)form : CANONICAL_SPECIFICATION,
				     header);
			sample_encode(writer, samples[i].kind, samples[i].value, &out);
			assert_memory_equal(out.data, header, sizeof(header));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_bytes_are_those_of_fastavro),
		cmocka_unit_test(what_is_decoded_encodes_to_the_same_bytes),
		cmocka_unit_test(a_command_has_its_fields),
		cmocka_unit_test(a_time_of_1970_is_not_null),
		cmocka_unit_test(an_issuance_has_its_fields),
		cmocka_unit_test(tenant_and_status_reach_the_data),
		cmocka_unit_test(the_nulls_of_numbers),
		cmocka_unit_test(former_reasons_are_retold),
		cmocka_unit_test(a_record_that_does_not_fit_overflows_the_buffer),
		cmocka_unit_test(a_record_with_any_form_of_the_fingerprint_is_read),
		cmocka_unit_test(the_setting_chooses_the_fingerprint_of_events_alone),
		cmocka_unit_test(json_of_an_event),
		cmocka_unit_test(json_of_a_state_record),
		cmocka_unit_test(json_as_the_api_shows_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* Issuance: the webhooks that match, the bodies of their callbacks, and duplicates. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#include <jansson.h>

static const char *const ISSUED = "OpenIdCredentialIssued", *const SUMMARY =
								"OpenIdCredentialIssuedSummary";

static struct uuid create(struct world *world, const char *tenant_id, const char *first,
			  const char *second, bool disabled) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const char *events[] = { first, second };

	command.envelope.tenant_id = tenant_id;
	command.events = arena_memdup(world->arena, events, sizeof(events));
	command.event_count = second ? 2 : 1;
	command.disabled = disabled;
	return world_handle(world, &command)->data.webhook.id;
}

/* The delivery that the last command recorded to the webhook, or NULL. */
static const struct delivery *recorded(const struct world *world, const struct uuid *webhook_id,
				       const char *type) {
	for (size_t i = 0; i < world->effects.change_count; i++) {
		const struct state_record *record = world->effects.changes[i].record;

		if (record && record->kind == STATE_DELIVERY &&
		    strcmp(record->delivery.event_type, type) == 0 &&
		    uuid_compare(&record->delivery.webhook_id, webhook_id) == 0)
			return &record->delivery;
	}
	return NULL;
}

static void matches_by_subscription_tenant_and_state(void **state) {
	struct world *world = *state;
	struct uuid issued = create(world, "t", ISSUED, NULL, false),
		    summary = create(world, "t", SUMMARY, NULL, false);
	struct uuid both = create(world, "t", SUMMARY, ISSUED, false),
		    disabled = create(world, "t", ISSUED, NULL, true);
	struct uuid other = create(world, "u", ISSUED, NULL, false);
	struct issuance issuance = world_issuance(world);
	const struct analytic_event *outcome = world_issue(world, &issuance);

	assert_string_equal(analytic_event_type(outcome->subject, outcome->step),
			    "OPENID_CREDENTIAL_SUCCESS");
	assert_int_equal(outcome->status, 200);
	assert_string_equal(outcome->data.credential_issued.credential_id, "credential-1");
	assert_int_equal(outcome->data.credential_issued.deliveries, 4);
	assert_int_equal(world->effects.change_count, 4);
	assert_int_equal(world->effects.event_count, 2 + 4);
	assert_non_null(recorded(world, &issued, EVENT_TYPE_CREDENTIAL_ISSUED));
	assert_null(recorded(world, &issued, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY));
	assert_non_null(recorded(world, &summary, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY));
	assert_non_null(recorded(world, &both, EVENT_TYPE_CREDENTIAL_ISSUED));
	assert_non_null(recorded(world, &both, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY));
	assert_null(recorded(world, &disabled, EVENT_TYPE_CREDENTIAL_ISSUED));
	assert_null(recorded(world, &other, EVENT_TYPE_CREDENTIAL_ISSUED));
}

/* R13. */
static void no_tracestate_is_recorded_while_a_worker_is_older(void **state) {
	static const enum group_edition editions[] = { GROUP_EDITION_SOME_OLDER,
						       GROUP_EDITION_NEWEST };
	struct world *world = *state;
	struct uuid webhook = create(world, "t", ISSUED, NULL, false);

	for (size_t i = 0; i < ARRAY_LEN(editions); i++) {
		struct issuance issuance = world_issuance(world);
		const char *kept;

		issuance.envelope.tracestate = "rojo=1";
		world->edition = editions[i];
		world_issue(world, &issuance);
		kept = recorded(world, &webhook, EVENT_TYPE_CREDENTIAL_ISSUED)->tracestate;
		assert_int_equal(kept != NULL, editions[i] == GROUP_EDITION_NEWEST);
	}
}

static void nobody_listens(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	const struct analytic_event *outcome = world_issue(world, &issuance);

	assert_int_equal(outcome->status, 200);
	assert_int_equal(outcome->data.credential_issued.deliveries, 0);
	assert_int_equal(world->effects.change_count, 0);
}

static void reaches_more_webhooks_than_are_read_at_a_time(void **state) {
	struct world *world = *state;
	struct issuance issuance;

	for (int i = 0; i < 512; i++) {
		world->now_ms += i % 2;
		create(world, "t", ISSUED, NULL, false);
	}
	issuance = world_issuance(world);
	assert_int_equal(world_issue(world, &issuance)->data.credential_issued.deliveries, 512);
}

static char *uuid_text(struct world *world, const struct uuid *uuid) {
	char *text = arena_alloc(world->arena, UUID_TEXT_SIZE);

	uuid_format(uuid, text);
	return text;
}

static char *time_text(struct world *world, int64_t wall_ms) {
	char *text = arena_alloc(world->arena, CLOCK_ISO8601_SIZE);

	clock_format_iso8601(wall_ms, text);
	return text;
}

static const struct delivery *assert_body(struct world *world, const struct issuance *issuance,
					  const char *type, const char *payload) {
	struct uuid webhook_id = create(world, "t", type, NULL, false);
	const struct delivery *delivery;
	char *expected;

	world_issue(world, issuance);
	delivery = recorded(world, &webhook_id, type);
	expected =
	    arena_printf(world->arena,
			 "{\"deliveryId\":\"%s\",\"deliveryTimestamp\":\"%s\",\"webhookId\":"
			 "\"%s\",\"event\":{\"id\":\"%s\","
			 "\"type\":\"%s\",\"timestamp\":\"%s\",\"payload\":%s}}",
			 uuid_text(world, &delivery->id), time_text(world, world->now_ms),
			 uuid_text(world, &webhook_id), uuid_text(world, &delivery->event_id), type,
			 time_text(world, issuance->envelope.timestamp_ms), payload);
	assert_string_equal(delivery->body, expected);
	assert_int_equal(delivery->body_len, strlen(expected));
	return delivery;
}

static void the_body_is_exactly_so(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);

	issuance.credential_offer_id = "offer";
	issuance.session_id = "session";
	issuance.claims = " {\"b\" : 1, \"a\":[1.0, null]}\n";
	issuance.credential = "\t\"eyJ.eyJ.sig\" ";
	assert_body(world, &issuance, EVENT_TYPE_CREDENTIAL_ISSUED,
		    "{\"userId\":\"user\",\"credentialId\":\"credential-1\","
		    "\"credentialConfigurationId\":\"configuration\","
		    "\"credentialProfile\":\"profile\",\"format\":\"jwt_vc_json\",\"issuedAt\":"
		    "\"2026-01-31T11:59:59.000Z\","
		    "\"credentialOfferId\":\"offer\",\"sessionId\":\"session\",\"claims\":{\"b\" : "
		    "1, \"a\":[1.0, null]},"
		    "\"credential\":\"eyJ.eyJ.sig\"}");
}

static void the_summary_has_no_credential_and_no_claims(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);

	issuance.session_id = "session";
	issuance.claims = "{\"a\":1}";
	issuance.credential = "{\"vc\":1}";
	assert_body(world, &issuance, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY,
		    "{\"userId\":\"user\",\"credentialId\":\"credential-1\","
		    "\"credentialConfigurationId\":\"configuration\","
		    "\"credentialProfile\":\"profile\",\"format\":\"jwt_vc_json\",\"issuedAt\":"
		    "\"2026-01-31T11:59:59.000Z\","
		    "\"sessionId\":\"session\"}");
}

static void what_is_not_there_is_absent(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);

	issuance.user_id = NULL;
	assert_body(world, &issuance, EVENT_TYPE_CREDENTIAL_ISSUED,
		    "{\"userId\":null,\"credentialId\":\"credential-1\","
		    "\"credentialConfigurationId\":\"configuration\","
		    "\"credentialProfile\":\"profile\",\"format\":\"jwt_vc_json\",\"issuedAt\":"
		    "\"2026-01-31T11:59:59.000Z\"}");
}

static void odd_text_comes_back_from_the_json(void **state) {
	static const char odd[] =
	    "\"quotes\" \\ / \b\f\n\r\t \x01 \x1f \x7f ü 例 😀 </script> \xe2\x80\xa8";
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	struct uuid webhook_id = create(world, "t", ISSUED, NULL, false);
	const struct delivery *delivery;
	const char *credential_id, *number;
	json_t *body;

	issuance.credential_id = odd;
	issuance.credential = "{\"n\":123456789012345678901234567890,\"s\":\"\\u0000\"}";
	assert_int_equal(world_issue(world, &issuance)->status, 200);
	delivery = recorded(world, &webhook_id, EVENT_TYPE_CREDENTIAL_ISSUED);
	assert_true(utf8_is_text(delivery->body, delivery->body_len));
	body = json_loadb(delivery->body, delivery->body_len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	assert_non_null(body);
	assert_int_equal(
	    json_unpack(body, "{s:{s:{s:s}}}", "event", "payload", "credentialId", &credential_id),
	    0);
	assert_string_equal(credential_id, odd);
	number = strstr(delivery->body, "123456789012345678901234567890");
	assert_non_null(number);
	json_decref(body);
}

static void ids_follow_from_the_command(void **state) {
	struct world *world = *state;
	struct uuid a = create(world, "t", ISSUED, NULL, false),
		    b = create(world, "t", ISSUED, SUMMARY, false), expected;
	struct issuance issuance = world_issuance(world);
	const struct delivery *to_a, *to_b, *summary;

	world_issue(world, &issuance);
	to_a = recorded(world, &a, EVENT_TYPE_CREDENTIAL_ISSUED);
	to_b = recorded(world, &b, EVENT_TYPE_CREDENTIAL_ISSUED);
	summary = recorded(world, &b, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY);
	if (!to_a || !to_b || !summary) {
		fail_msg("not all were recorded");
		return;
	}
	expected =
	    id_of_delivery("t", issuance.envelope.command_id, EVENT_TYPE_CREDENTIAL_ISSUED, &a);
	assert_int_equal(uuid_compare(&to_a->id, &expected), 0);
	expected = id_of_event("t", issuance.envelope.command_id, EVENT_TYPE_CREDENTIAL_ISSUED);
	assert_int_equal(uuid_compare(&to_a->event_id, &expected), 0);
	assert_int_equal(uuid_compare(&to_a->event_id, &to_b->event_id), 0);
	assert_int_not_equal(uuid_compare(&to_a->id, &to_b->id), 0);
	assert_int_not_equal(uuid_compare(&to_b->event_id, &summary->event_id), 0);
	assert_string_equal(to_a->request_id, "request");
	assert_int_equal(to_a->attempts, 0);
	assert_int_equal(to_a->created_at_ms, world->now_ms);
	assert_int_equal(to_a->next_attempt_at_ms, world->now_ms);
}

static void a_duplicate_leaves_a_pending_delivery_alone(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	const struct analytic_event *outcome;

	create(world, "t", ISSUED, NULL, false);
	world_issue(world, &issuance);
	world->now_ms += 1000;
	outcome = world_issue(world, &issuance);
	assert_false(outcome->repeat);
	assert_int_equal(outcome->data.credential_issued.deliveries, 1);
	assert_int_equal(world->effects.change_count, 0);
	assert_int_equal(world->effects.event_count, 2);
}

static void a_duplicate_revives_a_dead_delivery(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	struct uuid webhook_id = create(world, "t", ISSUED, NULL, false);
	const struct delivery *delivery;
	struct uuid id;
	struct state_record *record;

	world_issue(world, &issuance);
	id = recorded(world, &webhook_id, EVENT_TYPE_CREDENTIAL_ISSUED)->id;
	record = fake_registry_find(&world->fake,
				    &(struct state_key){ .kind = STATE_DELIVERY, .id = id });
	record->delivery.status = DELIVERY_DEAD;
	record->delivery.attempts = 8;
	world->now_ms += 1000;
	world_issue(world, &issuance);
	delivery = recorded(world, &webhook_id, EVENT_TYPE_CREDENTIAL_ISSUED);
	assert_int_equal(uuid_compare(&delivery->id, &id), 0);
	assert_int_equal(delivery->status, DELIVERY_PENDING);
	assert_int_equal(delivery->attempts, 0);
	assert_int_equal(world->effects.event_count, 3);
}

static void receipts_are_kept_where_asked_for(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world), other;
	const struct analytic_event *outcome;

	world->settings.issuance_receipt_retention_ms = 1000;
	world_issue(world, &issuance);
	assert_int_equal(world->effects.change_count, 1);
	assert_int_equal(world->effects.changes[0].record->receipt.expires_at_ms,
			 world->now_ms + 1000);
	issuance.envelope.timestamp_ms++;
	outcome = world_issue(world, &issuance);
	assert_true(outcome->repeat);
	assert_string_equal(outcome->data.credential_issued.credential_id, "credential-1");
	other = issuance;
	other.session_id = "";
	outcome = world_issue(world, &other);
	assert_int_equal(outcome->status, 409);
	assert_string_equal(outcome->data.problem->details[0].param, "commandId");
	world->now_ms += 1000;
	assert_false(world_issue(world, &issuance)->repeat);
}

/* Of an issuance with a credential of `credential_len` bytes. */
static const struct analytic_event *issue_large(struct world *world, size_t credential_len) {
	struct issuance issuance = world_issuance(world);
	char *credential = world_filled(world, credential_len);

	credential[0] = credential[credential_len - 1] = '"';
	issuance.credential = credential;
	return world_issue(world, &issuance);
}

static void a_body_has_a_largest_size(void **state) {
	struct world *world = *state;
	struct uuid webhook_id = create(world, "t", ISSUED, NULL, false);
	const struct analytic_event *outcome = issue_large(world, 2);
	size_t room = DELIVERY_BODY_MAX -
		      recorded(world, &webhook_id, EVENT_TYPE_CREDENTIAL_ISSUED)->body_len;

	outcome = issue_large(world, 2 + room);
	assert_int_equal(outcome->status, 200);
	assert_int_equal(recorded(world, &webhook_id, EVENT_TYPE_CREDENTIAL_ISSUED)->body_len,
			 DELIVERY_BODY_MAX);
	create(world, "t", SUMMARY, NULL, false);
	outcome = issue_large(world, 2 + room + 1);
	assert_int_equal(outcome->status, 400);
	assert_string_equal(outcome->data.problem->details[0].param, "credential");
	assert_int_equal(strlen(outcome->data.problem->details[0].value), PROBLEM_VALUE_MAX);
	assert_int_equal(world->effects.change_count, 0);
	assert_int_equal(world->effects.event_count, 2);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(matches_by_subscription_tenant_and_state),
		WORLD_TEST(no_tracestate_is_recorded_while_a_worker_is_older),
		WORLD_TEST(nobody_listens),
		WORLD_TEST(reaches_more_webhooks_than_are_read_at_a_time),
		WORLD_TEST(the_body_is_exactly_so),
		WORLD_TEST(the_summary_has_no_credential_and_no_claims),
		WORLD_TEST(what_is_not_there_is_absent),
		WORLD_TEST(odd_text_comes_back_from_the_json),
		WORLD_TEST(ids_follow_from_the_command),
		WORLD_TEST(a_duplicate_leaves_a_pending_delivery_alone),
		WORLD_TEST(a_duplicate_revives_a_dead_delivery),
		WORLD_TEST(receipts_are_kept_where_asked_for),
		WORLD_TEST(a_body_has_a_largest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

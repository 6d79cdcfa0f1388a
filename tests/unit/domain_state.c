/* Keys of the changelog, ids, and the names of things. */
#include "domain/handler.h"
#include "domain/id.h"
#include "domain/state.h"
#include "unit.h"

#define ID "0f8fad5b-d9cb-469f-a165-70867728950e"

static const struct uuid id = { { 0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70,
				  0x86, 0x77, 0x28, 0x95, 0x0e } };

static const struct {
	struct state_key key;
	const char *text;
} keys[] = {
	{ { STATE_POSITION, NULL, NULL, { { 0 } } }, "position" },
	{ { STATE_DELIVERY, NULL, NULL, id }, "delivery/" ID },
	{ { STATE_WEBHOOK, "t", NULL, id }, "webhook/t/" ID },
	{ { STATE_WEBHOOK, "a/b", NULL, id }, "webhook/a%2Fb/" ID },
	{ { STATE_WEBHOOK, "%2F", NULL, id }, "webhook/%252F/" ID },
	{ { STATE_WEBHOOK, "/", NULL, id }, "webhook/%2F/" ID },
	{ { STATE_WEBHOOK, "ü 例\n\"", NULL, id }, "webhook/ü 例\n\"/" ID },
	{ { STATE_SIGNING_KEY, "t", "kid_-", { { 0 } } }, "key/t/kid_-" },
	{ { STATE_RECEIPT, "t", "c", { { 0 } } }, "receipt/t/c" },
	{ { STATE_RECEIPT, "a/b", "c/d%e", { { 0 } } }, "receipt/a%2Fb/c%2Fd%25e" },
	{ { STATE_RECEIPT, "a", "b/c", { { 0 } } }, "receipt/a/b%2Fc" },
	{ { STATE_RECEIPT, "..", ".", { { 0 } } }, "receipt/../." },
};

static void assert_same_text(const char *a, const char *b) {
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void keys_come_back(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct state_key read;

		assert_string_equal(state_key_format(arena, &keys[i].key), keys[i].text);
		assert_int_equal(state_key_parse(arena, keys[i].text, strlen(keys[i].text), &read),
				 0);
		assert_int_equal(read.kind, keys[i].key.kind);
		assert_same_text(read.tenant_id, keys[i].key.tenant_id);
		assert_same_text(read.name, keys[i].key.name);
		assert_memory_equal(&read.id, &keys[i].key.id, sizeof(id));
	}
}

static const char *const no_keys[] = {
	"",
	"/",
	"positions",
	"position/",
	"position/0",
	"delivery",
	"delivery/",
	"delivery/1",
	"delivery/" ID "/",
	"delivery/0F8FAD5B-D9CB-469F-A165-70867728950E",
	"webhook/" ID,
	"webhook//" ID,
	"webhook/t/1",
	"webhook/t/" ID "/x",
	"webhook/%2f/" ID,
	"webhook/%41/" ID,
	"webhook/%/" ID,
	"webhook/%2/" ID,
	"key/t",
	"key/t/",
	"key//k",
	"receipt/t/c/d",
	"receipt//",
	"other/t/c",
	"Webhook/t/" ID,
	"receipt/t/\xff",
};

static void other_keys_are_refused(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct state_key read;

	for (size_t i = 0; i < ARRAY_LEN(no_keys); i++)
		if (state_key_parse(arena, no_keys[i], strlen(no_keys[i]), &read) !=
		    STATE_KEY_E_REFUSED)
			fail_msg("%s: accepted", no_keys[i]);
	assert_int_equal(state_key_parse(arena, "receipt/t/c\0d", 13, &read), STATE_KEY_E_REFUSED);
}

static void records_name_their_keys(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct {
		struct state_record record;
		const char *text;
	} rows[] = {
		{ { .kind = STATE_WEBHOOK, .webhook = { .tenant_id = "t", .id = id } },
		  "webhook/t/" ID },
		{ { .kind = STATE_SIGNING_KEY, .signing_key = { .tenant_id = "t", .kid = "k" } },
		  "key/t/k" },
		{ { .kind = STATE_DELIVERY, .delivery = { .tenant_id = "t", .id = id } },
		  "delivery/" ID },
		{ { .kind = STATE_RECEIPT, .receipt = { .tenant_id = "t", .command_id = "c" } },
		  "receipt/t/c" },
		{ { .kind = STATE_POSITION }, "position" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state_key key = state_record_key(&rows[i].record);

		assert_string_equal(state_key_format(arena, &key), rows[i].text);
	}
}

/* Records of months carry these ids: they must never come out otherwise. The values are of another
 * implementation (Python's hashlib). */
static void ids_stay_what_they_are(void **state _unused_) {
	const struct command_source source = {
		.cluster_id = "cluster", .topic = "webhook-admin", .partition = 3, .offset = 42
	};
	const struct delivery delivery = { .id = id, .next_attempt_at_ms = 1769860800000 };
	const struct {
		struct uuid id;
		const char *text;
	} rows[] = {
		{ id_of_event("t", "c", EVENT_TYPE_CREDENTIAL_ISSUED),
		  "7d166cac-59a2-8f5b-9e97-163bf66631cf" },
		{ id_of_delivery("t", "c", EVENT_TYPE_CREDENTIAL_ISSUED, &id),
		  "dc8a73de-be73-843a-993b-9d787152dd81" },
		{ id_of_analytic_event(&source, 1), "0926c64e-c95c-89a6-9d06-b3133948c8d6" },
		{ id_of_delivery_event(&delivery, 1, ANALYTIC_RETRY),
		  "30da7902-92d9-894b-8be8-eefc86dd9410" },
		{ id_of_notice("WebhookFailing", &id, NULL, 1769860800000),
		  "099b46ba-312d-809a-98ac-c41a5c7d6941" },
		{ id_of_notice("DeliveryDead", &id, &id, 1769860800000),
		  "ddda0c40-d3ea-8d62-9706-040b54857533" },
		{ id_of_webhook(&source, "t", "c"), "94f46af6-9db8-8361-a52c-40638c7460aa" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[UUID_TEXT_SIZE];

		uuid_format(&rows[i].id, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void ids_depend_on_where_fields_end(void **state _unused_) {
	struct uuid a = id_of_event("ab", "c", EVENT_TYPE_CREDENTIAL_ISSUED),
		    b = id_of_event("a", "bc", EVENT_TYPE_CREDENTIAL_ISSUED);
	struct uuid c = id_of_event("ab", "c", EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY);

	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
}

static void event_types_come_back(void **state _unused_) {
	size_t count = 0;

	for (int subject = 0; subject < ANALYTIC_SUBJECT_COUNT; subject++) {
		for (int step = 0; step <= ANALYTIC_STEP_NONE; step++) {
			bool of_command =
			    step <= ANALYTIC_FAIL && subject < ANALYTIC_WEBHOOK_EVENT &&
			    (subject != ANALYTIC_WEBHOOK_COMMAND || step != ANALYTIC_SUCCESS);
			bool of_delivery = subject == ANALYTIC_WEBHOOK_EVENT &&
					   step >= ANALYTIC_RECEIVE && step < ANALYTIC_STEP_NONE;
			bool of_disabled =
			    subject == ANALYTIC_WEBHOOK_DISABLED && step == ANALYTIC_STEP_NONE;
			enum analytic_subject read_subject;
			enum analytic_step read_step;

			if (!of_command && !of_delivery && !of_disabled)
				continue;
			assert_int_equal(analytic_event_type_parse(
					     analytic_event_type((enum analytic_subject)subject,
								 (enum analytic_step)step),
					     &read_subject, &read_step),
					 0);
			assert_int_equal(read_subject, subject);
			assert_int_equal(read_step, step);
			count++;
		}
	}
	assert_int_equal(count, 13 * 3 + 2 + 5 + 1);
	assert_string_equal(analytic_event_type(ANALYTIC_WEBHOOK_RETRIEVE_LIST, ANALYTIC_FAIL),
			    "WEBHOOK_RETRIEVE_LIST_FAIL");
	assert_string_equal(analytic_event_type(ANALYTIC_OPENID_CREDENTIAL, ANALYTIC_START),
			    "OPENID_CREDENTIAL_START");
	assert_string_equal(analytic_event_category(ANALYTIC_OPENID_CREDENTIAL), "openid");
	assert_string_equal(analytic_event_category(ANALYTIC_WEBHOOK_EVENT), "webhook");
}

static void unknown_event_types_are_told(void **state _unused_) {
	static const char *const unknown[] = { "", "WEBHOOK_CREATE", "WEBHOOK_CREATE_RETRY",
					       "webhook_create_start", "WEBHOOK_CREATE_START " };
	enum analytic_subject subject;
	enum analytic_step step;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_int_equal(analytic_event_type_parse(unknown[i], &subject, &step), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(records_name_their_keys),
		cmocka_unit_test(ids_stay_what_they_are),
		cmocka_unit_test(ids_depend_on_where_fields_end),
		cmocka_unit_test(event_types_come_back),
		cmocka_unit_test(unknown_event_types_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

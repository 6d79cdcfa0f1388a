/*
 * An issuance with hostile claims and credential, handled for a tenant with three webhooks: an
 * accepted one makes callbacks that are JSON of exactly their shape, with claims and credential
 * byte for byte; a refused one changes nothing.
 *
 * Seeds: the literals of tests/unit/domain_issuance.c and
 * tests/unit/domain_issuance_refusals.c.
 *
 * The parts of an input are texts with a record separator (0x1e) between, which no JSON can hold.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "domain/callback_body.h"
#include "domain/issuance.h"
#include "domain/limits.h"
#include "fuzz.h"
#include "unit/fake_registry.h"

#include <jansson.h>

#define NOW_MS INT64_C(1769860800000)

enum {
	SEPARATOR = 0x1e,
	JSON_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL |
	    JSON_DECODE_INT_AS_REAL
};

static const char *const members[] = {
	"userId",
	"credentialId",
	"credentialConfigurationId",
	"credentialProfile",
	"format",
	"credentialOfferId",
	"sessionId",
};

enum { WEBHOOK_BOTH, WEBHOOK_SUMMARY, WEBHOOK_DISABLED, WEBHOOK_COUNT, DELIVERY_COUNT = 3 };

static const char *const both[] = { EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY,
				    EVENT_TYPE_CREDENTIAL_ISSUED };

static void add_webhooks(struct fake_registry *fake) {
	const struct webhook webhooks[WEBHOOK_COUNT] = {
		[WEBHOOK_BOTH] = { .events = both, .event_count = 2 },
		[WEBHOOK_SUMMARY] = { .events = both, .event_count = 1 },
		[WEBHOOK_DISABLED] = { .events = &both[1], .event_count = 1, .disabled = true },
	};
	struct effects effects;

	effects_init(&effects, fake->arena);
	for (int i = 0; i < WEBHOOK_COUNT; i++) {
		struct state_record record = { .kind = STATE_WEBHOOK, .webhook = webhooks[i] };

		record.webhook.id = (struct uuid){ { (uint8_t)(i + 1) } };
		record.webhook.tenant_id = "t";
		record.webhook.url = "https://example.com/";
		record.webhook.created_at_ms = NOW_MS;
		effects_put(&effects, &record);
	}
	fake_registry_apply(fake, &effects);
}

/* --- What must be refused --- */

static bool is_json(const char *text, bool takes_string) {
	json_t *json = json_loads(text, JSON_FLAGS, NULL);
	bool is_right = json_is_object(json) || (takes_string && json_is_string(json));

	json_decref(json);
	return is_right;
}

static int depth_of(const json_t *json) {
	int deepest = 0;
	const char *name;
	json_t *value;
	size_t i;

	if (!json_is_object(json) && !json_is_array(json))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)json, name, value) deepest =
	    MAX(deepest, depth_of(value));
	json_array_foreach(json, i, value) deepest = MAX(deepest, depth_of(value));
	return deepest + 1;
}

static bool is_shallow(const char *text) {
	json_t *json = json_loads(text, JSON_FLAGS, NULL);
	bool is_right = depth_of(json) <= JSON_DEPTH_MAX;

	json_decref(json);
	return is_right;
}

static const char *identifier(const struct issuance *issuance, size_t i) {
	const char *const values[] = {
		issuance->user_id,
		issuance->credential_id,
		issuance->credential_configuration_id,
		issuance->credential_profile,
		issuance->format,
		issuance->credential_offer_id,
		issuance->session_id,
	};

	return values[i];
}

static bool is_right(const struct issuance *issuance) {
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = identifier(issuance, i);
		bool is_optional = i == 0 || i > 4;

		if (value ? strlen(value) > IDENTIFIER_MAX || (!*value && !is_optional)
			  : !is_optional)
			return false;
	}
	if (issuance->claims &&
	    (!is_json(issuance->claims, false) || !is_shallow(issuance->claims)))
		return false;
	return !*issuance->credential ||
	       (is_json(issuance->credential, true) && is_shallow(issuance->credential));
}

/* --- The callback --- */

static void check_string(const json_t *object, const char *name, const char *wanted) {
	const char *text = json_string_value(json_object_get(object, name));

	CHECK(text && (!wanted || !strcmp(text, wanted)));
}

/* The member is there as it came, or it is not there. */
static size_t check_verbatim(const json_t *payload, const char *body, const char *name,
			     const char *text) {
	json_t *value = json_object_get(payload, name), *wanted;
	const char *start;
	size_t len;

	if (!text || !*text) {
		CHECK(!value);
		return 0;
	}
	wanted = json_loads(text, JSON_FLAGS, NULL);
	CHECK(json_equal(value, wanted));
	json_decref(wanted);
	start = text + strspn(text, " \t\r\n");
	len = strlen(start);
	while (strchr(" \t\r\n", start[len - 1]))
		len--;
	CHECK(memmem(body, strlen(body), start, len));
	return 1;
}

static void check_payload(const struct issuance *issuance, const struct delivery *delivery,
			  const json_t *payload) {
	bool is_summary = strcmp(delivery->event_type, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY) == 0;
	size_t count = 6;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = identifier(issuance, i);

		if (value)
			check_string(payload, members[i], value);
		else if (i == 0)
			CHECK(json_is_null(json_object_get(payload, members[i])));
		count += i > 4 && value;
	}
	check_string(payload, "issuedAt", NULL);
	count +=
	    check_verbatim(payload, delivery->body, "claims", is_summary ? NULL : issuance->claims);
	count += check_verbatim(payload, delivery->body, "credential",
				is_summary ? NULL : issuance->credential);
	CHECK(json_object_size(payload) == count);
}

static void check_delivery(const struct issuance *issuance, const struct delivery *delivery) {
	json_t *body = json_loadb(delivery->body, delivery->body_len, JSON_FLAGS, NULL), *event;
	char id[UUID_TEXT_SIZE];

	CHECK(strlen(delivery->body) == delivery->body_len &&
	      delivery->body_len <= DELIVERY_BODY_MAX);
	CHECK(json_object_size(body) == 4 && depth_of(body) <= JSON_DEPTH_MAX + 3);
	uuid_format(&delivery->id, id);
	check_string(body, "deliveryId", id);
	check_string(body, "deliveryTimestamp", NULL);
	uuid_format(&delivery->webhook_id, id);
	check_string(body, "webhookId", id);
	event = json_object_get(body, "event");
	CHECK(json_object_size(event) == 4);
	uuid_format(&delivery->event_id, id);
	check_string(event, "id", id);
	check_string(event, "type", delivery->event_type);
	check_payload(issuance, delivery, json_object_get(event, "payload"));
	json_decref(body);
}

/* --- One issuance --- */

static void check_effects(const struct issuance *issuance, const struct effects *effects) {
	const struct analytic_event *outcome = &effects->events[1];
	size_t deliveries = 0;

	CHECK(effects->event_count >= 2 && effects->events[0].step == ANALYTIC_START);
	if (outcome->step == ANALYTIC_FAIL) {
		const struct problem *problem = outcome->data.problem;

		CHECK(outcome->status == 400 && problem->detail_count && !effects->change_count);
		for (size_t i = 0; i < problem->detail_count; i++)
			CHECK(*problem->details[i].msg &&
			      strlen(problem->details[i].value) <= PROBLEM_VALUE_MAX);
		CHECK(!is_right(issuance));
		return;
	}
	CHECK(outcome->step == ANALYTIC_SUCCESS && is_right(issuance));
	for (size_t i = 0; i < effects->change_count; i++) {
		const struct state_record *record = effects->changes[i].record;

		if (record->kind != STATE_DELIVERY)
			continue;
		check_delivery(issuance, &record->delivery);
		deliveries++;
	}
	CHECK(deliveries == DELIVERY_COUNT &&
	      outcome->data.credential_issued.deliveries == DELIVERY_COUNT);
}

static void handle(struct arena *arena, const struct issuance *issuance) {
	struct handler_settings settings = { .receipt_retention_ms = 1 };
	struct command_source source = { .cluster_id = "cluster", .topic = "credential-issuance" };
	struct fake_registry fake;
	struct handler_context context = {
		.settings = &settings,
		.registry = &fake.registry,
		.source = &source,
		.now_ms = NOW_MS,
	};
	struct effects effects;

	fake_registry_init(&fake, arena);
	add_webhooks(&fake);
	effects_init(&effects, arena);
	CHECK(!handle_issuance(&context, issuance, &effects));
	check_effects(issuance, &effects);
}

/* The next part in the arena; NULL where there is none. */
static const char *take_part(struct arena *arena, struct fuzz_input *input) {
	_cleanup_(x_freep) char *part =
	    input->at < input->end ? fuzz_take_text(input, SEPARATOR) : NULL;

	return arena_strdup_null(arena, part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct fuzz_input input = FUZZ_INPUT(data, size);
	struct issuance issuance = { .envelope = { "c", "t", "r", NULL, NOW_MS, NULL, NULL,
						   NULL } };

	/* Bytes that are no text end in the check of the record. */
	if (size && !utf8_is_text(data, size))
		return 0;
	issuance.claims = take_part(arena, &input);
	issuance.credential = take_part(arena, &input);
	issuance.credential_id = take_part(arena, &input);
	issuance.user_id = take_part(arena, &input);
	issuance.credential_offer_id = take_part(arena, &input);
	issuance.session_id = take_part(arena, &input);
	issuance.credential_configuration_id = "configuration";
	issuance.credential_profile = "profile";
	issuance.format = "jwt_vc_json";
	if (!issuance.credential)
		issuance.credential = "";
	if (!issuance.credential_id)
		issuance.credential_id = "credential";
	/* No claims, rather than empty ones, which are refused. */
	if (issuance.claims && !strcmp(issuance.claims, "-"))
		issuance.claims = NULL;
	handle(arena, &issuance);
	return 0;
}

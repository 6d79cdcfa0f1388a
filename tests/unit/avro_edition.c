/* Which edition the content of each kind of record needs: a row for each kind that the changelog
 * and webhook-results hold, and for each value that needs the second (R13). */
#include "avro/edition.h"
#include "base/memory.h"
#include "domain/analytic_event.h"
#include "domain/state.h"
#include "unit.h"

static const char *const builtin_types[] = { EVENT_TYPE_CREDENTIAL_ISSUED,
					     EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY };
static const char *const notice_types[] = { "DeliveryDead" };
static const char *const own_types[] = { EVENT_TYPE_CREDENTIAL_ISSUED, "DegreeRevoked" };
static const struct webhook_filter filter;
static struct webhook_header header = { .name = "x-api-key" };
static const struct problem problem = { .code = "VALIDATION", .message = "m" };

#define TYPES(types) .events = (types), .event_count = ARRAY_LEN(types)
#define PLAIN TYPES(builtin_types), .url = "https://a/", .failing_since_ms = 1
#define STATE_ROW(name_, edition_, kind_, ...)                                                     \
	{                                                                                          \
		name_, edition_, {                                                                 \
			.kind = (kind_), __VA_ARGS__                                               \
		}                                                                                  \
	}
#define WEBHOOK(name_, edition_, ...)                                                              \
	STATE_ROW("webhook: " name_, edition_, STATE_WEBHOOK, .webhook = { __VA_ARGS__ })
#define DELIVERY(name_, edition_, ...)                                                             \
	STATE_ROW("delivery: " name_, edition_, STATE_DELIVERY, .delivery = { __VA_ARGS__ })
#define RECEIPT(name_, edition_, subject_, status_, ...)                                           \
	STATE_ROW("receipt: " name_, edition_, STATE_RECEIPT,                                      \
		  .receipt = { .subject = ANALYTIC_##subject_,                                     \
			       .status = (status_),                                                \
			       .data = { __VA_ARGS__ } })
#define POSITION(name_, edition_, ...)                                                             \
	STATE_ROW("position: " name_, edition_, STATE_POSITION, .position = { __VA_ARGS__ })
#define REFUSAL EVENT_DATA_PROBLEM, .problem = &problem

static const struct {
	const char *name;
	int edition;
	struct state_record record;
} states[] = {
	WEBHOOK("nothing newer", 1, PLAIN),
	WEBHOOK("a type of one's own", 2, TYPES(own_types)),
	WEBHOOK("description", 2, PLAIN, .description = "d"),
	WEBHOOK("headers", 2, PLAIN, .headers = &header, .header_count = 1),
	WEBHOOK("signatures", 2, PLAIN, .signature_count = 1),
	WEBHOOK("filter", 2, PLAIN, .filter = &filter),
	WEBHOOK("rateLimit", 2, PLAIN, .rate_limit = 1),
	WEBHOOK("secretEpoch", 2, PLAIN, .secret_epoch = 1),
	WEBHOOK("secretOverlapUntil", 2, PLAIN, .secret_overlap_until_ms = 1),
	WEBHOOK("secretMasterKeyId", 2, PLAIN, .secret_master_key_id = "k"),
	WEBHOOK("formerSecretMasterKeyId", 2, PLAIN, .former_secret_master_key_id = "k"),
	WEBHOOK("a notice's type", 2, TYPES(notice_types)),
	WEBHOOK("failingToldSince", 2, PLAIN, .told.failing_since_ms = 1),
	WEBHOOK("healthToldAt", 2, PLAIN, .told.health_at_ms = 1),
	WEBHOOK("disabledToldAt", 2, PLAIN, .told.disabled_at_ms = 1),
	WEBHOOK("deadToldAt", 2, PLAIN, .told.dead_at_ms = 1),
	STATE_ROW("signing key", 1, STATE_SIGNING_KEY, .signing_key = { .epoch = 2 }),
	DELIVERY("of a credential", 1, .event_type = EVENT_TYPE_CREDENTIAL_ISSUED),
	DELIVERY("of a test", 1, .event_type = EVENT_TYPE_WEBHOOK_TEST),
	DELIVERY("with a reason", 1, .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
		 .last_reason = "proxy-refused"),
	DELIVERY("of a type of one's own", 2, .event_type = "DegreeRevoked"),
	DELIVERY("of a notice", 2, .event_type = "WebhookFailing"),
	DELIVERY("subject", 2, .event_type = EVENT_TYPE_WEBHOOK_TEST, .subject = "s"),
	DELIVERY("succeeded", 2, .event_type = EVENT_TYPE_WEBHOOK_TEST,
		 .status = DELIVERY_SUCCEEDED),
	RECEIPT("create", 1, WEBHOOK_CREATE, 201, EVENT_DATA_WEBHOOK, .webhook = { PLAIN }),
	RECEIPT("create, a type of one's own", 2, WEBHOOK_CREATE, 201, EVENT_DATA_WEBHOOK,
		.webhook = { TYPES(own_types) }),
	RECEIPT("create, description", 2, WEBHOOK_CREATE, 201, EVENT_DATA_WEBHOOK,
		.webhook = { PLAIN, .description = "d" }),
	RECEIPT("create, headers", 2, WEBHOOK_CREATE, 201, EVENT_DATA_WEBHOOK,
		.webhook = { PLAIN, .headers = &header, .header_count = 1 }),
	RECEIPT("create refused", 1, WEBHOOK_CREATE, 400, REFUSAL),
	RECEIPT("update", 1, WEBHOOK_UPDATE, 200, EVENT_DATA_WEBHOOK, .webhook = { PLAIN }),
	RECEIPT("update, a type of one's own", 2, WEBHOOK_UPDATE, 200, EVENT_DATA_WEBHOOK,
		.webhook = { TYPES(own_types) }),
	RECEIPT("delete", 1, WEBHOOK_DELETE, 204, EVENT_DATA_NONE),
	RECEIPT("test", 1, WEBHOOK_TEST, 202, EVENT_DATA_DELIVERY,
		.delivery = { .event_type = EVENT_TYPE_WEBHOOK_TEST }),
	RECEIPT("a report of a type of one's own", 2, WEBHOOK_TEST, 202, EVENT_DATA_DELIVERY,
		.delivery = { .event_type = "DegreeRevoked" }),
	RECEIPT("a report with its eventId", 2, WEBHOOK_TEST, 202, EVENT_DATA_DELIVERY,
		.delivery = { .event_type = EVENT_TYPE_WEBHOOK_TEST, .has_event_id = true }),
	RECEIPT("rotate key", 1, WEBHOOK_KEY_ROTATE, 201, EVENT_DATA_SIGNING_KEY,
		.signing_key = { "kid", 1, 0 }),
	RECEIPT("recover", 1, WEBHOOK_RECOVER, 200, EVENT_DATA_RECOVERED, .recovered = 3),
	RECEIPT("issuance", 1, OPENID_CREDENTIAL, 200, EVENT_DATA_CREDENTIAL_ISSUED,
		.credential_issued = { "c", 1 }),
	RECEIPT("issuance refused", 1, OPENID_CREDENTIAL, 429, REFUSAL),
	RECEIPT("rotate secret", 2, WEBHOOK_SECRET_ROTATE, 201, EVENT_DATA_SECRET,
		.secret = { NULL, 2, 0 }),
	RECEIPT("rotate secret refused", 2, WEBHOOK_SECRET_ROTATE, 409, REFUSAL),
	RECEIPT("retrieve secret refused", 2, WEBHOOK_SECRET_RETRIEVE, 404, REFUSAL),
	RECEIPT("resend", 2, WEBHOOK_DELIVERY_RESEND, 202, EVENT_DATA_DELIVERY,
		.delivery = { .event_type = EVENT_TYPE_WEBHOOK_TEST }),
	RECEIPT("publish", 2, WEBHOOK_EVENT_PUBLISH, 202, EVENT_DATA_PUBLISHED,
		.published = { .event_type = "DegreeRevoked" }),
	RECEIPT("publish refused", 2, WEBHOOK_EVENT_PUBLISH, 400, REFUSAL),
	RECEIPT("no known operation", 2, WEBHOOK_COMMAND, 400, REFUSAL),
	POSITION("two inputs", 1, .admin_offset = 1, .issuance_offset = -1),
	POSITION("three inputs", 2, .event_offset = 1),
	POSITION("event.types", 2, .catalogue = 1),
};

static void the_changelog(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		print_message("%s\n", states[i].name);
		assert_int_equal(edition_of(&state_record_record, &states[i].record),
				 states[i].edition);
	}
}

#define EVENT(name_, edition_, subject_, step_, ...)                                               \
	{                                                                                          \
		name_, edition_, {                                                                 \
			.subject = ANALYTIC_##subject_, .step = ANALYTIC_##step_,                  \
			.data = { __VA_ARGS__ }                                                    \
		}                                                                                  \
	}
#define REPORT EVENT_DATA_DELIVERY, .delivery

static const struct attempt_response response = { .http_version = "1.1" };
static const struct webhook plain_webhooks[] = { { PLAIN }, { TYPES(own_types) } };
static const struct webhook newer_webhooks[] = { { PLAIN }, { PLAIN, .description = "d" } };

/* Types are plain strings to who reads the results: only a field that is newer needs the second. */
static const struct {
	const char *name;
	int edition;
	struct analytic_event event;
} events[] = {
	EVENT("start", 1, WEBHOOK_CREATE, START, EVENT_DATA_NONE),
	EVENT("a newer start", 1, WEBHOOK_EVENT_PUBLISH, START, EVENT_DATA_NONE),
	EVENT("webhook", 1, WEBHOOK_CREATE, SUCCESS, EVENT_DATA_WEBHOOK, .webhook = { PLAIN }),
	EVENT("webhook, a type of one's own", 1, WEBHOOK_CREATE, SUCCESS, EVENT_DATA_WEBHOOK,
	      .webhook = { TYPES(own_types) }),
	EVENT("webhook, signatures", 2, WEBHOOK_CREATE, SUCCESS, EVENT_DATA_WEBHOOK,
	      .webhook = { PLAIN, .signature_count = 1 }),
	EVENT("webhook, filter", 2, WEBHOOK_DISABLED, STEP_NONE, EVENT_DATA_WEBHOOK,
	      .webhook = { PLAIN, .filter = &filter }),
	EVENT("webhook, rateLimit", 2, WEBHOOK_UPDATE, SUCCESS, EVENT_DATA_WEBHOOK,
	      .webhook = { PLAIN, .rate_limit = 1 }),
	EVENT("page", 1, WEBHOOK_RETRIEVE_LIST, SUCCESS, EVENT_DATA_WEBHOOK_PAGE,
	      .page = { plain_webhooks, 2, NULL }),
	EVENT("page, a description", 2, WEBHOOK_RETRIEVE_LIST, SUCCESS, EVENT_DATA_WEBHOOK_PAGE,
	      .page = { newer_webhooks, 2, NULL }),
	EVENT("problem", 1, WEBHOOK_UPDATE, FAIL, REFUSAL),
	EVENT("problem of a newer command", 1, WEBHOOK_SECRET_ROTATE, FAIL, REFUSAL),
	EVENT("issued", 1, OPENID_CREDENTIAL, SUCCESS, EVENT_DATA_CREDENTIAL_ISSUED),
	EVENT("received", 1, WEBHOOK_EVENT, RECEIVE, REPORT = { .event_type = "DegreeRevoked" }),
	EVENT("retry, a newer reason", 1, WEBHOOK_EVENT, RETRY, REPORT = { .reason = "proxy" }),
	EVENT("retry, eventId", 2, WEBHOOK_EVENT, RETRY, REPORT = { .has_event_id = true }),
	EVENT("retry, subject", 2, WEBHOOK_EVENT, RETRY, REPORT = { .subject = "s" }),
	EVENT("retry, attemptedAt", 2, WEBHOOK_EVENT, RETRY, REPORT = { .attempted_at_ms = 1 }),
	EVENT("retry, response", 2, WEBHOOK_EVENT, RETRY, REPORT = { .response = &response }),
	EVENT("resend", 1, WEBHOOK_EVENT, RESEND, REPORT = { .event_type = "DegreeRevoked" }),
	EVENT("signing key", 1, WEBHOOK_KEY_ROTATE, SUCCESS, EVENT_DATA_SIGNING_KEY),
	EVENT("recovered", 1, WEBHOOK_RECOVER, SUCCESS, EVENT_DATA_RECOVERED),
	EVENT("published", 2, WEBHOOK_EVENT_PUBLISH, SUCCESS, EVENT_DATA_PUBLISHED),
	EVENT("secret", 2, WEBHOOK_SECRET_ROTATE, SUCCESS, EVENT_DATA_SECRET),
};

static void the_results(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		print_message("%s\n", events[i].name);
		assert_int_equal(edition_of(&analytic_event_record, &events[i].event),
				 events[i].edition);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_changelog),
		cmocka_unit_test(the_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "avro/record.h"
#include "base/memory.h"
#include "domain/analytic_event.h"
#include "domain/attempt.h"

static const char *signature_get(const void *record, size_t index) {
	const struct webhook *webhook = record;

	return signature_format_name(webhook->signatures[index]);
}

static int signature_add(void *record, const char *text) {
	struct webhook *webhook = record;
	enum signature_format format;

	if (signature_format_parse(text, &format))
		return 1;
	for (size_t i = 0; i < webhook->signature_count; i++)
		if (webhook->signatures[i] == format)
			return 1;
	webhook->signatures[webhook->signature_count++] = format;
	return 0;
}

const struct field_names webhook_signatures_names = { SIGNATURE_FORMAT_COUNT, signature_get,
						      signature_add };

#define FILTER(name_, member)                                                                      \
	{ name_, FIELD_AT(FIELD_TEXTS, webhook_filter, member.items), SECOND_EDITION,              \
	  .second = offsetof(struct webhook_filter, member.count) }

static const struct field filter_fields[] = {
	FILTER("credentialConfigurationId", credential_configuration_ids),
	FILTER("format", formats),
	FILTER("credentialProfile", credential_profiles),
	FILTER("subject", subjects),
};
static const struct record filter = { "WebhookFilter", RECORD_TABLE(filter_fields) };
const struct field_array webhook_filter_array = { &filter, sizeof(struct webhook_filter), 0 };

static const struct field header_fields[] = {
	{ "name", FIELD_AT(FIELD_TEXT, webhook_header, name) },
};
static const struct record header = { "WebhookHeaderName", RECORD_TABLE(header_fields) };
static const struct field_array headers = { &header, sizeof(struct webhook_header),
					    WEBHOOK_HEADERS_MAX };

#define WEBHOOK(kind, member) FIELD_AT(kind, webhook, member)

static const struct field webhook_fields[] = {
	{ "id", WEBHOOK(FIELD_UUID, id) },
	{ "events", WEBHOOK(FIELD_TEXTS, events), .second = offsetof(struct webhook, event_count) },
	{ "url", WEBHOOK(FIELD_TEXT, url) },
	{ "disabled", WEBHOOK(FIELD_BOOLEAN, disabled) },
	{ "createdAt", WEBHOOK(FIELD_TIME, created_at_ms) },
	{ "updatedAt", WEBHOOK(FIELD_TIME, updated_at_ms) },
	WEBHOOK_SECOND_EDITION(&headers),
};
static const struct record webhook = { "Webhook", RECORD_TABLE(webhook_fields) };

#define PAGE(kind, member) FIELD_AT(kind, webhook_page, member)

static const struct field_array page_items = { &webhook, sizeof(struct webhook), 0 };
static const struct field page_fields[] = {
	{ "data", PAGE(FIELD_ARRAY, items), .second = offsetof(struct webhook_page, count),
	  .as_array = &page_items },
	{ "nextCursor", PAGE(FIELD_TEXT_OR_NULL, next_cursor), .optional = true },
};
static const struct record page = { "WebhookPage", RECORD_TABLE(page_fields) };

#define DETAIL(kind, member) FIELD_AT(kind, problem_detail, member)
#define PROBLEM(kind, member) FIELD_AT(kind, problem, member)

static const struct field detail_fields[] = {
	{ "value", DETAIL(FIELD_TEXT, value) },
	{ "msg", DETAIL(FIELD_TEXT, msg) },
	{ "param", DETAIL(FIELD_TEXT, param) },
	{ "location", DETAIL(FIELD_TEXT, location) },
};
static const struct record detail = { "ProblemDetail", RECORD_TABLE(detail_fields) };
static const struct field_array problem_details = { &detail, sizeof(struct problem_detail), 0 };
static const struct field problem_fields[] = {
	{ "code", PROBLEM(FIELD_TEXT, code) },
	{ "type", PROBLEM(FIELD_TEXT, type), .beside_type = "problemType" },
	{ "message", PROBLEM(FIELD_TEXT, message) },
	{ "details", PROBLEM(FIELD_ARRAY, details),
	  .second = offsetof(struct problem, detail_count), .as_array = &problem_details },
};

static void problem_complete(void *record) {
	struct problem *problem = record;

	problem->detail_capacity = problem->detail_count;
}

const struct record event_problem_record = { "Problem", RECORD_TABLE(problem_fields),
					     problem_complete };

#define ISSUED(kind, member) FIELD_AT(kind, credential_issued, member)

static const struct field issued_fields[] = {
	{ "credentialId", ISSUED(FIELD_TEXT, credential_id) },
	{ "deliveries", ISSUED(FIELD_INT, deliveries) },
};
static const struct record issued = { "CredentialIssued", RECORD_TABLE(issued_fields) };

#define REPORT(kind, member) FIELD_AT(kind, delivery_report, member)

#define RESPONSE(member) FIELD_AT(FIELD_TEXT_OR_NULL, attempt_response, member)

static const struct field response_fields[] = {
	{ "body", RESPONSE(body), SECOND_EDITION },
	{ "address", RESPONSE(address), SECOND_EDITION },
	{ "httpVersion", RESPONSE(http_version), SECOND_EDITION },
	{ "tlsVersion", RESPONSE(tls_version), SECOND_EDITION },
};
static const struct record response = { "AttemptResponse", RECORD_TABLE(response_fields) };
static const struct field_array responses = { &response, sizeof(struct attempt_response), 0 };

static const struct field delivery_fields[] = {
	{ "deliveryId", REPORT(FIELD_UUID, delivery_id) },
	{ "webhookId", REPORT(FIELD_UUID, webhook_id) },
	{ "eventType", REPORT(FIELD_TEXT, event_type) },
	{ "attempt", REPORT(FIELD_INT, attempt) },
	{ "status", REPORT(FIELD_INT_OR_NULL, status), .optional = true },
	{ "reason", REPORT(FIELD_TEXT_OR_NULL, reason), .optional = true },
	{ "durationMs", REPORT(FIELD_LONG_OR_NULL, duration_ms), .optional = true },
	{ "nextAttemptAt", REPORT(FIELD_TIME_OR_NULL, next_attempt_at_ms), .optional = true },
	{ "eventId", REPORT(FIELD_UUID_FLAGGED, event_id), SECOND_EDITION,
	  .second = offsetof(struct delivery_report, has_event_id) },
	{ "subject", REPORT(FIELD_TEXT_OR_NULL, subject), SECOND_EDITION },
	{ "attemptedAt", REPORT(FIELD_TIME_OR_NULL, attempted_at_ms), SECOND_EDITION },
	{ "response", REPORT(FIELD_RECORD_OR_NULL, response), SECOND_EDITION,
	  .as_array = &responses },
};

static void delivery_complete(void *record) {
	struct delivery_report *report = record;

	report->reason = attempt_reason_translate(report->reason);
}

static const struct record delivery = { "Delivery", RECORD_TABLE(delivery_fields),
					delivery_complete };

#define KEY(kind, member) FIELD_AT(kind, signing_key_report, member)

static const struct field key_fields[] = {
	{ "kid", KEY(FIELD_TEXT, kid) },
	{ "createdAt", KEY(FIELD_TIME, created_at_ms) },
	{ "expiresAt", KEY(FIELD_TIME_OR_NULL, expires_at_ms), .optional = true },
};
static const struct record signing_key = { "SigningKey", RECORD_TABLE(key_fields) };

/* The member of struct event_data is the number itself. */
static const struct field recovered_fields[] = { { "deliveries", .kind = FIELD_INT } };
static const struct record recovered = { "Recovered", RECORD_TABLE(recovered_fields) };

static const struct branch data_branches[] = {
	[EVENT_DATA_NONE] = { NULL },
	[EVENT_DATA_WEBHOOK] = { &webhook },
	[EVENT_DATA_WEBHOOK_PAGE] = { &page },
	[EVENT_DATA_PROBLEM] = { &event_problem_record, sizeof(struct problem) },
	[EVENT_DATA_CREDENTIAL_ISSUED] = { &issued },
	[EVENT_DATA_DELIVERY] = { &delivery },
	[EVENT_DATA_SIGNING_KEY] = { &signing_key },
	[EVENT_DATA_RECOVERED] = { &recovered },
};
const struct field_union event_data_union = { data_branches, ARRAY_LEN(data_branches), 0 };

/* Kinds of data that came later have a field each instead of a branch: a reader with the first
 * edition's schema cannot read a branch that its union lacks, and passes over a field. */

#define PUBLISHED(kind, member) FIELD_AT(kind, event_published, member)

static const struct field published_fields[] = {
	{ "eventId", PUBLISHED(FIELD_UUID, event_id) },
	{ "eventType", PUBLISHED(FIELD_TEXT, event_type) },
	{ "deliveries", PUBLISHED(FIELD_INT, deliveries) },
};
static const struct record published = { "EventPublished", RECORD_TABLE(published_fields) };
static const struct branch published_branches[] = { { NULL, 0 }, { &published, 0 } };
const struct field_union event_published_union = { published_branches, 2,
						   EVENT_DATA_PUBLISHED - 1 };

#define SECRET(kind, member) FIELD_AT(kind, webhook_secret, member)

static const struct field secret_fields[] = {
	{ "secret", SECRET(FIELD_TEXT_OR_NULL, secret), .optional = true },
	{ "epoch", SECRET(FIELD_INT, epoch) },
	{ "overlapUntil", SECRET(FIELD_TIME_OR_NULL, overlap_until_ms), .optional = true },
};
static const struct record secret = { "WebhookSecret", RECORD_TABLE(secret_fields) };
static const struct branch secret_branches[] = { { NULL, 0 }, { &secret, 0 } };
const struct field_union event_secret_union = { secret_branches, 2, EVENT_DATA_SECRET - 1 };

void event_data_complete(struct event_data *data, const char *tenant_id, int status) {
	if (data->kind == EVENT_DATA_WEBHOOK)
		data->webhook.tenant_id = tenant_id;
	if (data->kind == EVENT_DATA_WEBHOOK_PAGE)
		for (size_t i = 0; i < data->page.count; i++)
			((struct webhook *)(uintptr_t)data->page.items)[i].tenant_id =
			    tenant_id; /* just decoded, so not const yet */
	if (data->kind == EVENT_DATA_PROBLEM)
		((struct problem *)(uintptr_t)data->problem)->status = status;
}

static const char *event_type_get(const void *record) {
	const struct analytic_event *event = record;

	return analytic_event_type(event->subject, event->step);
}

static int event_type_set(void *record, const char *text) {
	struct analytic_event *event = record;

	return analytic_event_type_parse(text, &event->subject, &event->step);
}

static const char *event_category_get(const void *record) {
	const struct analytic_event *event = record;

	return analytic_event_category(event->subject);
}

static void event_complete(void *record) {
	struct analytic_event *event = record;

	event_data_complete(&event->data, event->tenant_id, event->status);
}

#define EVENT(kind, member) FIELD_AT(kind, analytic_event, member)

static const struct field_name event_type = { event_type_get, event_type_set };
static const struct field_name event_category = { event_category_get, NULL };
static const struct field event_fields[] = {
	{ "id", EVENT(FIELD_UUID, id) },
	{ "type", .kind = FIELD_NAME, .as_name = &event_type },
	{ "category", .kind = FIELD_NAME, .optional = true, .as_name = &event_category },
	{ "version", .kind = FIELD_VERSION, .optional = true },
	{ "timestamp", EVENT(FIELD_TIME, timestamp_ms) },
	{ "tenantId", EVENT(FIELD_TEXT, tenant_id) },
	{ "commandId", EVENT(FIELD_TEXT_OR_NULL, command_id), .optional = true },
	{ "requestId", EVENT(FIELD_TEXT_OR_NULL, request_id), .optional = true },
	{ "clientId", EVENT(FIELD_TEXT_OR_NULL, client_id), .optional = true },
	{ "repeat", EVENT(FIELD_BOOLEAN, repeat), .optional = true },
	{ "status", EVENT(FIELD_INT_OR_NULL, status), .optional = true },
	{ "data", EVENT(FIELD_UNION, data.kind), .optional = true,
	  .second = offsetof(struct analytic_event, data.webhook), .as_union = &event_data_union },
	{ "published", EVENT(FIELD_UNION, data.kind), SECOND_EDITION,
	  .second = offsetof(struct analytic_event, data.webhook),
	  .as_union = &event_published_union },
	{ "secret", EVENT(FIELD_UNION, data.kind), SECOND_EDITION,
	  .second = offsetof(struct analytic_event, data.webhook),
	  .as_union = &event_secret_union },
};
const struct record analytic_event_record = { "AnalyticEvent", RECORD_TABLE(event_fields),
					      event_complete };

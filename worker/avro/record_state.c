#include "avro/record.h"
#include "base/memory.h"
#include "domain/attempt.h"
#include "domain/event_type.h"
#include "domain/state.h"

static const struct field header_fields[] = {
	{ "name", FIELD_AT(FIELD_TEXT, webhook_header, name) },
	{ "sealed", FIELD_AT(FIELD_BYTES, webhook_header, sealed),
	  .second = offsetof(struct webhook_header, sealed_len) },
};
static const struct record header = { "SealedHeader", RECORD_TABLE(header_fields) };
static const struct field_array headers = { &header, sizeof(struct webhook_header),
					    WEBHOOK_HEADERS_MAX };

#define WEBHOOK(kind, member) FIELD_AT(kind, webhook, member)

static const struct field webhook_fields[] = {
	{ "id", WEBHOOK(FIELD_UUID, id) },
	{ "tenantId", WEBHOOK(FIELD_TEXT, tenant_id) },
	{ "events", WEBHOOK(FIELD_TEXTS, events), .second = offsetof(struct webhook, event_count) },
	{ "url", WEBHOOK(FIELD_TEXT, url) },
	{ "disabled", WEBHOOK(FIELD_BOOLEAN, disabled), .optional = true },
	{ "createdAt", WEBHOOK(FIELD_TIME, created_at_ms) },
	{ "updatedAt", WEBHOOK(FIELD_TIME, updated_at_ms) },
	{ "failingSince", WEBHOOK(FIELD_TIME_OR_NULL, failing_since_ms), .optional = true },
	WEBHOOK_SECOND_EDITION(&headers),
	{ "secretEpoch", WEBHOOK(FIELD_INT, secret_epoch), SECOND_EDITION },
	{ "secretOverlapUntil", WEBHOOK(FIELD_TIME_OR_NULL, secret_overlap_until_ms),
	  SECOND_EDITION },
	{ "secretMasterKeyId", WEBHOOK(FIELD_TEXT_OR_NULL, secret_master_key_id), SECOND_EDITION },
	{ "formerSecretMasterKeyId", WEBHOOK(FIELD_TEXT_OR_NULL, former_secret_master_key_id),
	  SECOND_EDITION },
	{ "failingToldSince", WEBHOOK(FIELD_TIME_OR_NULL, told.failing_since_ms), SECOND_EDITION },
	{ "healthToldAt", WEBHOOK(FIELD_TIME_OR_NULL, told.health_at_ms), SECOND_EDITION },
	{ "disabledToldAt", WEBHOOK(FIELD_TIME_OR_NULL, told.disabled_at_ms), SECOND_EDITION },
	{ "deadToldAt", WEBHOOK(FIELD_TIME_OR_NULL, told.dead_at_ms), SECOND_EDITION },
};

/* Workers of the first edition know no other types of event than their own. */
static int webhook_edition(const void *record) {
	return webhook_is_newer(record) ? 2 : 1;
}

static const struct record webhook = { "Webhook", RECORD_TABLE(webhook_fields), NULL,
				       webhook_edition };

#define KEY(kind, member) FIELD_AT(kind, signing_key, member)

static const struct field key_fields[] = {
	{ "tenantId", KEY(FIELD_TEXT, tenant_id) },
	{ "kid", KEY(FIELD_TEXT, kid) },
	{ "x", KEY(FIELD_FIXED, x), .second = sizeof(((struct signing_key *)0)->x) },
	{ "masterKeyId", KEY(FIELD_TEXT, master_key_id) },
	{ "epoch", KEY(FIELD_INT, epoch) },
	{ "createdAt", KEY(FIELD_TIME, created_at_ms) },
	{ "expiresAt", KEY(FIELD_TIME_OR_NULL, expires_at_ms), .optional = true },
};
static const struct record signing_key = { "SigningKey", RECORD_TABLE(key_fields) };

static const char *delivery_status_get(const void *record) {
	const struct delivery *delivery = record;

	return delivery_status_name(delivery->status);
}

static int delivery_status_set(void *record, const char *text) {
	struct delivery *delivery = record;

	return delivery_status_parse(text, &delivery->status);
}

#define DELIVERY(kind, member) FIELD_AT(kind, delivery, member)

static const struct field_name delivery_status = { delivery_status_get, delivery_status_set };
static const struct field delivery_fields[] = {
	{ "id", DELIVERY(FIELD_UUID, id) },
	{ "eventId", DELIVERY(FIELD_UUID, event_id) },
	{ "webhookId", DELIVERY(FIELD_UUID, webhook_id) },
	{ "tenantId", DELIVERY(FIELD_TEXT, tenant_id) },
	{ "commandId", DELIVERY(FIELD_TEXT, command_id) },
	{ "requestId", DELIVERY(FIELD_TEXT_OR_NULL, request_id), .optional = true },
	{ "clientId", DELIVERY(FIELD_TEXT_OR_NULL, client_id), .optional = true },
	{ "traceparent", DELIVERY(FIELD_TEXT_OR_NULL, traceparent), .optional = true },
	{ "eventType", DELIVERY(FIELD_TEXT, event_type) },
	{ "body", DELIVERY(FIELD_TEXT_SIZED, body), .second = offsetof(struct delivery, body_len) },
	{ "status", .kind = FIELD_NAME, .optional = true, .as_name = &delivery_status },
	{ "attempts", DELIVERY(FIELD_INT, attempts), .optional = true },
	{ "lastStatus", DELIVERY(FIELD_INT_OR_NULL, last_status), .optional = true },
	{ "lastReason", DELIVERY(FIELD_TEXT_OR_NULL, last_reason), .optional = true },
	{ "createdAt", DELIVERY(FIELD_TIME, created_at_ms) },
	{ "nextAttemptAt", DELIVERY(FIELD_TIME, next_attempt_at_ms) },
	{ "subject", DELIVERY(FIELD_TEXT_OR_NULL, subject), SECOND_EDITION },
	{ "tracestate", DELIVERY(FIELD_TEXT_OR_NULL, tracestate), SECOND_EDITION },
};

static void delivery_complete(void *record) {
	struct delivery *delivery = record;

	delivery->last_reason = attempt_reason_translate(delivery->last_reason);
}

static int delivery_edition(const void *record) {
	const struct delivery *delivery = record;

	return event_type_is_newer(delivery->event_type) || delivery->status == DELIVERY_SUCCEEDED
		   ? 2
		   : 1;
}

static const struct record delivery = { "Delivery", RECORD_TABLE(delivery_fields),
					delivery_complete, delivery_edition };

/* Encodes the outcome as the type of the answering event, whose step follows from the status. */
static const char *receipt_outcome_get(const void *record) {
	const struct receipt *receipt = record;

	return analytic_event_type(receipt->subject,
				   receipt->status < 400 ? ANALYTIC_SUCCESS : ANALYTIC_FAIL);
}

static int receipt_outcome_set(void *record, const char *text) {
	struct receipt *receipt = record;
	enum analytic_step step;

	if (analytic_event_type_parse(text, &receipt->subject, &step))
		return 1;
	return step != ANALYTIC_SUCCESS && step != ANALYTIC_FAIL;
}

static void receipt_complete(void *record) {
	struct receipt *receipt = record;

	event_data_complete(&receipt->data, receipt->tenant_id, receipt->status);
}

#define RECEIPT(kind, member) FIELD_AT(kind, receipt, member)

static const struct field_name receipt_outcome = { receipt_outcome_get, receipt_outcome_set };
static const struct field receipt_fields[] = {
	{ "tenantId", RECEIPT(FIELD_TEXT, tenant_id) },
	{ "commandId", RECEIPT(FIELD_TEXT, command_id) },
	{ "fingerprint", RECEIPT(FIELD_FIXED, fingerprint),
	  .second = sizeof(((struct receipt *)0)->fingerprint) },
	{ "outcome", .kind = FIELD_NAME, .as_name = &receipt_outcome },
	{ "status", RECEIPT(FIELD_INT, status) },
	{ "data", RECEIPT(FIELD_UNION, data.kind), .optional = true,
	  .second = offsetof(struct receipt, data.webhook), .as_union = &event_data_union },
	{ "createdAt", RECEIPT(FIELD_TIME, created_at_ms) },
	{ "expiresAt", RECEIPT(FIELD_TIME, expires_at_ms) },
	{ "published", RECEIPT(FIELD_UNION, data.kind), SECOND_EDITION,
	  .second = offsetof(struct receipt, data.webhook), .as_union = &event_published_union },
	{ "secret", RECEIPT(FIELD_UNION, data.kind), SECOND_EDITION,
	  .second = offsetof(struct receipt, data.webhook), .as_union = &event_secret_union },
};

/* The first edition's workers know the outcomes of their own commands alone. */
static bool is_newer_outcome(enum analytic_subject subject) {
	switch (subject) {
	case ANALYTIC_WEBHOOK_SECRET_RETRIEVE:
	case ANALYTIC_WEBHOOK_SECRET_ROTATE:
	case ANALYTIC_WEBHOOK_DELIVERY_RESEND:
	case ANALYTIC_WEBHOOK_COMMAND:
	case ANALYTIC_WEBHOOK_EVENT_PUBLISH:
		return true;
	case ANALYTIC_WEBHOOK_CREATE:
	case ANALYTIC_WEBHOOK_RETRIEVE_LIST:
	case ANALYTIC_WEBHOOK_RETRIEVE:
	case ANALYTIC_WEBHOOK_UPDATE:
	case ANALYTIC_WEBHOOK_DELETE:
	case ANALYTIC_WEBHOOK_TEST:
	case ANALYTIC_WEBHOOK_KEY_ROTATE:
	case ANALYTIC_WEBHOOK_RECOVER:
	case ANALYTIC_OPENID_CREDENTIAL:
	case ANALYTIC_WEBHOOK_EVENT:
	case ANALYTIC_WEBHOOK_DISABLED:
	case ANALYTIC_SUBJECT_COUNT:
		break;
	}
	return false;
}

/* Whether the answer names an event type that they do not know. A page is the answer to a read,
 * which leaves no receipt. */
static bool is_newer_answer(const struct event_data *data) {
	if (data->kind == EVENT_DATA_WEBHOOK)
		return webhook_is_newer(&data->webhook);
	return data->kind == EVENT_DATA_DELIVERY && event_type_is_newer(data->delivery.event_type);
}

static int receipt_edition(const void *record) {
	const struct receipt *receipt = record;

	return is_newer_outcome(receipt->subject) || is_newer_answer(&receipt->data) ? 2 : 1;
}

static const struct record receipt = { "Receipt", RECORD_TABLE(receipt_fields), receipt_complete,
				       receipt_edition };

#define POSITION(kind, member) FIELD_AT(kind, position, member)

static const struct field position_fields[] = {
	{ "storeId", POSITION(FIELD_UUID, store_id) },
	{ "sequence", POSITION(FIELD_LONG, sequence) },
	{ "generation", POSITION(FIELD_INT, generation) },
	{ "memberId", POSITION(FIELD_TEXT, member_id) },
	{ "adminOffset", POSITION(FIELD_LONG_OR_NULL, admin_offset), .optional = true },
	{ "issuanceOffset", POSITION(FIELD_LONG_OR_NULL, issuance_offset), .optional = true },
	{ "recordCount", POSITION(FIELD_INT, record_count) },
	{ "timestamp", POSITION(FIELD_TIME, timestamp_ms) },
	{ "eventOffset", POSITION(FIELD_LONG, event_offset), SECOND_EDITION },
	{ "catalogue", POSITION(FIELD_LONG, catalogue), SECOND_EDITION },
};
static const struct record position = { "Position", RECORD_TABLE(position_fields) };

static const struct branch state_branches[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = { &webhook },   [STATE_SIGNING_KEY] = { &signing_key },
	[STATE_DELIVERY] = { &delivery }, [STATE_RECEIPT] = { &receipt },
	[STATE_POSITION] = { &position },
};
const struct field_union state_union = { state_branches, STATE_KIND_COUNT, 0 };

static const struct field state_fields[] = {
	{ "state", FIELD_AT(FIELD_UNION, state_record, kind),
	  .second = offsetof(struct state_record, webhook), .as_union = &state_union },
};
const struct record state_record_record = { "StateRecord", RECORD_TABLE(state_fields) };

#include "avro/record.h"
#include "base/memory.h"
#include "domain/command.h"

#define COMMAND(kind, member) FIELD_AT(kind, command, member)
#define ISSUANCE(kind, member) FIELD_AT(kind, issuance, member)

#define ID { "id", COMMAND(FIELD_TEXT, id) }
#define EVENTS                                                                                     \
	{ "events", COMMAND(FIELD_TEXTS, events), .second = offsetof(struct command, event_count) }
#define URL { "url", COMMAND(FIELD_TEXT, url) }
#define DISABLED { "disabled", COMMAND(FIELD_BOOLEAN, disabled), .optional = true }
#define OPTIONS                                                                                    \
	{ "description", COMMAND(FIELD_TEXT_OR_NULL, description), SECOND_EDITION },               \
	    { "headers",                                                                           \
	      COMMAND(FIELD_ARRAY, headers),                                                       \
	      SECOND_EDITION,                                                                      \
	      .is_secret = true,                                                                   \
	      .second = offsetof(struct command, header_count),                                    \
	      .as_array = &headers },                                                              \
	    { "signatures", COMMAND(FIELD_TEXTS, signatures), SECOND_EDITION,                      \
	      .second = offsetof(struct command, signature_count) },                               \
	    { "filter", COMMAND(FIELD_RECORD_OR_NULL, filter), SECOND_EDITION,                     \
	      .as_array = &webhook_filter_array },                                                 \
	{                                                                                          \
		"rateLimit", COMMAND(FIELD_INT_FLAGGED, rate_limit), SECOND_EDITION,               \
		    .second = offsetof(struct command, has_rate_limit)                             \
	}

static const struct field header_fields[] = {
	{ "name", FIELD_AT(FIELD_TEXT, header_given, name) },
	{ "value", FIELD_AT(FIELD_TEXT_OR_NULL, header_given, value), .optional = true },
};
static const struct record header = { "WebhookHeader", RECORD_TABLE(header_fields) };
static const struct field_array headers = { &header, sizeof(struct header_given), 0 };

static const struct field create_fields[] = { EVENTS, URL, DISABLED, OPTIONS };
static const struct field list_fields[] = {
	{ "limit", COMMAND(FIELD_INT_FLAGGED, limit), .optional = true,
	  .second = offsetof(struct command, has_limit) },
	{ "cursor", COMMAND(FIELD_TEXT_OR_NULL, cursor), .optional = true },
};
static const struct field update_fields[] = { ID, EVENTS, URL, DISABLED, OPTIONS };
static const struct field id_fields[] = { ID };
static const struct field secret_fields[] = { ID,
					      { "publicKey", COMMAND(FIELD_TEXT, public_key) } };
static const struct field recover_fields[] = {
	ID,
	{ "since", COMMAND(FIELD_TIME, since_ms) },
	{ "until", COMMAND(FIELD_TIME_FLAGGED, until_ms), SECOND_EDITION,
	  .second = offsetof(struct command, has_until) },
	{ "subject", COMMAND(FIELD_TEXT_OR_NULL, subject), SECOND_EDITION },
	{ "status", COMMAND(FIELD_TEXT_OR_NULL, status), SECOND_EDITION },
};

static const struct record create = { "CreateWebhook", RECORD_TABLE(create_fields) };
static const struct record list = { "RetrieveWebhooks", RECORD_TABLE(list_fields) };
static const struct record retrieve = { "RetrieveWebhook", RECORD_TABLE(id_fields) };
static const struct record update = { "UpdateWebhook", RECORD_TABLE(update_fields) };
static const struct record delete = { "DeleteWebhook", RECORD_TABLE(id_fields) };
static const struct record test = { "TestWebhook", RECORD_TABLE(id_fields) };
static const struct record rotate = { .name = "RotateSigningKey" };
static const struct record recover = { "RecoverDeliveries", RECORD_TABLE(recover_fields) };
static const struct record secret = { "RetrieveSecret", RECORD_TABLE(secret_fields) };
static const struct record rotate_secret = { "RotateSecret", RECORD_TABLE(id_fields) };

static const struct record resend = { "ResendDelivery", RECORD_TABLE(id_fields) };

static const struct branch operation_branches[OPERATION_COUNT] = {
	[OPERATION_CREATE_WEBHOOK] = { &create },
	[OPERATION_RETRIEVE_WEBHOOKS] = { &list },
	[OPERATION_RETRIEVE_WEBHOOK] = { &retrieve },
	[OPERATION_UPDATE_WEBHOOK] = { &update },
	[OPERATION_DELETE_WEBHOOK] = { &delete },
	[OPERATION_TEST_WEBHOOK] = { &test },
	[OPERATION_ROTATE_SIGNING_KEY] = { &rotate },
	[OPERATION_RECOVER_DELIVERIES] = { &recover },
	[OPERATION_RETRIEVE_SECRET] = { &secret },
	[OPERATION_ROTATE_SECRET] = { &rotate_secret },
	[OPERATION_RESEND_DELIVERY] = { &resend },
};
static const struct field_union operation_union = { operation_branches, OPERATION_COUNT, 0 };

/* All structs begin with the envelope, so one list serves them. */
_Static_assert(!offsetof(struct command, envelope) && !offsetof(struct issuance, envelope) &&
		   !offsetof(struct event_command, envelope),
	       "the envelope comes first");

#define ENVELOPE(kind, member) FIELD_AT(kind, command_envelope, member)
#define ENVELOPE_FIELDS                                                                            \
	{ "commandId", ENVELOPE(FIELD_TEXT, command_id) },                                         \
	    { "tenantId", ENVELOPE(FIELD_TEXT, tenant_id) },                                       \
	    { "requestId", ENVELOPE(FIELD_TEXT_OR_NULL, request_id), .optional = true },           \
	    { "clientId", ENVELOPE(FIELD_TEXT_OR_NULL, client_id), .optional = true }, {           \
		"timestamp", ENVELOPE(FIELD_TIME, timestamp_ms)                                    \
	}

static const struct field command_fields[] = {
	ENVELOPE_FIELDS,
	/* Each operation uses some members of the command itself. */
	{ "operation", COMMAND(FIELD_UNION, operation), .second = 0, .as_union = &operation_union },
};

/* The first edition's union has no branch for the operations that came later. */
static int command_edition(const void *record) {
	const struct command *command = record;

	return command->operation >= OPERATION_RETRIEVE_SECRET ? 2 : 1;
}

const struct record command_record = { "WebhookCommand", RECORD_TABLE(command_fields), NULL,
				       command_edition };

static const struct field issuance_fields[] = {
	ENVELOPE_FIELDS,
	{ "userId", ISSUANCE(FIELD_TEXT_OR_NULL, user_id), .optional = true },
	{ "credentialId", ISSUANCE(FIELD_TEXT, credential_id) },
	{ "credentialConfigurationId", ISSUANCE(FIELD_TEXT, credential_configuration_id) },
	{ "credentialProfile", ISSUANCE(FIELD_TEXT, credential_profile) },
	{ "format", ISSUANCE(FIELD_TEXT, format) },
	{ "credentialOfferId", ISSUANCE(FIELD_TEXT_OR_NULL, credential_offer_id),
	  .optional = true },
	{ "sessionId", ISSUANCE(FIELD_TEXT_OR_NULL, session_id), .optional = true },
	{ "claims", ISSUANCE(FIELD_TEXT_OR_NULL, claims), .optional = true, .is_json = true },
	{ "credential", ISSUANCE(FIELD_TEXT, credential), .is_json = true },
};
const struct record issuance_record = { "CredentialIssuanceCommand",
					RECORD_TABLE(issuance_fields) };

#define EVENT(kind, member) FIELD_AT(kind, event_command, member)

static const struct field event_fields[] = {
	ENVELOPE_FIELDS,
	{ "eventType", EVENT(FIELD_TEXT, event_type) },
	{ "subject", EVENT(FIELD_TEXT_OR_NULL, subject), .optional = true },
	{ "payload", EVENT(FIELD_TEXT, payload), .is_json = true },
};
const struct record event_command_record = { "EventCommand", RECORD_TABLE(event_fields) };

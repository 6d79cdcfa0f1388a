/* Commands, decoded and not yet validated: plain strings with any content. Every pointer borrows
 * from the turn's arena and is UTF-8 without NUL; an absent optional field is NULL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problem;
struct webhook_filter;

enum operation {
	OPERATION_CREATE_WEBHOOK,
	OPERATION_RETRIEVE_WEBHOOKS,
	OPERATION_RETRIEVE_WEBHOOK,
	OPERATION_UPDATE_WEBHOOK,
	OPERATION_DELETE_WEBHOOK,
	OPERATION_TEST_WEBHOOK,
	OPERATION_ROTATE_SIGNING_KEY,
	OPERATION_RECOVER_DELIVERIES,
	OPERATION_RETRIEVE_SECRET,
	OPERATION_ROTATE_SECRET,
	OPERATION_RESEND_DELIVERY,
	OPERATION_COUNT,
	OPERATION_UNKNOWN = OPERATION_COUNT, /* the faults name it */
};

/* "CreateWebhook", the name of the record in schemas/webhook-command.avsc; "unknown". */
const char *operation_name(enum operation operation);
/* Whether the operation changes nothing. */
bool operation_is_read(enum operation operation);

/* The fields that every command has. */
struct command_envelope {
	const char *command_id;
	const char *tenant_id;
	const char *request_id;
	const char *client_id;
	int64_t timestamp_ms;    /* the producer's, wall */
	const char *traceparent; /* from the Kafka header; NULL where it is missing or malformed
				    (W3C Trace Context level 1, section 3.2) */
	const char *tracestate;  /* likewise, beside a traceparent alone; section 3.3 */
	const struct problem *faults; /* of the members of its JSON: the command is refused with
					 them; NULL: none. Their parameters are as if absent. */
};

/* A header that callbacks are to carry. */
struct header_given {
	const char *name;
	const char *value; /* a secret; NULL: the one that the webhook has stays */
};

enum { PUBLIC_KEY_LEN = 32 };

/* WebhookCommand. Only the fields of its `operation` are set. */
struct command {
	struct command_envelope envelope;
	enum operation operation;
	const char *id; /* RETRIEVE_WEBHOOK, UPDATE, DELETE, TEST, RECOVER, *_SECRET; RESEND: the
			   delivery's */
	const char **events;
	size_t event_count; /* CREATE, UPDATE */
	const char *url;
	bool disabled;
	const char *description; /* CREATE, UPDATE, as the four that follow; NULL: none */
	struct header_given *headers;
	size_t header_count;
	const char **signatures;
	size_t signature_count;
	const struct webhook_filter *filter; /* NULL: none */
	bool has_rate_limit;
	int32_t rate_limit;
	bool has_limit; /* RETRIEVE_WEBHOOKS */
	int32_t limit;
	const char *cursor;
	const char *public_key; /* RETRIEVE_SECRET: of X25519, as base64url */
	int64_t since_ms;       /* RECOVER */
	bool has_until;         /* RECOVER */
	int64_t until_ms;
	const char *subject; /* RECOVER; NULL: any */
	const char *status;  /* RECOVER; NULL: "dead" */
	int64_t resume_ms;   /* RECOVER: where an earlier turn left off; 0: this one begins it */
};

/* CredentialIssuanceCommand. */
struct issuance {
	struct command_envelope envelope;
	const char *user_id;
	const char *credential_id;
	const char *credential_configuration_id;
	const char *credential_profile;
	const char *format;
	const char *credential_offer_id;
	const char *session_id;
	const char *claims; /* a JSON object as text */
	const char
	    *credential; /* a JSON value as text; never NULL; "" where the command has none */
};

/* EventCommand. */
struct event_command {
	struct command_envelope envelope;
	const char *event_type;
	const char *subject; /* NULL: none */
	const char *payload; /* a JSON value as text */
};

/* A command's origin: the seed of every id that it makes (R11). */
struct command_source {
	const char *cluster_id;
	const char *topic;
	int32_t partition;
	int64_t offset;
};

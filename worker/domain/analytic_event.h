/* Analytic events: one for every step, published on webhook-results in the same transaction as
 * the step itself. */
#pragma once

#include "base/uuid.h"
#include "domain/attempt.h"
#include "domain/problem.h"
#include "domain/webhook.h"

enum analytic_subject {
	ANALYTIC_WEBHOOK_CREATE,
	ANALYTIC_WEBHOOK_RETRIEVE_LIST,
	ANALYTIC_WEBHOOK_RETRIEVE,
	ANALYTIC_WEBHOOK_UPDATE,
	ANALYTIC_WEBHOOK_DELETE,
	ANALYTIC_WEBHOOK_TEST,
	ANALYTIC_WEBHOOK_KEY_ROTATE,
	ANALYTIC_WEBHOOK_RECOVER,
	ANALYTIC_WEBHOOK_SECRET_RETRIEVE,
	ANALYTIC_WEBHOOK_SECRET_ROTATE,
	ANALYTIC_WEBHOOK_DELIVERY_RESEND,
	ANALYTIC_WEBHOOK_COMMAND, /* of no known operation: START and FAIL alone */
	ANALYTIC_OPENID_CREDENTIAL,
	ANALYTIC_WEBHOOK_EVENT_PUBLISH, /* an event of the tenant's own */
	ANALYTIC_WEBHOOK_EVENT,         /* deliveries: RECEIVE and those behind it */
	ANALYTIC_WEBHOOK_DISABLED,      /* stands alone, step NONE */
	ANALYTIC_SUBJECT_COUNT,
};

enum analytic_step {
	ANALYTIC_START,
	ANALYTIC_SUCCESS,
	ANALYTIC_FAIL,
	ANALYTIC_RECEIVE,
	ANALYTIC_PROCESS_SUCCESS,
	ANALYTIC_PROCESS_FAIL,
	ANALYTIC_RETRY,
	ANALYTIC_RESEND, /* due again by a command; attempt 0: it had ended before */
	ANALYTIC_STEP_NONE,
};

/* "WEBHOOK_CREATE_START": static text. Aborts on a pair that does not exist. */
const char *analytic_event_type(enum analytic_subject subject, enum analytic_step step);
bool analytic_event_type_exists(enum analytic_subject subject, enum analytic_step step);
/* "webhook" or "openid". */
const char *analytic_event_category(enum analytic_subject subject);
/* Parses the text of analytic_event_type. Returns 0, or 1 for an unknown text. */
int analytic_event_type_parse(const char *type, enum analytic_subject *subject,
			      enum analytic_step *step) _must_check_;

enum event_data_kind {
	EVENT_DATA_NONE,
	EVENT_DATA_WEBHOOK,
	EVENT_DATA_WEBHOOK_PAGE,
	EVENT_DATA_PROBLEM,
	EVENT_DATA_CREDENTIAL_ISSUED,
	EVENT_DATA_DELIVERY,
	EVENT_DATA_SIGNING_KEY,
	EVENT_DATA_RECOVERED,
	EVENT_DATA_PUBLISHED,
	EVENT_DATA_SECRET,
};

struct webhook_page {
	const struct webhook *items;
	size_t count;
	const char *next_cursor; /* NULL on the last page */
};

struct credential_issued {
	const char *credential_id;
	int32_t deliveries;
};

/* A delivery's step in an analytic event. */
struct delivery_report {
	struct uuid delivery_id;
	struct uuid webhook_id;
	const char *event_type;
	int32_t attempt;            /* 0 on RECEIVE, else from 1 */
	int32_t status;             /* the last HTTP status; 0: none */
	const char *reason;         /* NULL on success and RECEIVE */
	int64_t duration_ms;        /* -1: none */
	int64_t next_attempt_at_ms; /* wall; 0: none */

	/* Edition 2. */
	bool has_event_id;
	struct uuid event_id;                    /* the callback's event */
	const char *subject;                     /* NULL: none */
	int64_t attempted_at_ms;                 /* wall: when the attempt began; 0: unknown */
	const struct attempt_response *response; /* NULL: none */
};

/* The report without what edition 2 added, which tells more of the delivery and changes nothing. */
struct delivery_report delivery_report_of_first_edition(const struct delivery_report *report);

/* An event of a tenant's own that was published. */
struct event_published {
	struct uuid event_id; /* the callbacks' event */
	const char *event_type;
	int32_t deliveries;
};

/* A webhook's secret for HMAC signatures. */
struct webhook_secret {
	const char *secret; /* "whsec_..."; NULL: not told */
	int32_t epoch;
	int64_t overlap_until_ms; /* wall: the former one signs too until then; 0: not at all */
};

struct signing_key_report {
	const char *kid;
	int64_t created_at_ms;
	int64_t expires_at_ms; /* 0: none yet */
};

struct event_data {
	enum event_data_kind kind;
	union {
		struct webhook webhook;
		struct webhook_page page;
		const struct problem *problem;
		struct credential_issued credential_issued;
		struct delivery_report delivery;
		struct signing_key_report signing_key;
		int32_t recovered; /* deliveries */
		struct event_published published;
		struct webhook_secret secret;
	};
};

struct analytic_event {
	struct uuid id;
	enum analytic_subject subject;
	enum analytic_step step;
	int64_t timestamp_ms; /* wall */
	const char *tenant_id;
	const char *command_id;  /* of the one that was answered, or that recorded the delivery;
				    NULL: of neither */
	const char *request_id;  /* NULL: none */
	const char *client_id;   /* NULL: none */
	const char *traceparent; /* NULL: none; a record header, not a field */
	const char *tracestate;  /* likewise */
	bool repeat;             /* the answer to a repeated command */
	int32_t status;          /* the HTTP status; 0 (null on the wire) on START */
	struct event_data data;
};

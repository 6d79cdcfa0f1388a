/*
 * The changelog's content: keys, records, and changes to them. The replica, like every other
 * reader, is the fold of the changelog.
 *
 *      webhook/<tenant>/<id>    receipt/<tenant>/<commandId>    position
 *      key/<tenant>/<kid>       delivery/<id>
 *
 * In a key, "%" and "/" inside a tenant or command id are percent-encoded, so that each key has one
 * reading.
 */
#pragma once

#include "domain/analytic_event.h"
#include "domain/command.h"
#include "domain/delivery.h"
#include "domain/webhook.h"

enum state_kind {
	STATE_WEBHOOK,
	STATE_SIGNING_KEY,
	STATE_DELIVERY,
	STATE_RECEIPT,
	STATE_POSITION,
	STATE_KIND_COUNT,
};

/* A tenant's public signing key. The private half is derived from the named master key and the
 * epoch, and never stored. */
struct signing_key {
	const char *tenant_id;
	const char *kid;           /* RFC 7638 thumbprint, base64url, 43 characters */
	uint8_t x[32];             /* the Ed25519 public key */
	const char *master_key_id; /* the master key it is derived from */
	int32_t epoch;             /* counts a tenant's keys from 1; the highest one signs */
	int64_t created_at_ms;     /* wall */
	int64_t expires_at_ms;     /* wall; when it leaves the JWKS; 0 while it signs */
};

/* The answer to an admin command, kept so that the command is answered once (R12). */
struct receipt {
	const char *tenant_id;
	const char *command_id;
	uint8_t fingerprint[16]; /* BLAKE2b over the operation and its fields, without timestamp,
				    requestId and clientId */
	enum analytic_subject subject;
	int32_t status;
	struct event_data data;
	int64_t created_at_ms;
	int64_t expires_at_ms;
};

enum { POSITION_INPUTS = 3 };

/* The position record, written last into each partition that a transaction touches (R8). */
struct position {
	struct uuid store_id;  /* made with the partition's first position, then constant */
	int64_t sequence;      /* of the partition's transactions, from 1 */
	int32_t generation;    /* of the consumer group; never decreases */
	const char *member_id; /* worker.id */
	int64_t admin_offset;  /* the next one to read of webhook-admin; -1: none read yet */
	int64_t
	    issuance_offset;  /* the next one to read of credential-issuance; -1: none read yet */
	int32_t record_count; /* of this transaction in this partition, the position record not
				 counted */
	int64_t timestamp_ms; /* wall: of the transaction, or of an earlier one that a clock which
				 was ahead put later: it never decreases (R10) */

	/* Edition 2. */
	int64_t event_offset; /* the next one to read of webhook-events; 0: none read yet */
	int64_t catalogue;    /* event_catalogue_hash of the worker; 0: it has no event.types */
};

struct state_record {
	enum state_kind kind;
	union {
		struct webhook webhook;
		struct signing_key signing_key;
		struct delivery delivery;
		struct receipt receipt;
		struct position position;
	};
};

/* The parts of a key. Borrows `tenant_id` and `name` (kid or command id). */
struct state_key {
	enum state_kind kind;
	const char *tenant_id; /* WEBHOOK, SIGNING_KEY, RECEIPT */
	const char *name;      /* SIGNING_KEY: kid; RECEIPT: command id */
	struct uuid id;        /* WEBHOOK, DELIVERY */
};

/* An upsert, or a delete where `record` is NULL. Idempotent (R7). */
struct change {
	struct state_key key;
	const struct state_record *record;
};

struct state_key state_record_key(const struct state_record *record);
char *state_key_format(struct arena *arena, const struct state_key *key);

enum { STATE_KEY_E_REFUSED = 1 };
int state_key_parse(struct arena *arena, const char *text, size_t len,
		    struct state_key *out) _must_check_;

/*
 * What the changelog holds: keys, records, and changes to them. The replica is the fold of the
 * changelog, and so is every other reader.
 *
 *     webhook/<tenant>/<id>   key/<tenant>/<kid>   delivery/<id>   receipt/<tenant>/<commandId>
 * position
 *
 * In a key "%" and "/" inside a tenant or command id are percent-encoded, so that a key has one
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

/* A tenant's public signing key. The private half is derived from the master key named and the
 * epoch; it is never stored. */
struct signing_key {
	const char *tenant_id;
	const char *kid;           /* RFC 7638 thumbprint, base64url, 43 characters */
	uint8_t x[32];             /* the Ed25519 public key */
	const char *master_key_id; /* which master key it is derived from */
	int32_t epoch;             /* counts a tenant's keys from 1; the highest one signs */
	int64_t created_at_ms;     /* wall */
	int64_t expires_at_ms;     /* wall; leaves the JWKS then; 0 while it signs */
};

/* The answer that an admin command got, kept so that it is answered once (R12). */
struct receipt {
	const char *tenant_id;
	const char *command_id;
	uint8_t fingerprint[16]; /* BLAKE2b over operation and fields; not over timestamp,
				    requestId, clientId */
	enum analytic_subject subject;
	int32_t status;
	struct event_data data;
	int64_t created_at_ms;
	int64_t expires_at_ms;
};

enum { POSITION_INPUTS = 2 };

/* Written last for each partition that a transaction touches (R8). */
struct position {
	struct uuid store_id;    /* made with the partition's first position and never changed */
	int64_t sequence;        /* of the partition's transactions, from 1 */
	int32_t generation;      /* of the consumer group; never falls */
	const char *member_id;   /* worker.id */
	int64_t admin_offset;    /* next to be read of webhook-admin; -1: none read yet */
	int64_t issuance_offset; /* next to be read of credential-issuance; -1: none read yet */
	int32_t record_count;    /* of this transaction in this partition, without the position */
	int64_t timestamp_ms;    /* wall */
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

/* What a key names. `tenant_id` and `name` (kid or command id) borrow. */
struct state_key {
	enum state_kind kind;
	const char *tenant_id; /* WEBHOOK, SIGNING_KEY, RECEIPT */
	const char *name;      /* SIGNING_KEY: kid; RECEIPT: command id */
	struct uuid id;        /* WEBHOOK, DELIVERY */
};

/* An upsert, or with `record` NULL a delete. Applying one twice is applying it once (R7). */
struct change {
	struct state_key key;
	const struct state_record *record;
};

struct state_key state_record_key(const struct state_record *record);
char *state_key_format(struct arena *arena, const struct state_key *key);

enum { STATE_KEY_E_REFUSED = 1 };
int state_key_parse(struct arena *arena, const char *text, size_t len, struct state_key *out)
    __attribute__((warn_unused_result));

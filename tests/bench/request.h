/*
 * The floor's request: the bytes of a signed callback as the engine sends it, written by hand. Its
 * cost is the cost that every sender has.
 *
 * A SHA-256 of the body, and two Ed25519 signatures: RFC 9421 over the components that
 * signature/callback.h names, and Standard Webhooks over "id.timestamp.body". Nothing is shared
 * with worker/signature: an optimisation there does not move the floor.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { REQUEST_BODY_MAX = 64 * 1024, REQUEST_MAX = REQUEST_BODY_MAX + 4096 };

struct request_key {
	uint8_t secret[64];
	char x[48];   /* the public key, base64url */
	char kid[48]; /* its RFC 7638 thumbprint */
};

void request_key_init(struct request_key *key, const uint8_t seed[32]);

struct request {
	const struct request_key *key;
	const char *authority;
	const char *path;
	uint64_t number; /* from which the delivery's id is made */
	int64_t timestamp_s;
	size_t body_len; /* at least that of an empty body */
};

/* Writes it to `out`, which holds REQUEST_MAX bytes. Returns its length. */
size_t request_write(const struct request *request, char *out);

/* The body's length with which the request has that many bytes in all; the shortest where that is
 * too few. */
size_t request_body_len(const struct request *request, size_t bytes);

#include "request.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_LEN = 36, BASE64_SIZE = 96, TEXT_MAX = 2048 };

#define ID_HEAD "dd110000-0000-4000-8000-"
#define BODY_HEAD "{\"deliveryId\":\""
#define BODY_MIDDLE                                                                                \
	"\",\"deliveryTimestamp\":\"2026-01-31T12:00:00.000Z\",\"webhookId\":\"dd110000-0000-"     \
	"4000-8000-00000000ffff\","                                                                \
	"\"event\":{\"id\":\"dd110000-0000-4000-8000-00000000eeee\",\"type\":"                     \
	"\"OpenIdCredentialIssued\",\"payload\":\""
#define BODY_TAIL "\"}}"
enum {
	BODY_LEAST = sizeof(BODY_HEAD) - 1 + ID_LEN + sizeof(BODY_MIDDLE) - 1 + sizeof(BODY_TAIL) -
	1
};

/* Appends a literal, or a string. */
#define PUT(end, literal) mempcpy(end, literal, sizeof(literal) - 1)

void request_key_init(struct request_key *key, const uint8_t seed[32]) {
	uint8_t public_key[32], hash[32];
	char jwk[128];

	crypto_sign_ed25519_seed_keypair(public_key, key->secret, seed);
	sodium_bin2base64(key->x, sizeof(key->x), public_key, sizeof(public_key),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	snprintf(jwk, sizeof(jwk), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", key->x);
	crypto_hash_sha256(hash, (const uint8_t *)jwk, strlen(jwk));
	sodium_bin2base64(key->kid, sizeof(key->kid), hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static char *put_base64(char *end, const uint8_t *bytes, size_t len) {
	size_t size = sodium_base64_encoded_len(
	    len, sodium_base64_VARIANT_ORIGINAL); /* it fills with zeros what it may write to */

	sodium_bin2base64(end, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	return end + strlen(end);
}

static char *put_signature(char *end, const struct request_key *key, const char *text, size_t len) {
	uint8_t signature[crypto_sign_ed25519_BYTES];

	crypto_sign_ed25519_detached(signature, NULL, (const uint8_t *)text, len, key->secret);
	return put_base64(end, signature, sizeof(signature));
}

static void write_id(char id[ID_LEN + 1], uint64_t number) {
	char *end = PUT(id, ID_HEAD);

	for (int shift = 44; shift >= 0; shift -= 4)
		*end++ = "0123456789abcdef"[number >> shift & 15];
	*end = '\0';
}

static void write_body(char *body, size_t len, const char *id) {
	char *end = PUT(body, BODY_HEAD);

	end = mempcpy(end, id, ID_LEN);
	end = PUT(end, BODY_MIDDLE);
	memset(end, 'x', len - BODY_LEAST);
	PUT(end + len - BODY_LEAST, BODY_TAIL);
}

/* Source: Standard Webhooks specification, "Signature scheme". */
static char *put_standard_webhooks(char *end, const struct request *request, const char *id,
				   const char *timestamp, const char *body) {
	static char text[REQUEST_MAX];
	char *stop = stpcpy(stpcpy(stpcpy(text, id), "."), timestamp);

	*stop++ = '.';
	stop = mempcpy(stop, body, request->body_len);
	return put_signature(PUT(end, "v1a,"), request->key, text, (size_t)(stop - text));
}

static char *put_digest(char *end, const char *body, size_t len) {
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const uint8_t *)body, len);
	return stpcpy(put_base64(PUT(end, "sha-256=:"), hash, sizeof(hash)), ":");
}

static char *put_parameters(char *end, const struct request_key *key, const char *timestamp) {
	end = PUT(end, "(\"@method\" \"@authority\" \"@path\" \"content-digest\" \"content-type\" "
		       "\"webhook-id\" "
		       "\"webhook-timestamp\");created=");
	return stpcpy(stpcpy(stpcpy(stpcpy(end, timestamp), ";keyid=\""), key->kid), "\"");
}

/* Source: RFC 9421 section 2.5. `digest` and `parameters` are the values of their headers. */
static char *put_rfc9421(char *end, const struct request *request, const char *id,
			 const char *timestamp, const char *digest, const char *parameters) {
	char base[TEXT_MAX], *stop = PUT(base, "\"@method\": POST\n\"@authority\": ");

	stop = stpcpy(stpcpy(stpcpy(stop, request->authority), "\n\"@path\": "), request->path);
	stop = stpcpy(stpcpy(stop, "\n\"content-digest\": "), digest);
	stop = stpcpy(stpcpy(stop, "\n\"content-type\": application/json\n\"webhook-id\": "), id);
	stop = stpcpy(stpcpy(stop, "\n\"webhook-timestamp\": "), timestamp);
	stop = stpcpy(stpcpy(stop, "\n\"@signature-params\": "), parameters);
	return stpcpy(put_signature(PUT(end, "sig1=:"), request->key, base, (size_t)(stop - base)),
		      ":");
}

static char *put_head(char *end, const struct request *request, const char *id,
		      const char *timestamp, const char *body) {
	char digest[BASE64_SIZE], parameters[TEXT_MAX / 4];

	put_digest(digest, body, request->body_len);
	put_parameters(parameters, request->key, timestamp);
	end = stpcpy(stpcpy(PUT(end, "POST "), request->path), " HTTP/1.1\r\nHost: ");
	end = stpcpy(end, request->authority);
	end = PUT(end, "\r\nAccept: */*\r\ncontent-type: application/json\r\nuser-agent: "
		       "posthorn/bench\r\nwebhook-id: ");
	end = stpcpy(stpcpy(stpcpy(end, id), "\r\nwebhook-timestamp: "), timestamp);
	end = put_standard_webhooks(PUT(end, "\r\nwebhook-signature: "), request, id, timestamp,
				    body);
	end = stpcpy(PUT(end, "\r\ncontent-digest: "), digest);
	end = stpcpy(PUT(end, "\r\nsignature-input: sig1="), parameters);
	end = put_rfc9421(PUT(end, "\r\nsignature: "), request, id, timestamp, digest, parameters);
	end = PUT(end, "\r\nposthorn-event-type: OpenIdCredentialIssued\r\nposthorn-webhook-id: "
		       "0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11");
	return end + sprintf(end, "\r\nContent-Length: %zu\r\n\r\n", request->body_len);
}

size_t request_write(const struct request *request, char *out) {
	static char body[REQUEST_BODY_MAX];
	char id[ID_LEN + 1], timestamp[24], *end;

	if (request->body_len < BODY_LEAST || request->body_len > REQUEST_BODY_MAX)
		abort();
	write_id(id, request->number);
	snprintf(timestamp, sizeof(timestamp), "%lld", (long long)request->timestamp_s);
	write_body(body, request->body_len, id);
	end = put_head(out, request, id, timestamp, body);
	return (size_t)((char *)mempcpy(end, body, request->body_len) - out);
}

size_t request_body_len(const struct request *request, size_t bytes) {
	static char out[REQUEST_MAX];
	struct request tried = *request;
	size_t head_len;

	tried.body_len = 999; /* its length has three digits, as that of a body of usual size */
	head_len = request_write(&tried, out) - tried.body_len;
	return bytes > head_len + BODY_LEAST ? bytes - head_len : BODY_LEAST;
}

/*
 * The signed headers of one attempt of a callback: RFC 9421 HTTP Message Signatures with Ed25519
 * over an RFC 9530 Content-Digest, and the Standard Webhooks headers beside them.
 *
 * Covered components, in this order: "@method" "@authority" "@path" ["@query"] "content-digest"
 * "content-type" "webhook-id" "webhook-timestamp". Signature parameters: created, keyid; no alg
 * (some verifiers refuse it). Label sig1.
 */
#pragma once

#include "base/buffer.h"
#include "signature/sha256.h"
#include "signature/signer.h"

#include <stddef.h>
#include <stdint.h>

/* The signed parts of a callback. All text borrows; `authority`, `path` and `query` are those of
 * a normalised url (domain/url.h). */
struct callback {
	const char *authority;
	const char *path;
	const char *query; /* with its "?", or NULL */
	const char *content_type;
	const char *delivery_id; /* webhook-id */
	int64_t timestamp_s;     /* webhook-timestamp and created: unix seconds of the attempt */
	const void *body;
	size_t body_len;
	const uint8_t (*hmac_keys)[HMAC_KEY_LEN]; /* of its standard-webhooks-hmac signatures */
	size_t hmac_key_count;                    /* 0: none; at most CALLBACK_HMAC_KEYS_MAX */
};

enum { CALLBACK_HMAC_KEYS_MAX = 2 };

/* The maximum of the lines and of what is signed, well above a body, a url and the headers. */
enum { CALLBACK_LINES_MAX = 1024 * 1024 };

enum { CALLBACK_SIGN_RFC9421 = 1 << 0, CALLBACK_SIGN_STANDARD_WEBHOOKS = 1 << 1 };

/* Empties `lines` for the next callback. Keeps its memory, unless a large body made it grow beyond
 * 8 KiB. */
void callback_lines_clear(struct buffer *lines);

/*
 * Appends header lines "name: value", with CRLF between lines: webhook-id, webhook-timestamp,
 * [webhook-signature], content-digest, [signature-input, signature]. `formats`: CALLBACK_SIGN_
 * bits, which are those of config's signature_formats. webhook-signature has a v1a where the
 * formats have Standard Webhooks, and a v1 for each HMAC key, between blanks. The maximum of
 * `lines` is CALLBACK_LINES_MAX; aborts past it.
 */
void callback_sign(struct buffer *lines, const struct signer *signer, unsigned formats,
		   const struct callback *callback);

/* The parts of the signature, public for the vectors. Source: RFC 9530 section 2; RFC 9421
 * section 2.5. */
void content_digest_append(struct buffer *out, const void *body, size_t body_len);
void signature_parameters_append(struct buffer *out, const struct callback *callback,
				 const char *kid);
void signature_base_append(struct buffer *out, const struct callback *callback,
			   const char *content_digest, const char *parameters);

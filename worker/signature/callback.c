#include "signature/callback.h"

#include "base/invariant.h"

#include <sodium.h>
#include <stdio.h>

enum {
	TEXT_FIXED_MAX = 2048,   /* an upper bound of the parts of `storage` whose length does not
				    depend on the callback */
	STORAGE_KEEP_MAX = 8192, /* a storage larger than this, from a large body, is not kept */
	TIMESTAMP_SIZE = sizeof("-9223372036854775808"),
};

void callback_headers_init(struct callback_headers *headers) {
	*headers = (struct callback_headers){ .storage = BUFFER_INIT(CALLBACK_STORAGE_MAX) };
}

void callback_headers_destroy(struct callback_headers *headers) {
	buffer_destroy(&headers->storage);
	headers->count = 0;
}

void content_digest_append(struct buffer *out, const void *body, size_t body_len) {
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, body, body_len);
	buffer_append_string(out, "sha-256=:");
	buffer_append_base64(out, hash, sizeof(hash));
	buffer_append_char(out, ':');
}

static void append_timestamp(struct buffer *out, int64_t timestamp_s) {
	char text[TIMESTAMP_SIZE];
	int len = snprintf(text, sizeof(text), "%lld", (long long)timestamp_s);

	buffer_append(out, text, (size_t)len);
}

void signature_parameters_append(struct buffer *out, const struct callback *callback,
				 const char *kid) {
	buffer_append_string(out, "(\"@method\" \"@authority\" \"@path\" ");
	if (callback->query)
		buffer_append_string(out, "\"@query\" ");
	buffer_append_string(
	    out,
	    "\"content-digest\" \"content-type\" \"webhook-id\" \"webhook-timestamp\");created=");
	append_timestamp(out, callback->timestamp_s);
	buffer_append_string(out, ";keyid=\"");
	buffer_append_string(out, kid);
	buffer_append_char(out, '"');
}

static void append_component(struct buffer *out, const char *identifier, const char *value) {
	buffer_append_char(out, '"');
	buffer_append_string(out, identifier);
	buffer_append_string(out, "\": ");
	buffer_append_string(out, value);
	buffer_append_char(out, '\n');
}

void signature_base_append(struct buffer *out, const struct callback *callback,
			   const char *content_digest, const char *parameters) {
	append_component(out, "@method", "POST");
	append_component(out, "@authority", callback->authority);
	append_component(out, "@path", callback->path);
	if (callback->query)
		append_component(out, "@query", callback->query);
	append_component(out, "content-digest", content_digest);
	append_component(out, "content-type", callback->content_type);
	append_component(out, "webhook-id", callback->delivery_id);
	buffer_append_string(out, "\"webhook-timestamp\": ");
	append_timestamp(out, callback->timestamp_s);
	/* The last line has no line feed. Source: RFC 9421 section 2.5. */
	buffer_append_string(out, "\n\"@signature-params\": ");
	buffer_append_string(out, parameters);
}

/* Begins a header line behind the last one's NUL. Returns the place of its value; make_room
 * keeps the storage from moving. */
static const char *begin_line(struct callback_headers *headers, const char *name) {
	struct buffer *out = &headers->storage;

	headers->lines[headers->count++] = out->data + out->len;
	buffer_append_string(out, name);
	buffer_append_string(out, ": ");
	return out->data + out->len;
}

static void end_line(struct callback_headers *headers) {
	buffer_append_char(&headers->storage, '\0');
}

/* Signs the bytes from `start` on and removes them. */
static void sign_tail(struct buffer *out, size_t start, const struct signer *signer,
		      uint8_t signature[SIGNER_SIGNATURE_LEN]) {
	signer_sign(signer, out->data + start, out->len - start, signature);
	out->len = start;
}

/* Source: Standard Webhooks specification, "Signature scheme": asymmetric, id.timestamp.payload. */
static void add_standard_webhooks(struct callback_headers *headers, const struct signer *signer,
				  const struct callback *callback) {
	struct buffer *out = &headers->storage;
	uint8_t signature[SIGNER_SIGNATURE_LEN];
	size_t start = out->len;

	buffer_append_string(out, callback->delivery_id);
	buffer_append_char(out, '.');
	append_timestamp(out, callback->timestamp_s);
	buffer_append_char(out, '.');
	buffer_append(out, callback->body, callback->body_len);
	sign_tail(out, start, signer, signature);

	begin_line(headers, "webhook-signature");
	buffer_append_string(out, "v1a,");
	buffer_append_base64(out, signature, sizeof(signature));
	end_line(headers);
}

static void add_rfc9421(struct callback_headers *headers, const struct signer *signer,
			const struct callback *callback, const char *content_digest) {
	struct buffer *out = &headers->storage;
	uint8_t signature[SIGNER_SIGNATURE_LEN];
	const char *input = begin_line(headers, "signature-input");
	size_t start;

	buffer_append_string(out, "sig1=");
	signature_parameters_append(out, callback, signer_kid(signer));
	end_line(headers);

	start = out->len;
	signature_base_append(out, callback, content_digest, input + strlen("sig1="));
	sign_tail(out, start, signer, signature);

	begin_line(headers, "signature");
	buffer_append_string(out, "sig1=:");
	buffer_append_base64(out, signature, sizeof(signature));
	buffer_append_char(out, ':');
	end_line(headers);
}

/* Reserves all room at once, so that the lines, and the signed text behind them, do not move
 * while they are written. */
static void make_room(struct callback_headers *headers, const struct callback *callback) {
	size_t components = strlen(callback->authority) + strlen(callback->path) +
			    (callback->query ? strlen(callback->query) : 0) +
			    strlen(callback->content_type) + strlen(callback->delivery_id);
	size_t need = TEXT_FIXED_MAX + strlen(callback->delivery_id) +
		      MAX(components, strlen(callback->delivery_id) + callback->body_len);
	const char *room;

	headers->count = 0;
	if (headers->storage.capacity > STORAGE_KEEP_MAX)
		buffer_destroy(&headers->storage);
	buffer_clear(&headers->storage);
	room = buffer_reserve(&headers->storage, need);
	invariant_with(room, "the headers of a callback are bounded", "bytes=%zu", need);
}

void callback_sign(struct callback_headers *headers, const struct signer *signer, unsigned formats,
		   const struct callback *callback) {
	const char *content_digest;

	make_room(headers, callback);
	begin_line(headers, "webhook-id");
	buffer_append_string(&headers->storage, callback->delivery_id);
	end_line(headers);
	begin_line(headers, "webhook-timestamp");
	append_timestamp(&headers->storage, callback->timestamp_s);
	end_line(headers);
	if (formats & CALLBACK_SIGN_STANDARD_WEBHOOKS)
		add_standard_webhooks(headers, signer, callback);
	content_digest = begin_line(headers, "content-digest");
	content_digest_append(&headers->storage, callback->body, callback->body_len);
	end_line(headers);
	if (formats & CALLBACK_SIGN_RFC9421)
		add_rfc9421(headers, signer, callback, content_digest);
}

#include "signature/callback.h"

#include "base/invariant.h"

enum {
	TEXT_FIXED_MAX = 2048, /* an upper bound of the parts whose length does not depend on the
				  callback */
	LINES_KEEP_MAX = 8192, /* the memory of larger lines, from a large body, is not kept */
	TIMESTAMP_SIZE = sizeof("-9223372036854775808"),
	DIGEST_SIZE = sizeof("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
};

void content_digest_append(struct buffer *out, const void *body, size_t body_len) {
	uint8_t hash[SHA256_LEN];

	sha256(body, body_len, hash);
	buffer_append_string(out, "sha-256=:");
	buffer_append_base64(out, hash, sizeof(hash));
	buffer_append_char(out, ':');
}

/* A callback writes it five times: digit by digit, this takes a tenth of snprintf's time. */
static void append_timestamp(struct buffer *out, int64_t timestamp_s) {
	char text[TIMESTAMP_SIZE], *end = text + sizeof(text), *start = end;
	uint64_t left = timestamp_s < 0 ? -(uint64_t)timestamp_s : (uint64_t)timestamp_s;

	do
		*--start = (char)('0' + left % 10);
	while (left /= 10);
	if (timestamp_s < 0)
		*--start = '-';
	buffer_append(out, start, (size_t)(end - start));
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

static void begin_line(struct buffer *lines, const char *name) {
	if (lines->len)
		buffer_append(lines, "\r\n", 2);
	buffer_append_string(lines, name);
	buffer_append(lines, ": ", 2);
}

/* Signs the bytes from `start` on and removes them. */
static void sign_tail(struct buffer *lines, size_t start, const struct signer *signer,
		      uint8_t signature[SIGNER_SIGNATURE_LEN]) {
	signer_sign(signer, lines->data + start, lines->len - start, signature);
	lines->len = start;
}

struct standard_signatures {
	uint8_t ed25519[SIGNER_SIGNATURE_LEN];
	uint8_t hmac[CALLBACK_HMAC_KEYS_MAX][SHA256_LEN];
};

static void append_one(struct buffer *lines, const char *version, const uint8_t *signature,
		       size_t len) {
	if (lines->data[lines->len - 1] != ' ')
		buffer_append_char(lines, ' ');
	buffer_append_string(lines, version);
	buffer_append_base64(lines, signature, len);
}

/* Source: Standard Webhooks specification, "Signature scheme": id.timestamp.payload is signed, v1
 * symmetric, v1a asymmetric; blanks divide signatures. */
static void add_standard_webhooks(struct buffer *lines, const struct signer *signer, bool has_v1a,
				  const struct callback *callback) {
	struct standard_signatures signatures;
	size_t start = lines->len;

	buffer_append_string(lines, callback->delivery_id);
	buffer_append_char(lines, '.');
	append_timestamp(lines, callback->timestamp_s);
	buffer_append_char(lines, '.');
	buffer_append(lines, callback->body, callback->body_len);
	for (size_t i = 0; i < callback->hmac_key_count; i++)
		hmac_sha256(callback->hmac_keys[i], lines->data + start, lines->len - start,
			    signatures.hmac[i]);
	if (has_v1a)
		signer_sign(signer, lines->data + start, lines->len - start, signatures.ed25519);
	lines->len = start;

	begin_line(lines, "webhook-signature");
	if (has_v1a)
		append_one(lines, "v1a,", signatures.ed25519, sizeof(signatures.ed25519));
	for (size_t i = 0; i < callback->hmac_key_count; i++)
		append_one(lines, "v1,", signatures.hmac[i], sizeof(signatures.hmac[i]));
}

static void add_content_digest(struct buffer *lines, const struct callback *callback,
			       char digest[DIGEST_SIZE]) {
	size_t start;

	begin_line(lines, "content-digest");
	start = lines->len;
	content_digest_append(lines, callback->body, callback->body_len);
	memcpy(digest, lines->data + start, DIGEST_SIZE);
}

static void add_rfc9421(struct buffer *lines, const struct signer *signer,
			const struct callback *callback, const char *digest) {
	uint8_t signature[SIGNER_SIGNATURE_LEN];
	const char *parameters;
	size_t end;

	begin_line(lines, "signature-input");
	buffer_append_string(lines, "sig1=");
	parameters = lines->data + lines->len;
	signature_parameters_append(lines, callback, signer_kid(signer));

	/* The text that is signed comes behind the NUL of the parameters, which it contains. */
	end = lines->len;
	buffer_append_char(lines, '\0');
	signature_base_append(lines, callback, digest, parameters);
	sign_tail(lines, end + 1, signer, signature);
	lines->len = end;

	begin_line(lines, "signature");
	buffer_append_string(lines, "sig1=:");
	buffer_append_base64(lines, signature, sizeof(signature));
	buffer_append_char(lines, ':');
}

/* Reserves all room at once, so that the lines, and the signed text behind them, do not move
 * while they are written. */
static void make_room(struct buffer *lines, const struct callback *callback) {
	size_t components = strlen(callback->authority) + strlen(callback->path) +
			    (callback->query ? strlen(callback->query) : 0) +
			    strlen(callback->content_type) + strlen(callback->delivery_id);
	size_t need = TEXT_FIXED_MAX + strlen(callback->delivery_id) +
		      MAX(components, strlen(callback->delivery_id) + callback->body_len);
	const char *room = buffer_reserve(lines, need);

	invariant_with(room, "the headers of a callback are bounded", "bytes=%zu", need);
}

void callback_lines_clear(struct buffer *lines) {
	if (lines->capacity > LINES_KEEP_MAX)
		buffer_destroy(lines);
	buffer_clear(lines);
}

void callback_sign(struct buffer *lines, const struct signer *signer, unsigned formats,
		   const struct callback *callback) {
	char digest[DIGEST_SIZE];

	make_room(lines, callback);
	begin_line(lines, "webhook-id");
	buffer_append_string(lines, callback->delivery_id);
	begin_line(lines, "webhook-timestamp");
	append_timestamp(lines, callback->timestamp_s);
	if (formats & CALLBACK_SIGN_STANDARD_WEBHOOKS || callback->hmac_key_count > 0)
		add_standard_webhooks(lines, signer, formats & CALLBACK_SIGN_STANDARD_WEBHOOKS,
				      callback);
	add_content_digest(lines, callback, digest);
	if (formats & CALLBACK_SIGN_RFC9421)
		add_rfc9421(lines, signer, callback, digest);
}

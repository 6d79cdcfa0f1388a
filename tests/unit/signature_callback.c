#include "signature/callback.h"
#include "signature/jwk.h"
#include "signature/sha256.h"
#include "unit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

static const uint8_t seed[32] = { 1, 2, 3 };

static const struct callback plain = {
	.authority = "receiver.example",
	.path = "/hooks",
	.content_type = "application/json",
	.delivery_id = "0b6c9e0e-5f0c-8d5e-9a3b-1f2e3d4c5b6a",
	.timestamp_s = 1769860800,
	.body = "{}",
	.body_len = 2,
};

enum { BOTH = CALLBACK_SIGN_RFC9421 | CALLBACK_SIGN_STANDARD_WEBHOOKS };

/* Written by hand from RFC 9421 section 2.5 and RFC 9530 section 2. */
static void the_signature_base_is_as_the_rfc_says(void **state) {
	_cleanup_(buffer_destroy) struct buffer digest = BUFFER_INIT(256),
						parameters = BUFFER_INIT(1024),
						base = BUFFER_INIT(4096);
	struct callback callback = plain;

	(void)state;
	callback.query = "?a=1";
	content_digest_append(&digest, callback.body, callback.body_len);
	signature_parameters_append(&parameters, &callback, "key-1");
	signature_base_append(&base, &callback, digest.data, parameters.data);
	assert_string_equal(
	    base.data,
	    "\"@method\": POST\n"
	    "\"@authority\": receiver.example\n"
	    "\"@path\": /hooks\n"
	    "\"@query\": ?a=1\n"
	    "\"content-digest\": sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:\n"
	    "\"content-type\": application/json\n"
	    "\"webhook-id\": 0b6c9e0e-5f0c-8d5e-9a3b-1f2e3d4c5b6a\n"
	    "\"webhook-timestamp\": 1769860800\n"
	    "\"@signature-params\": (\"@method\" \"@authority\" \"@path\" \"@query\" "
	    "\"content-digest\" \"content-type\" "
	    "\"webhook-id\" \"webhook-timestamp\");created=1769860800;keyid=\"key-1\"");
}

static void a_callback_has_the_headers_of_its_formats(void **state) {
	static const struct {
		unsigned formats;
		const char *names;
	} rows[] = {
		{ BOTH, "webhook-id webhook-timestamp webhook-signature content-digest "
			"signature-input signature " },
		{ CALLBACK_SIGN_RFC9421, "webhook-id webhook-timestamp content-digest "
					 "signature-input signature " },
		{ CALLBACK_SIGN_STANDARD_WEBHOOKS,
		  "webhook-id webhook-timestamp webhook-signature content-digest " },
	};
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX),
							names = BUFFER_INIT(256);
		const char *line, *next;

		callback_sign(&lines, signer, rows[i].formats, &plain);
		for (line = lines.data; line; line = next ? next + 2 : NULL) {
			buffer_append(&names, line, strcspn(line, ":"));
			buffer_append_char(&names, ' ');
			next = strstr(line, "\r\n");
		}
		assert_string_equal(names.data, rows[i].names);
	}
}

/* A caller's lines before them stay. */
static void lines_are_appended(void **state) {
	static const char before[] = "user-agent: posthorn", after[] = "\r\nwebhook-id: ";
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX),
						alone = BUFFER_INIT(CALLBACK_LINES_MAX);

	(void)state;
	buffer_append_string(&lines, before);
	callback_sign(&lines, signer, BOTH, &plain);
	callback_sign(&alone, signer, BOTH, &plain);
	assert_memory_equal(lines.data, before, strlen(before));
	assert_memory_equal(lines.data + strlen(before), after, strlen(after));
	assert_string_equal(lines.data + strlen(before) + 2, alone.data);
	assert_int_equal(lines.len, strlen(lines.data));
}

static void a_timestamp_is_written_in_decimal(void **state) {
	static const int64_t rows[] = { 0, 9, 10, 1769860800, -1, INT64_MAX, INT64_MIN };
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	struct callback callback = plain;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
		char expected[64];

		callback.timestamp_s = rows[i];
		callback_sign(&lines, signer, BOTH, &callback);
		snprintf(expected, sizeof(expected), "\r\nwebhook-timestamp: %lld\r\n",
			 (long long)rows[i]);
		assert_non_null(strstr(lines.data, expected));
	}
}

/* Warm, a signing allocates nothing; and a large body's memory is not kept. */
static void memory_is_reused(void **state) {
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	_cleanup_(x_freep) char *large_body = x_calloc(1, 300 * 1024);
	struct callback large = plain;
	const char *data;

	(void)state;
	large.body = large_body;
	large.body_len = 300 * 1024;
	callback_sign(&lines, signer, BOTH, &plain);
	data = lines.data;
	callback_lines_clear(&lines);
	callback_sign(&lines, signer, BOTH, &plain);
	assert_ptr_equal(lines.data, data);
	callback_lines_clear(&lines);
	callback_sign(&lines, signer, BOTH, &large);
	assert_true(lines.capacity > 300 * 1024);
	callback_lines_clear(&lines);
	callback_sign(&lines, signer, BOTH, &plain);
	assert_true(lines.capacity < 8192);
}

/* The value of the line, up to the end of all lines. */
static const char *value_of(const struct buffer *lines, const char *name) {
	return strstr(lines->data, name) + strlen(name);
}

/* Every byte of the longest url and of the body is under the signature: long components must
 * neither be cut nor overflow. */
static void the_signature_of_a_long_url_verifies(void **state) {
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX),
						base = BUFFER_INIT(16384),
						digest = BUFFER_INIT(256),
						parameters = BUFFER_INIT(1024);
	char path[4096] = "/", query[4096] = "?";
	struct callback callback = plain;
	uint8_t signature[64];

	(void)state;
	memset(path + 1, 'p', sizeof(path) - 2);
	memset(query + 1, 'q', sizeof(query) - 2);
	callback.path = path;
	callback.query = query;
	callback_sign(&lines, signer, BOTH, &callback);
	content_digest_append(&digest, callback.body, callback.body_len);
	signature_parameters_append(&parameters, &callback, signer_kid(signer));
	signature_base_append(&base, &callback, digest.data, parameters.data);
	assert_int_equal(sodium_base642bin(signature, sizeof(signature),
					   value_of(&lines, "\r\nsignature: sig1=:"), 88, NULL,
					   NULL, NULL, sodium_base64_VARIANT_ORIGINAL),
			 0);
	assert_int_equal(crypto_sign_verify_detached(signature, (uint8_t *)base.data, base.len,
						     signer_public_key(signer)),
			 0);
	base.data[100] ^= 1;
	assert_int_not_equal(crypto_sign_verify_detached(signature, (uint8_t *)base.data, base.len,
							 signer_public_key(signer)),
			     0);
}

/* Two libraries agree, at each length about the edges of a block. */
static void sha256_is_that_of_libsodium(void **state) {
	uint8_t bytes[300], hash[SHA256_LEN], expected[crypto_hash_sha256_BYTES];

	(void)state;
	randombytes_buf(bytes, sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		sha256(bytes, len, hash);
		crypto_hash_sha256(expected, bytes, len);
		assert_memory_equal(hash, expected, SHA256_LEN);
	}
}

/* Source: RFC 8037 appendix A.2 and A.3. */
static void a_jwk_has_its_thumbprint(void **state) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(512);
	uint8_t x[32];
	char kid[44];

	(void)state;
	assert_int_equal(sodium_base642bin(x, 32, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", 43,
					   NULL, NULL, NULL,
					   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
			 0);
	jwk_thumbprint(x, kid);
	jwk_append(&out, x, kid);
	assert_string_equal(
	    out.data, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
		      "7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
		      "\"use\":\"sig\",\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\"}");
}

static void *share(void *signer) {
	uint8_t signature[SIGNER_SIGNATURE_LEN];

	for (int i = 0; i < 200; i++) {
		struct signer *mine = signer_ref(signer);

		if (i % 50 == 0)
			signer_sign(mine, "x", 1, signature);
		signer_unref(mine);
	}
	signer_unref(signer);
	return NULL;
}

static void threads_share_a_signer(void **state) {
	struct signer *signer = signer_from_seed(seed);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, share, signer_ref(signer)), 0);
	signer_unref(signer);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_base_is_as_the_rfc_says),
		cmocka_unit_test(a_callback_has_the_headers_of_its_formats),
		cmocka_unit_test(lines_are_appended),
		cmocka_unit_test(a_timestamp_is_written_in_decimal),
		cmocka_unit_test(memory_is_reused),
		cmocka_unit_test(the_signature_of_a_long_url_verifies),
		cmocka_unit_test(sha256_is_that_of_libsodium),
		cmocka_unit_test(a_jwk_has_its_thumbprint),
		cmocka_unit_test(threads_share_a_signer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

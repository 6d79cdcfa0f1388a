#include "signature/callback.h"
#include "signature/jwk.h"
#include "unit.h"

#include <pthread.h>
#include <sodium.h>

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
		size_t count;
		const char *names[6];
	} rows[] = {
		{ BOTH,
		  6,
		  { "webhook-id", "webhook-timestamp", "webhook-signature", "content-digest",
		    "signature-input", "signature" } },
		{ CALLBACK_SIGN_RFC9421,
		  5,
		  { "webhook-id", "webhook-timestamp", "content-digest", "signature-input",
		    "signature" } },
		{ CALLBACK_SIGN_STANDARD_WEBHOOKS,
		  4,
		  { "webhook-id", "webhook-timestamp", "webhook-signature", "content-digest" } },
	};
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(callback_headers_destroy) struct callback_headers headers;

	(void)state;
	callback_headers_init(&headers);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		callback_sign(&headers, signer, rows[i].formats, &plain);
		assert_int_equal(headers.count, rows[i].count);
		for (size_t j = 0; j < headers.count; j++) {
			size_t len = strlen(rows[i].names[j]);

			assert_memory_equal(headers.lines[j], rows[i].names[j], len);
			assert_memory_equal(headers.lines[j] + len, ": ", 2);
		}
	}
}

/* Warm, a signing allocates nothing; and a large body's storage is not kept. */
static void storage_is_reused(void **state) {
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(callback_headers_destroy) struct callback_headers headers;
	_cleanup_(x_freep) char *large_body = x_calloc(1, 300 * 1024);
	struct callback large = plain;
	const char *data;

	(void)state;
	large.body = large_body;
	large.body_len = 300 * 1024;
	callback_headers_init(&headers);
	callback_sign(&headers, signer, BOTH, &plain);
	data = headers.storage.data;
	callback_sign(&headers, signer, BOTH, &plain);
	assert_ptr_equal(headers.storage.data, data);
	callback_sign(&headers, signer, BOTH, &large);
	assert_int_equal(headers.count, 6);
	callback_sign(&headers, signer, BOTH, &plain);
	assert_true(headers.storage.capacity < 8192);
}

/* Every byte of the longest url and of the body is under the signature: long components must
 * neither be cut nor overflow. */
static void the_signature_of_a_long_url_verifies(void **state) {
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(callback_headers_destroy) struct callback_headers headers;
	_cleanup_(buffer_destroy) struct buffer base = BUFFER_INIT(16384);
	char path[4096] = "/", query[4096] = "?";
	struct callback callback = plain;
	uint8_t signature[64];

	(void)state;
	memset(path + 1, 'p', sizeof(path) - 2);
	memset(query + 1, 'q', sizeof(query) - 2);
	callback.path = path;
	callback.query = query;
	callback_headers_init(&headers);
	callback_sign(&headers, signer, BOTH, &callback);
	signature_base_append(&base, &callback, headers.lines[3] + strlen("content-digest: "),
			      headers.lines[4] + strlen("signature-input: sig1="));
	assert_int_equal(sodium_base642bin(signature, sizeof(signature),
					   headers.lines[5] + strlen("signature: sig1=:"), 88, NULL,
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
		cmocka_unit_test(storage_is_reused),
		cmocka_unit_test(the_signature_of_a_long_url_verifies),
		cmocka_unit_test(a_jwk_has_its_thumbprint),
		cmocka_unit_test(threads_share_a_signer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

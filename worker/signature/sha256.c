#include "signature/sha256.h"

#include "base/invariant.h"
#include "base/memory.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static const EVP_MD *algorithm;

/* Once: finding it takes longer than hashing a usual body. It lives as long as the process. */
static void find_algorithm(void) {
	algorithm = x_checked(EVP_MD_fetch(NULL, "SHA256", NULL));
}

static const EVP_MD *found_algorithm(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_algorithm);
	return algorithm;
}

void sha256(const void *bytes, size_t len, uint8_t out[SHA256_LEN]) {
	int r = EVP_Digest(bytes, len, out, NULL, found_algorithm(), NULL);

	invariant(r == 1, "OpenSSL hashes what is in memory");
}

void hmac_sha256(const uint8_t key[HMAC_KEY_LEN], const void *bytes, size_t len,
		 uint8_t out[SHA256_LEN]) {
	const unsigned char *written =
	    HMAC(found_algorithm(), key, HMAC_KEY_LEN, bytes, len, out, NULL);

	invariant(written, "OpenSSL authenticates what is in memory");
}

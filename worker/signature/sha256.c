#include "signature/sha256.h"

#include "base/invariant.h"
#include "base/memory.h"

#include <openssl/evp.h>
#include <pthread.h>

static const EVP_MD *algorithm;

/* Once: finding it takes longer than hashing a usual body. It lives as long as the process. */
static void find_algorithm(void) {
	algorithm = x_checked(EVP_MD_fetch(NULL, "SHA256", NULL));
}

void sha256(const void *bytes, size_t len, uint8_t out[SHA256_LEN]) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int r;

	pthread_once(&once, find_algorithm);
	r = EVP_Digest(bytes, len, out, NULL, algorithm, NULL);
	invariant(r == 1, "OpenSSL hashes what is in memory");
}

/*
 * A file of a master key: taken where it is 43 characters of base64url, canonical, and at most one
 * line feed behind them; refused with words otherwise. Equal bytes have an equal id.
 */
#include "fuzz.h"
#include "signature/master_key.h"

#include <sodium.h>

enum { TEXT_LEN = 43 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_key(const uint8_t *data, size_t size) {
	if (size != TEXT_LEN && !(size == TEXT_LEN + 1 && data[TEXT_LEN] == '\n'))
		return false;
	for (size_t i = 0; i < TEXT_LEN; i++)
		if (!data[i] || !strchr(alphabet, data[i]))
			return false;
	/* The last character stands for four bits: the other two are zero. */
	return (strchr(alphabet, data[TEXT_LEN - 1]) - alphabet) % 4 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(master_key_freep) struct master_key *key = NULL, *again = NULL;
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	const char *path = fuzz_file(data, size);
	int r = master_key_load(path, &key, &why);

	CHECK(r == 0 || r == MASTER_KEY_E_REFUSED);
	CHECK(!r == is_key(data, size));
	CHECK(!r == !why.len && !r == (key != NULL));
	/*
	 * No part of a possible secret is in the message. (A shorter text, or one with blanks,
	 * could be words of the reason.)
	 */
	CHECK(!r || size < TEXT_LEN || memchr(data, ' ', size) ||
	      !memmem(why.data, why.len, data, size));
	if (r)
		return 0;
	CHECK(!master_key_load(path, &again, &why));
	CHECK(strlen(master_key_id(key)) == 16 &&
	      !strcmp(master_key_id(key), master_key_id(again)));
	return 0;
}

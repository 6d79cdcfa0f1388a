#include "signature/master_key.h"

#include "base/base64url.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_LEN = 32, KEY_TEXT_LEN = 43, FILE_READ_MAX = 64, RULE_MAX = 512 };

/* Only bytes: sodium_malloc does not align for more. */
struct master_key {
	uint8_t bytes[KEY_LEN];
	char id[MASTER_KEY_ID_LEN + 1];
};

static void sodium_freep(void *p) {
	sodium_free(*(void **)p);
}

static void *secret_alloc(size_t size) {
	int r = sodium_init();

	invariant(r >= 0, "libsodium is ready");
	return x_checked(sodium_malloc(size));
}

static void compute_id(struct master_key *key) {
	static const uint8_t purpose[] = "posthorn master key id";
	uint8_t hash[crypto_generichash_BYTES];
	char text[KEY_TEXT_LEN + 1];

	crypto_generichash(hash, sizeof(hash), purpose, sizeof(purpose) - 1, key->bytes,
			   sizeof(key->bytes));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	memcpy(key->id, text, MASTER_KEY_ID_LEN);
	key->id[MASTER_KEY_ID_LEN] = '\0';
}

static int refuse_key_file(struct buffer *why, const char *path, const char *reason) {
	buffer_printf(why, "master key file %s %s", path, reason);
	return MASTER_KEY_E_REFUSED;
}

/* Handles an error of open(2): an operator's mistake is refused with words, any other is
 * returned. */
static int refuse_errno(struct buffer *why, const char *path, int error) {
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return refuse_key_file(why, path, "does not exist");
	case EACCES:
	case EPERM:
		return refuse_key_file(why, path, "cannot be opened: permission denied");
	case ELOOP:
		return refuse_key_file(
		    why, path, "is a symbolic link, or behind a chain of them without an end");
	case EEXIST:
		return refuse_key_file(why, path, "exists already and is left as it is");
	default:
		return -error;
	}
}

static int open_file(const char *path, int *fd, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(RULE_MAX);
	int r = secret_file_open(path, fd, &rule);

	return r == 0  ? 0
	       : r < 0 ? refuse_errno(why, path, -r)
		       : refuse_key_file(why, path, rule.data);
}

static int read_up_to(int fd, char *out, size_t max, size_t *len) {
	*len = 0;
	while (*len < max) {
		ssize_t n = read(fd, out + *len, max - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

static int parse_key(int fd, const char *path, struct master_key *key, struct buffer *why) {
	_cleanup_(sodium_freep) char *text = secret_alloc(FILE_READ_MAX);
	size_t len, key_len;
	int r;

	r = read_up_to(fd, text, FILE_READ_MAX, &len);
	if (r)
		return r;
	if (len == KEY_TEXT_LEN + 1 && text[KEY_TEXT_LEN] == '\n')
		len--;
	if (len != KEY_TEXT_LEN ||
	    base64url_decode(text, len, key->bytes, sizeof(key->bytes), &key_len) < 0 ||
	    key_len != KEY_LEN)
		return refuse_key_file(
		    why, path,
		    "does not hold a key: one line of 43 base64url characters is expected");
	return 0;
}

int master_key_load(const char *path, struct master_key **out, struct buffer *why) {
	_cleanup_(master_key_freep) struct master_key *key = NULL;
	_cleanup_(fd_closep) int fd = -1;
	int r = open_file(path, &fd, why);

	if (r)
		return r;
	key = secret_alloc(sizeof(*key));
	/* sodium_malloc locks as well, but does not report a failure. */
	if (sodium_mlock(key, sizeof(*key)) < 0)
		log_warn("the master key could not be locked in memory and may reach swap",
			 "error=%s", log_quote(strerror(errno)));
	r = parse_key(fd, path, key, why);
	if (r)
		return r;
	compute_id(key);
	*out = TAKE(key);
	return 0;
}

void master_key_free(struct master_key *key) {
	sodium_free(key); /* also wipes it */
}

const char *master_key_id(const struct master_key *key) {
	return key->id;
}

static int write_all(int fd, const char *bytes, size_t len) {
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_new_key(int fd) {
	_cleanup_(sodium_freep) uint8_t *bytes = secret_alloc(KEY_LEN);
	_cleanup_(sodium_freep) char *text = secret_alloc(KEY_TEXT_LEN + 1);
	int r;

	randombytes_buf(bytes, KEY_LEN);
	sodium_bin2base64(text, KEY_TEXT_LEN + 1, bytes, KEY_LEN,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	text[KEY_TEXT_LEN] = '\n';
	r = write_all(fd, text, KEY_TEXT_LEN + 1);
	if (r)
		return r;
	return fchmod(fd, 0600) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The file's name must survive a power cut as well as its bytes: sent signatures depend on this
 * key. */
static int sync_directory_of(const char *path) {
	_cleanup_(x_freep) char *copy = x_strdup(path);
	_cleanup_(fd_closep) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int master_key_generate(const char *path, struct buffer *why) {
	_cleanup_(fd_closep) int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return refuse_errno(why, path, errno);
	r = write_new_key(fd);
	if (!r)
		r = sync_directory_of(path);
	if (r)
		unlink(path);
	return r;
}

static void hash_text(crypto_generichash_state *state, const char *text) {
	uint32_t len = (uint32_t)strlen(text);
	uint8_t prefix[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
			      (uint8_t)(len >> 24) };

	crypto_generichash_update(state, prefix, sizeof(prefix));
	crypto_generichash_update(state, (const uint8_t *)text, len);
}

/* What a secret is derived for. */
struct derivation {
	const char *purpose, *tenant_id, *webhook_id; /* webhook_id NULL: it is not hashed */
	int32_t epoch;
};

static void derive(const struct master_key *key, const struct derivation *of,
		   uint8_t out[MASTER_KEY_SEED_LEN]) {
	uint32_t n = (uint32_t)of->epoch;
	uint8_t epoch_bytes[4] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
				   (uint8_t)(n >> 24) };
	crypto_generichash_state state;

	crypto_generichash_init(&state, key->bytes, sizeof(key->bytes), MASTER_KEY_SEED_LEN);
	hash_text(&state, of->purpose);
	hash_text(&state, key->id);
	hash_text(&state, of->tenant_id);
	if (of->webhook_id)
		hash_text(&state, of->webhook_id);
	crypto_generichash_update(&state, epoch_bytes, sizeof(epoch_bytes));
	crypto_generichash_final(&state, out, MASTER_KEY_SEED_LEN);
	sodium_memzero(&state, sizeof(state));
}

void master_key_derive_seed(const struct master_key *key, const char *tenant_id, int32_t epoch,
			    uint8_t seed[MASTER_KEY_SEED_LEN]) {
	derive(key, &(struct derivation){ "posthorn signing key", tenant_id, NULL, epoch }, seed);
}

void master_key_derive_webhook_secret(const struct master_key *key, const char *tenant_id,
				      const char *webhook_id, int32_t epoch,
				      uint8_t secret[MASTER_KEY_SEED_LEN]) {
	derive(key, &(struct derivation){ "posthorn webhook secret", tenant_id, webhook_id, epoch },
	       secret);
}

void master_key_derive_header_key(const struct master_key *key, const char *tenant_id,
				  uint8_t header_key[MASTER_KEY_SEED_LEN]) {
	derive(key, &(struct derivation){ "posthorn header key", tenant_id, NULL, 0 }, header_key);
}

#include "gateway/tls_files.h"

#include "base/fd.h"
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

enum { PEM_MAX = 1024 * 1024 };

void tls_files_init(struct tls_files *files, const char *certificate_file, const char *key_file) {
	*files = (struct tls_files){ .certificate_file = x_strdup(certificate_file),
				     .key_file = x_strdup(key_file) };
}

void tls_files_destroy(struct tls_files *files) {
	free(files->certificate_file);
	free(files->key_file);
}

void tls_fault_destroy(struct tls_fault *fault) {
	buffer_destroy(&fault->why);
}

/* --- Reading --- */

struct pair {
	struct buffer certificate; /* followed by its chain */
	struct buffer private_key;
};

/* Wipes the key. */
static void pair_destroy(struct pair *pair) {
	if (pair->private_key.data)
		sodium_memzero(pair->private_key.data, pair->private_key.capacity);
	buffer_destroy(&pair->certificate);
	buffer_destroy(&pair->private_key);
}

/* Reads into one allocation: a growing buffer would leave copies of the key behind. */
static int read_all(int fd, struct buffer *out) {
	struct stat stat;
	ssize_t len;

	if (fstat(fd, &stat) < 0)
		return -errno;
	*out = BUFFER_INIT(PEM_MAX);
	if (!S_ISREG(stat.st_mode) || !buffer_reserve(out, (size_t)stat.st_size))
		return -EFBIG;
	len = read(fd, out->data, (size_t)stat.st_size);
	if (len < 0)
		return -errno;
	out->len = (size_t)len;
	out->data[len] = '\0';
	return 0;
}

static int read_certificate(const char *file, struct buffer *out) {
	_cleanup_(fd_closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : read_all(fd, out);
}

static int read_private_key(const char *file, struct buffer *out, struct buffer *why) {
	_cleanup_(fd_closep) int fd = -1;
	int r = secret_file_open(file, &fd, why);

	return r == 0 ? read_all(fd, out) : r;
}

/* Each adds `why` to what is there. */
static int blame_certificate(const struct tls_files *files, const char *why,
			     struct tls_fault *fault) {
	fault->key = "gateway.tls.certificate.file";
	fault->file = files->certificate_file;
	buffer_append_string(&fault->why, why);
	return -EINVAL;
}

static int blame_key(const struct tls_files *files, const char *why, struct tls_fault *fault) {
	fault->key = "gateway.tls.key.file";
	fault->file = files->key_file;
	buffer_append_string(&fault->why, why);
	return -EINVAL;
}

static int read_pair(const struct tls_files *files, struct pair *pair, struct tls_fault *fault) {
	int r = read_certificate(files->certificate_file, &pair->certificate);

	if (r < 0)
		return blame_certificate(files, strerror(-r), fault);
	r = read_private_key(files->key_file, &pair->private_key, &fault->why);
	return r ? blame_key(files, r < 0 ? strerror(-r) : "", fault) : 0;
}

/* --- Versions --- */

static void take_versions(struct tls_files *files) {
	files->versions[0] = file_version_of(files->certificate_file);
	files->versions[1] = file_version_of(files->key_file);
}

bool tls_files_have_changed(const struct tls_files *files) {
	const struct file_version versions[] = { file_version_of(files->certificate_file),
						 file_version_of(files->key_file) };

	return !file_version_is_same(&versions[0], &files->versions[0]) ||
	       !file_version_is_same(&versions[1], &files->versions[1]);
}

int tls_files_show(struct tls_files *files, struct http_tls **tls, struct tls_fault *fault) {
	_cleanup_(pair_destroy) struct pair pair = { 0 };
	const char *why;
	int r;

	take_versions(files);
	r = read_pair(files, &pair, fault);
	if (r)
		return r;
	r = *tls ? http_tls_reload(*tls, pair.certificate.data, pair.private_key.data, &why)
		 : http_tls_new(pair.certificate.data, pair.private_key.data, tls, &why);
	if (!r)
		return 0;
	return r == HTTP_TLS_E_CERTIFICATE ? blame_certificate(files, why, fault)
					   : blame_key(files, why, fault);
}

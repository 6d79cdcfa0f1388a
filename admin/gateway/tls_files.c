#include "gateway/tls_files.h"

#include "base/fd.h"
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX = 1024 * 1024, WHY_MAX = 1024 };

void tls_files_destroy(struct tls_files *files) {
	if (files->private_key.data)
		sodium_memzero(files->private_key.data, files->private_key.capacity);
	buffer_destroy(&files->certificate);
	buffer_destroy(&files->private_key);
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
	_cleanup_(fd_closep) int fd = open(file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, out);
}

static int read_private_key(const char *file, struct buffer *out, struct buffer *why) {
	_cleanup_(fd_closep) int fd = -1;
	int r = secret_file_open(file, &fd, why);

	return r == 0 ? read_all(fd, out) : r;
}

static enum admin_status complain_file(const char *key, const char *file, const char *why) {
	terminal_complain("%s: %s %s", key, file, why);
	return ADMIN_USAGE;
}

enum admin_status tls_files_read(const char *certificate_file, const char *key_file,
				 struct tls_files *out) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	int r = read_certificate(certificate_file, &out->certificate);

	if (r < 0)
		return complain_file("gateway.tls.certificate.file", certificate_file,
				     strerror(-r));
	r = read_private_key(key_file, &out->private_key, &why);
	return r ? complain_file("gateway.tls.key.file", key_file, r < 0 ? strerror(-r) : why.data)
		 : ADMIN_OK;
}

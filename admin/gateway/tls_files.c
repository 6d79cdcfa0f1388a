#include "gateway/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX = 1024 * 1024 };

static void fd_close(int *fd) {
	if (*fd >= 0)
		close(*fd);
}

void tls_files_destroy(struct tls_files *files) {
	if (files->private_key.data)
		sodium_memzero(files->private_key.data, files->private_key.capacity);
	buffer_destroy(&files->certificate);
	buffer_destroy(&files->private_key);
}

/* In one piece, so that a key is not left behind where the buffer grew. */
static int read_file(const char *file, bool is_secret, struct buffer *out) {
	_cleanup_(fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	ssize_t len;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return -errno;
	if (is_secret && stat.st_mode & (S_IROTH | S_IWOTH))
		return -EPERM;
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

static enum admin_status complain_file(const char *key, const char *file, int r) {
	complain("%s %s: %s", key, file, r == -EPERM ? "unsafe file: others may read it (chmod o-rw)" : strerror(-r));
	return ADMIN_USAGE;
}

enum admin_status tls_files_read(const char *certificate_file, const char *key_file, struct tls_files *out) {
	int r = read_file(certificate_file, false, &out->certificate);

	if (r < 0)
		return complain_file("gateway.tls.certificate.file", certificate_file, r);
	r = read_file(key_file, true, &out->private_key);
	return r < 0 ? complain_file("gateway.tls.key.file", key_file, r) : ADMIN_OK;
}

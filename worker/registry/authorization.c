#include "registry/authorization.h"

#include "base/secret_file.h"

#include <errno.h>
#include <unistd.h>

enum { CREDENTIAL_MAX = 16 * 1024 };

static int refuse(struct buffer *why, const char *key, const char *path, const char *rule) {
	buffer_printf(why, "%s: %s %s", key, path, rule);
	return AUTHORIZATION_E_REFUSED;
}

/* Returns 0 or a negative errno. */
static int read_all(int fd, struct buffer *out) {
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buffer_append(out, chunk, (size_t)n);
	explicit_bzero(chunk, sizeof(chunk));
	return n < 0 ? -errno : out->overflowed ? -EFBIG : 0;
}

static int read_secret(const char *key, const char *path, struct buffer *out, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(1024);
	int fd, r = secret_file_open(path, &fd, &rule);

	if (r)
		return refuse(why, key, path, r < 0 ? strerror(-r) : rule.data);
	r = read_all(fd, out);
	close(fd);
	if (r)
		return refuse(why, key, path, strerror(-r));
	while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
	if (!out->len || memchr(out->data, '\0', out->len) || strpbrk(out->data, "\r\n"))
		return refuse(why, key, path, "must have one line");
	return 0;
}

static int append_basic(const char *path, struct buffer *out, struct buffer *why) {
	static const char key[] = "schema.registry.basic.auth.file";
	_cleanup_(buffer_destroy) struct buffer secret = BUFFER_INIT(CREDENTIAL_MAX);
	int r = read_secret(key, path, &secret, why);

	if (r == 0 && !strchr(secret.data, ':'))
		r = refuse(why, key, path, "must have user:password");
	if (r)
		return r;
	buffer_append_string(out, "Authorization: Basic ");
	buffer_append_base64(out, secret.data, secret.len);
	return 0;
}

static int append_bearer(const char *path, struct buffer *out, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer secret = BUFFER_INIT(CREDENTIAL_MAX);
	int r = read_secret("schema.registry.bearer.token.file", path, &secret, why);

	if (r)
		return r;
	buffer_append_string(out, "Authorization: Bearer ");
	buffer_append(out, secret.data, secret.len);
	return 0;
}

int authorization_append(const struct config *config, struct buffer *out, struct buffer *why) {
	if (config->schema_registry_basic_auth_file)
		return append_basic(config->schema_registry_basic_auth_file, out, why);
	if (config->schema_registry_bearer_token_file)
		return append_bearer(config->schema_registry_bearer_token_file, out, why);
	return 0;
}

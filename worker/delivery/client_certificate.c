#include "delivery/client_certificate.h"

#include "base/clock.h"
#include "base/config_file.h"
#include "base/secret_file.h"
#include "delivery/tls.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 256 * 1024, WHY_MAX = 1024, LOOK_INTERVAL_US = 1000 * 1000 };

void client_pair_unref(struct client_pair *pair) {
	if (!pair || atomic_fetch_sub_explicit(&pair->references, 1, memory_order_acq_rel) != 1)
		return;
	if (pair->key_text.data)
		explicit_bzero(pair->key_text.data, pair->key_text.capacity);
	buffer_destroy(&pair->key_text);
	buffer_destroy(&pair->certificate_text);
	free(pair);
}

/* Reading. */

/* Returns 0, or -EINVAL with the fault in `why`, to follow the file's name. */
static int read_certificate(const char *path, struct buffer *out, struct buffer *why) {
	struct stat stat;
	int r = config_file_read(path, &stat, out);

	if (r < 0)
		buffer_append_string(why, strerror(-r));
	else if (!out->len)
		buffer_append_string(why, "is empty");
	return why->len ? -EINVAL : 0;
}

static int read_key(const char *path, struct buffer *out, struct buffer *why) {
	int r = secret_file_read(path, out, why);

	if (r < 0)
		buffer_append_string(why, strerror(-r));
	return r ? -EINVAL : 0;
}

static struct curl_blob borrow(const struct buffer *text) {
	return (
	    struct curl_blob){ .data = text->data, .len = text->len, .flags = CURL_BLOB_NOCOPY };
}

/* Returns 0 with the pair, or -EINVAL with the faulty file in `file` and the fault in `why`. */
static int read_pair(const struct client_certificate *certificate, struct client_pair **out,
		     const char **file, struct buffer *why) {
	_cleanup_(client_pair_unrefp) struct client_pair *pair = x_calloc(1, sizeof(*pair));
	const char *fault = NULL;
	int r;

	pair->references = 1;
	pair->certificate_text = pair->key_text = BUFFER_INIT(FILE_BYTES_MAX);
	*file = certificate->certificate_file;
	if (read_certificate(certificate->certificate_file, &pair->certificate_text, why))
		return -EINVAL;
	*file = certificate->key_file;
	if (read_key(certificate->key_file, &pair->key_text, why))
		return -EINVAL;
	r = tls_judge_pair(pair->certificate_text.data, pair->key_text.data, &pair->expires_s,
			   &fault);
	if (r) {
		*file =
		    r == TLS_E_CERTIFICATE ? certificate->certificate_file : certificate->key_file;
		buffer_append_string(why, fault);
		return -EINVAL;
	}
	pair->certificate = borrow(&pair->certificate_text);
	pair->key = borrow(&pair->key_text);
	*out = TAKE(pair);
	return 0;
}

/* Whether a file is another one than before. */
static bool take_versions(struct client_certificate *certificate) {
	const struct file_version versions[] = { file_version_of(certificate->certificate_file),
						 file_version_of(certificate->key_file) };
	bool has_changed = !file_version_is_same(&versions[0], &certificate->versions[0]) ||
			   !file_version_is_same(&versions[1], &certificate->versions[1]);

	memcpy(certificate->versions, versions, sizeof(versions));
	return has_changed;
}

static void exchange(struct client_certificate *certificate, struct client_pair *pair) {
	struct client_pair *former;

	pthread_mutex_lock(&certificate->mutex);
	former = certificate->pair;
	certificate->pair = pair;
	atomic_store(&certificate->expires_s, pair->expires_s);
	pthread_mutex_unlock(&certificate->mutex);
	client_pair_unref(former);
}

int client_certificate_init(struct client_certificate *certificate, const struct config *config) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	struct client_pair *pair = NULL;
	const char *file;
	int r = 0;

	*certificate =
	    (struct client_certificate){ .certificate_file = config->endpoint_tls_certificate_file,
					 .key_file = config->endpoint_tls_key_file };
	pthread_mutex_init(&certificate->looking, NULL);
	pthread_mutex_init(&certificate->mutex, NULL);
	if (!certificate->certificate_file)
		return 0;
	take_versions(certificate);
	r = read_pair(certificate, &pair, &file, &why);
	if (r)
		log_error("the client certificate for endpoints cannot be used",
			  "key=endpoint.tls.%s.file file=%s error=%s",
			  file == certificate->key_file ? "key" : "certificate", log_quote(file),
			  log_quote(why.data));
	else
		exchange(certificate, pair);
	return r;
}

void client_certificate_destroy(struct client_certificate *certificate) {
	client_pair_unref(certificate->pair);
	pthread_mutex_destroy(&certificate->mutex);
	pthread_mutex_destroy(&certificate->looking);
}

/* Changes. */

static void look(struct client_certificate *certificate) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	struct client_pair *pair = NULL;
	const char *file;

	if (!take_versions(certificate))
		return;
	if (read_pair(certificate, &pair, &file, &why)) {
		log_warn("the changed client certificate cannot be used: the former one stays",
			 "file=%s error=%s", log_quote(file), log_quote(why.data));
		return;
	}
	exchange(certificate, pair);
	log_info("the client certificate has changed: new connections have the new one", "file=%s",
		 log_quote(certificate->certificate_file));
}

static void look_when_it_is_time(struct client_certificate *certificate) {
	int64_t now_us = clock_monotonic_us();

	if (now_us < atomic_load(&certificate->look_at_us) ||
	    pthread_mutex_trylock(&certificate->looking))
		return;
	atomic_store(&certificate->look_at_us, now_us + LOOK_INTERVAL_US);
	look(certificate);
	pthread_mutex_unlock(&certificate->looking);
}

struct client_pair *client_certificate_get(struct client_certificate *certificate) {
	struct client_pair *pair;

	if (!certificate->certificate_file)
		return NULL;
	look_when_it_is_time(certificate);
	pthread_mutex_lock(&certificate->mutex);
	pair = certificate->pair;
	atomic_fetch_add_explicit(&pair->references, 1, memory_order_relaxed);
	pthread_mutex_unlock(&certificate->mutex);
	return pair;
}

#include "registry/store.h"

#include "avro/fingerprint.h"
#include "avro/schema_judge.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, FOLDER_MODE = 0700 };

struct schema_store {
	char *path; /* owned; of the folder */
	bool has_failed;
};

static void complain(struct schema_store *store, const char *name, int error) {
	if (!store->has_failed)
		log_warn("schemas of the registry are not kept over a restart",
			 "folder=%s file=%s error=%s", log_quote(store->path), log_quote(name),
			 log_quote(strerror(error)));
	store->has_failed = true;
}

struct schema_store *schema_store_open(const char *data_dir, const char *url) {
	_cleanup_(schema_store_freep) struct schema_store *store = x_calloc(1, sizeof(*store));

	store->path =
	    x_asprintf("%s/schemas-%016" PRIx64, data_dir, fingerprint_of(url, strlen(url)));
	if (mkdir(store->path, FOLDER_MODE) < 0 && errno != EEXIST) {
		complain(store, "", errno);
		return NULL;
	}
	return TAKE(store);
}

void schema_store_free(struct schema_store *store) {
	if (!store)
		return;
	free(store->path);
	free(store);
}

/* Reading. */

/* Returns 0 or a negative errno. */
static int read_file(const struct schema_store *store, const char *name, struct buffer *out) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/%s", store->path, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char chunk[16 * 1024];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buffer_append(out, chunk, (size_t)n);
	close(fd);
	return n < 0 || out->overflowed ? -EIO : 0;
}

static bool parse_name(const char *name, uint32_t *id) {
	_cleanup_(x_freep) char *digits = x_strdup(name);
	char *dot = strchr(digits, '.');
	int64_t number;

	if (!dot || strcmp(dot, ".avsc") != 0)
		return false;
	*dot = '\0';
	if (number_parse(digits, 0, UINT32_MAX, &number) < 0)
		return false;
	*id = (uint32_t)number;
	return true;
}

static void take_file(struct schema_store *store, const char *name, schema_store_fn fn,
		      void *userdata) {
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(STORE_SCHEMA_MAX);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	uint32_t id;

	if (!parse_name(name, &id))
		return;
	if (read_file(store, name, &json) == 0 && json.len > 0 &&
	    !schema_judge(arena, json.data, json.len)) {
		fn(userdata, id, json.data, json.len);
	} else {
		_cleanup_(x_freep) char *path = x_asprintf("%s/%s", store->path, name);

		unlink(path);
	}
}

void schema_store_walk(struct schema_store *store, schema_store_fn fn, void *userdata) {
	DIR *folder = opendir(store->path);
	const struct dirent *entry;

	if (!folder) {
		complain(store, "", errno);
		return;
	}
	while ((entry = readdir(folder)))
		take_file(store, entry->d_name, fn, userdata);
	closedir(folder);
}

/* Writing: the name has the whole content or the former one, also after a power failure. */

static int write_whole(const char *path, const char *bytes, size_t len) {
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	ssize_t written;
	int r = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, bytes, len);
	if (written < 0)
		r = -errno;
	else if ((size_t)written < len)
		r = -ENOSPC;
	else if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static void write_file(struct schema_store *store, const char *name, const char *bytes,
		       size_t len) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/%s", store->path, name);
	_cleanup_(x_freep) char *new = x_asprintf("%s/.new", store->path);
	int r = write_whole(new, bytes, len);

	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0)
		complain(store, name, -r);
}

void schema_store_put(struct schema_store *store, uint32_t id, const char *json, size_t len) {
	_cleanup_(x_freep) char *name = x_asprintf("%" PRIu32 ".avsc", id);

	if (len <= STORE_SCHEMA_MAX)
		write_file(store, name, json, len);
}

/* The id of the results. */

bool schema_store_get_results(struct schema_store *store, const char *subject, uint64_t fingerprint,
			      uint32_t *id) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *begin = x_asprintf("%016" PRIx64 " %s ", fingerprint, subject);
	int64_t number;
	char *end;

	if (read_file(store, "results", &text) < 0 || !text.len ||
	    strncmp(text.data, begin, strlen(begin)) != 0)
		return false;
	end = strchr(text.data, '\n');
	if (!end)
		return false;
	*end = '\0';
	if (number_parse(text.data + strlen(begin), 0, INT32_MAX, &number) < 0)
		return false;
	*id = (uint32_t)number;
	return true;
}

void schema_store_put_results(struct schema_store *store, const char *subject, uint64_t fingerprint,
			      uint32_t id) {
	_cleanup_(x_freep) char *text =
	    x_asprintf("%016" PRIx64 " %s %" PRIu32 "\n", fingerprint, subject, id);

	write_file(store, "results", text, strlen(text));
}

#include "avro/schema_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

static int refuse_file(struct buffer *problems, const char *path, int error) {
	buffer_printf(problems, "%s: %s\n", path, strerror(error));
	return SCHEMA_FILES_E_REFUSED;
}

/* Reads a whole file of at most SCHEMA_FILE_MAX bytes. Returns 0 or a negative errno. */
static int read_file(const char *path, struct buffer *out) {
	FILE *file = fopen(path, "re");
	char chunk[16 * 1024];
	size_t len;
	int r;

	if (!file)
		return -errno;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, len);
	r = ferror(file) ? -EIO : out->overflowed ? -EFBIG : 0;
	fclose(file);
	return r;
}

static int take_file(const char *dir, const char *name, schema_files_fn fn, void *userdata,
		     struct buffer *problems) {
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(SCHEMA_FILE_MAX);
	_cleanup_(x_freep) char *path = x_asprintf("%s/%s", dir, name);
	int r = read_file(path, &json);

	if (r)
		return refuse_file(problems, path, -r);
	return fn(userdata, path, json.data ? json.data : "", json.len);
}

static int is_schema_file(const struct dirent *entry) {
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, ".avsc");
}

int schema_files_read(const char *dir, schema_files_fn fn, void *userdata,
		      struct buffer *problems) {
	struct dirent **entries;
	int count = scandir(dir, &entries, is_schema_file, alphasort), r = 0;

	if (count < 0)
		return refuse_file(problems, dir, errno);
	for (int i = 0; i < count; i++) {
		if (take_file(dir, entries[i]->d_name, fn, userdata, problems))
			r = SCHEMA_FILES_E_REFUSED;
		free(entries[i]);
	}
	free(entries);
	return r;
}

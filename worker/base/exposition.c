#include "base/exposition.h"

#include "base/log.h"

#include <inttypes.h>
#include <sys/statvfs.h>

void exposition_family(struct buffer *out, const char *name, const char *type, const char *help) {
	buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_single(struct buffer *out, const char *name, const char *type, const char *help,
		       int64_t value) {
	exposition_family(out, name, type, help);
	buffer_printf(out, "%s %" PRId64 "\n", name, value);
}

void exposition_histogram(struct buffer *out, const char *name, const char *help,
			  const struct exposition_histogram *histogram) {
	uint64_t total = 0;

	exposition_family(out, name, "histogram", help);
	for (size_t i = 0; i < histogram->bound_count; i++) {
		total += histogram->counts[i];
		buffer_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, histogram->bounds[i],
			      total);
	}
	total += histogram->counts[histogram->bound_count];
	buffer_printf(out,
		      "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
		      name, total, name, histogram->sum, name, total);
}

void exposition_log_lines(struct buffer *out) {
	exposition_single(out, "posthorn_log_lines_dropped_total", "counter",
			  "Log lines that were dropped because their reader was too slow.",
			  (int64_t)log_dropped());
}

static void append_disk(struct buffer *out, const char *name, const char *help,
			const struct statvfs *disk, fsblkcnt_t blocks) {
	exposition_family(out, name, "gauge", help);
	if (disk)
		buffer_printf(out, "%s %" PRIu64 "\n", name, (uint64_t)blocks * disk->f_frsize);
}

void exposition_disk(struct buffer *out, const char *folder) {
	struct statvfs found = { 0 };
	const struct statvfs *disk = statvfs(folder, &found) == 0 ? &found : NULL;

	append_disk(out, "posthorn_disk_free_bytes",
		    "Bytes that are free for this program where its data folder lies.", disk,
		    found.f_bavail);
	append_disk(out, "posthorn_disk_size_bytes",
		    "Bytes of the file system where its data folder lies.", disk, found.f_blocks);
}

void exposition_certificate(struct buffer *out, const char *help, int64_t expires_s) {
	static const char name[] = "posthorn_certificate_expiry_timestamp_seconds";

	exposition_family(out, name, "gauge", help);
	if (expires_s)
		buffer_printf(out, "%s %" PRId64 "\n", name, expires_s);
}

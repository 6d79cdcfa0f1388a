#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log_output.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>

enum { FIELDS_MAX = 4096, QUOTE_MAX = 512, QUOTE_RING = 8 };

static _Atomic(enum log_level) threshold = LOG_LEVEL_INFO;
static _Atomic(enum log_format) format = LOG_FORMAT_LOGFMT;

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;
static uint64_t untold; /* lines dropped since the last one that was written; guarded by `output` */
static atomic_uint_fast64_t dropped;

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	{ "debug", LOG_DEBUG }, { "info", LOG_INFO }, { "warn", LOG_WARNING }, { "error", LOG_ERR }
};

void log_configure(enum log_level new_level, enum log_format new_format) {
	atomic_store(&threshold, new_level);
	atomic_store(&format, new_format);
}

const char *log_quote(const char *value) {
	static _Thread_local char ring[QUOTE_RING][QUOTE_MAX * 2 + 3];
	static _Thread_local unsigned next;
	char *out = ring[next++ % QUOTE_RING], *p = out;
	size_t taken = 0;

	if (!value)
		value = "";
	*p++ = '"';
	for (; *value && taken < QUOTE_MAX; value++, taken++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			*p++ = '\\';
		*p++ = c < 0x20 ? ' ' : (char)c;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

/* Takes one `key=value` off `fields`; a quoted value ends at its closing quote. Returns the
 * rest. */
static const char *next_field(const char *fields, struct buffer *key, struct buffer *value) {
	const char *p = strchr(fields, '=');

	buffer_clear(key);
	buffer_clear(value);
	if (!p)
		return fields + strlen(fields);
	buffer_append(key, fields, (size_t)(p - fields));
	p++;
	if (*p == '"') {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			buffer_append_char(value, *p);
		}
		p += *p == '"';
	} else {
		for (; *p && *p != ' '; p++)
			buffer_append_char(value, *p);
	}
	while (*p == ' ')
		p++;
	return p;
}

static void append_json_fields(struct buffer *entry, const char *fields) {
	_cleanup_(buffer_destroy) struct buffer key = BUFFER_INIT(FIELDS_MAX),
						value = BUFFER_INIT(FIELDS_MAX);

	while (*fields) {
		fields = next_field(fields, &key, &value);
		if (!key.len)
			continue;
		buffer_append_char(entry, ',');
		buffer_append_json_string(entry, key.data);
		buffer_append_char(entry, ':');
		buffer_append_json_string(entry, value.len ? value.data : "");
	}
}

static void append_entry(struct buffer *entry, enum log_level level, const char *message,
			 const char *fields) {
	char time[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(clock_wall_ms(), time);
	if (log_output_is_journal())
		buffer_printf(entry, "<%d>", levels[level].priority);
	if (atomic_load(&format) == LOG_FORMAT_JSON) {
		buffer_printf(entry, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time,
			      levels[level].name);
		buffer_append_json_string(entry, message);
		append_json_fields(entry, fields);
		buffer_append_string(entry, "}\n");
	} else {
		buffer_printf(entry, "time=%s level=%s message=%s%s", time, levels[level].name,
			      log_quote(message), fields[0] ? " " : "");
		buffer_append_visible(entry, fields);
		buffer_append_char(entry, '\n');
	}
}

/* Writes one line with the number of dropped lines. Returns whether it was written. */
static bool tell_of_dropped(void) {
	_cleanup_(buffer_destroy) struct buffer entry = BUFFER_INIT(LOG_LINE_MAX);
	char fields[64];

	snprintf(fields, sizeof(fields), "lines=%llu", (unsigned long long)untold);
	append_entry(&entry, LOG_LEVEL_WARN, "log lines were dropped", fields);
	return log_output_write(entry.data, entry.len);
}

static void put_line(const struct buffer *entry) {
	pthread_mutex_lock(&output);
	if (untold && tell_of_dropped())
		untold = 0;
	if (untold || !log_output_write(entry->data, entry->len)) {
		untold++;
		atomic_fetch_add(&dropped, 1);
	}
	pthread_mutex_unlock(&output);
}

void log_write(enum log_level level, const char *message, const char *fields_format, ...) {
	_cleanup_(buffer_destroy) struct buffer entry = BUFFER_INIT(LOG_LINE_MAX);
	char fields[FIELDS_MAX];
	va_list args;

	if (level < atomic_load(&threshold))
		return;
	va_start(args, fields_format);
	vsnprintf(fields, sizeof(fields), fields_format, args);
	va_end(args);
	append_entry(&entry, level, message, fields);
	put_line(&entry);
}

uint64_t log_dropped(void) {
	return atomic_load(&dropped);
}

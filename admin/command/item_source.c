#include "command/item_source.h"

#include "avro/json_parse.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { READ_STEP = 64 * 1024 };

struct item_source {
	FILE *file; /* owned, also if it is stdin */
	char *line; /* owned: getline's, or the whole document */
	size_t line_capacity;
	int64_t total, done;
	uint64_t number;
	bool has_first; /* `line` holds the first line, which is not yet returned */
	size_t first_len;
	bool is_document;
	struct json_text document;
	size_t at; /* in the document */
	enum admin_status status;
};

static bool read_line(struct item_source *source, size_t *len) {
	ssize_t n = getline(&source->line, &source->line_capacity, source->file);

	if (n < 0) {
		if (ferror(source->file)) {
			terminal_complain("the input cannot be read: %s", strerror(errno));
			source->status = ADMIN_REFUSED;
		}
		return false;
	}
	source->done += n;
	source->number++;
	*len = (size_t)n;
	return true;
}

/* Source: RFC 8259 section 2. Excludes NUL, which strchr finds in every text. */
static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct json_text trimmed(const char *bytes, size_t len) {
	while (len && is_blank(bytes[len - 1]))
		len--;
	while (len && is_blank(*bytes)) {
		bytes++;
		len--;
	}
	return (struct json_text){ .bytes = bytes, .len = len };
}

static void read_rest(struct item_source *source, size_t len) {
	size_t n;

	do {
		if (source->line_capacity < len + READ_STEP) {
			source->line_capacity = 2 * (len + READ_STEP);
			source->line = x_realloc(source->line, source->line_capacity);
		}
		n = fread(source->line + len, 1, READ_STEP, source->file);
		len += n;
	} while (n);
	source->done = (int64_t)len;
	source->document = trimmed(source->line, len);
}

static enum admin_status check_document(const struct item_source *source) {
	json_error_t error;
	json_t *json = json_parse(source->document.bytes, source->document.len,
				  JSON_DECODE_INT_AS_REAL, &error);

	if (!json) {
		terminal_complain("line %d: not JSON: %s", error.line, error.text);
		return ADMIN_REFUSED;
	}
	json_decref(json);
	return ADMIN_OK;
}

/* Skips blank lines before the first item. */
static enum admin_status begin(struct item_source *source) {
	struct json_text first = { 0 };
	size_t len = 0;

	while (!first.len && read_line(source, &len))
		first = trimmed(source->line, len);
	if (!first.len)
		return source->status;
	source->is_document = first.bytes[0] == '[' || (first.len == 1 && first.bytes[0] == '{');
	if (source->is_document) {
		source->number = 0;
		read_rest(source, len);
		return check_document(source);
	}
	source->has_first = true;
	source->first_len = len;
	return ADMIN_OK;
}

enum admin_status item_source_open(const char *file, struct item_source **out) {
	_cleanup_(item_source_closep) struct item_source *source = x_calloc(1, sizeof(*source));
	struct stat stat;
	enum admin_status status;

	source->file = strcmp(file, "-") ? fopen(file, "re") : stdin;
	if (!source->file) {
		terminal_complain("%s: %s", file, strerror(errno));
		return ADMIN_USAGE;
	}
	if (!fstat(fileno(source->file), &stat) && S_ISREG(stat.st_mode))
		source->total = stat.st_size;
	status = begin(source);
	if (!status)
		*out = TAKE(source);
	return status;
}

void item_source_close(struct item_source *source) {
	if (source->file)
		fclose(source->file);
	free(source->line);
	free(source);
}

int64_t item_source_total(const struct item_source *source) {
	return source->total;
}

int64_t item_source_done(const struct item_source *source) {
	return source->is_document ? (int64_t)source->at : source->done;
}

static bool next_in_document(struct item_source *source, struct item *out) {
	if (source->document.bytes[0] == '[') {
		if (!json_text_next_element(&source->document, &source->at, &out->text))
			return false;
	} else {
		if (source->at)
			return false;
		source->at = source->document.len;
		out->text = source->document;
	}
	out->number = ++source->number;
	return true;
}

bool item_source_next(struct item_source *source, struct item *out) {
	size_t len = source->first_len;

	if (source->is_document)
		return next_in_document(source, out);
	while (source->has_first || read_line(source, &len)) {
		source->has_first = false;
		*out =
		    (struct item){ .text = trimmed(source->line, len), .number = source->number };
		if (out->text.len)
			return true;
	}
	return false;
}

enum admin_status item_source_status(const struct item_source *source) {
	return source->status;
}

const char *item_source_unit(const struct item_source *source) {
	return source->is_document ? "element" : "line";
}

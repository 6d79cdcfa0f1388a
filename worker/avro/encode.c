#include "avro/encode.h"

#include "avro/wire.h"
#include "base/invariant.h"
#include "base/uuid.h"

/* ["null", T]: null comes first in all of our unions. */
enum { BRANCH_NULL, BRANCH_VALUE };

static void write_text(struct buffer *out, const char *text) {
	wire_write_bytes(out, text, strlen(text));
}

static void write_text_or_null(struct buffer *out, const char *text) {
	wire_write_long(out, text ? BRANCH_VALUE : BRANCH_NULL);
	if (text)
		write_text(out, text);
}

static void write_long_or_null(struct buffer *out, int64_t value, bool is_null) {
	wire_write_long(out, is_null ? BRANCH_NULL : BRANCH_VALUE);
	if (!is_null)
		wire_write_long(out, value);
}

static void write_uuid(struct buffer *out, const struct uuid *uuid) {
	char text[UUID_TEXT_SIZE];

	uuid_format(uuid, text);
	wire_write_bytes(out, text, sizeof(text) - 1);
}

static void write_uuid_or_null(struct buffer *out, const struct uuid *uuid, bool is_null) {
	wire_write_long(out, is_null ? BRANCH_NULL : BRANCH_VALUE);
	if (!is_null)
		write_uuid(out, uuid);
}

/* An array is one block and an empty block at its end; an empty array is only the latter. */
static void open_array(struct buffer *out, size_t count) {
	if (count)
		wire_write_long(out, (int64_t)count);
}

static void close_array(struct buffer *out) {
	wire_write_long(out, 0);
}

static void write_texts(struct buffer *out, const char *const *texts, size_t count) {
	open_array(out, count);
	for (size_t i = 0; i < count; i++)
		write_text(out, texts[i]);
	close_array(out);
}

static void write_names(struct buffer *out, const struct field_names *names, const void *record,
			size_t count) {
	open_array(out, count);
	for (size_t i = 0; i < count; i++)
		write_text(out, names->get(record, i));
	close_array(out);
}

static void write_array(struct buffer *out, const struct field_array *array, const char *items,
			size_t count, int edition) {
	open_array(out, count);
	for (size_t i = 0; i < count; i++)
		encode_record(out, array->items, items + i * array->item_size, edition);
	close_array(out);
}

static void write_record_or_null(struct buffer *out, const struct record *record, const void *in,
				 int edition) {
	wire_write_long(out, in ? BRANCH_VALUE : BRANCH_NULL);
	if (in)
		encode_record(out, record, in, edition);
}

static void write_union(struct buffer *out, const struct field_union *branches, int selected,
			const void *in, int edition) {
	const struct branch *branch = field_union_branch(branches, selected);

	wire_write_long(out, branch - branches->branches);
	if (branch->record)
		encode_record(out, branch->record, branch->size ? *(const void *const *)in : in,
			      edition);
}

/* The value of a type at a pointer into the struct. */
#define AS(type, p) (*(type const *)(p))

static void write_field(struct buffer *out, const struct field *field, const char *in,
			int edition) {
	const void *value = in + field->offset, *second = in + field->second;

	switch (field->kind) {
	case FIELD_TEXT:
		return write_text(out, AS(char *, value));
	case FIELD_TEXT_OR_NULL:
		return write_text_or_null(out, AS(char *, value));
	case FIELD_TEXT_SIZED:
		return wire_write_bytes(out, AS(char *, value), AS(size_t, second));
	case FIELD_TEXTS:
		return write_texts(out, AS(const char *const *, value), AS(size_t, second));
	case FIELD_UUID:
		return write_uuid(out, value);
	case FIELD_UUID_FLAGGED:
		return write_uuid_or_null(out, value, !AS(bool, second));
	case FIELD_BOOLEAN:
		return wire_write_boolean(out, AS(bool, value));
	case FIELD_INT:
		return wire_write_long(out, AS(int32_t, value));
	case FIELD_INT_OR_NULL:
		return write_long_or_null(out, AS(int32_t, value), !AS(int32_t, value));
	case FIELD_INT_FLAGGED:
		return write_long_or_null(out, AS(int32_t, value), !AS(bool, second));
	case FIELD_LONG:
	case FIELD_TIME:
		return wire_write_long(out, AS(int64_t, value));
	case FIELD_LONG_OR_NULL:
		return write_long_or_null(out, AS(int64_t, value), AS(int64_t, value) == -1);
	case FIELD_TIME_OR_NULL:
		return write_long_or_null(out, AS(int64_t, value), !AS(int64_t, value));
	case FIELD_TIME_FLAGGED:
		return write_long_or_null(out, AS(int64_t, value), !AS(bool, second));
	case FIELD_FIXED:
		return buffer_append(out, value, field->second);
	case FIELD_BYTES:
		return wire_write_bytes(out, AS(void *, value), AS(size_t, second));
	case FIELD_VERSION:
		return wire_write_long(out, 1);
	case FIELD_NAME:
		return write_text(out, field->as_name->get(in));
	case FIELD_NAMES:
		return write_names(out, field->as_names, in, AS(size_t, second));
	case FIELD_ARRAY:
		return write_array(out, field->as_array, AS(void *, value), AS(size_t, second),
				   edition);
	case FIELD_RECORD_OR_NULL:
		return write_record_or_null(out, field->as_array->items, AS(void *, value),
					    edition);
	case FIELD_UNION:
		return write_union(out, field->as_union, AS(int, value), second, edition);
	}
	impossible("a field has a kind");
}

void encode_record(struct buffer *out, const struct record *record, const void *in, int edition) {
	for (size_t i = 0; i < record->field_count; i++)
		if (record->fields[i].edition <= edition)
			write_field(out, &record->fields[i], in, edition);
}

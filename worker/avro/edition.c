#include "avro/edition.h"

#include "base/memory.h"

#include <stdint.h>

/* The value of a type at a pointer into the struct. */
#define AS(type, p) (*(type const *)(p))

static const struct branch *selected(const struct field *field, const char *in) {
	return field_union_branch(field->as_union, AS(int, in + field->offset));
}

/* Inline: records of the pipeline are judged whenever they are written. */
static inline bool is_default(const struct field *field, const char *in) {
	const void *value = in + field->offset, *second = in + field->second;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_TEXT_OR_NULL:
	case FIELD_TEXT_SIZED:
	case FIELD_BYTES:
	case FIELD_RECORD_OR_NULL:
		return !AS(void *, value);
	case FIELD_TEXTS:
	case FIELD_NAMES:
	case FIELD_ARRAY:
		return !AS(size_t, second);
	case FIELD_BOOLEAN:
		return !AS(bool, value);
	case FIELD_INT:
	case FIELD_INT_OR_NULL:
		return !AS(int32_t, value);
	case FIELD_INT_FLAGGED:
	case FIELD_TIME_FLAGGED:
	case FIELD_UUID_FLAGGED:
		return !AS(bool, second);
	case FIELD_LONG:
	case FIELD_TIME:
	case FIELD_TIME_OR_NULL:
		return !AS(int64_t, value);
	case FIELD_LONG_OR_NULL:
		return AS(int64_t, value) == -1;
	case FIELD_UNION:
		return !selected(field, in)->record;
	case FIELD_UUID:
	case FIELD_FIXED:
	case FIELD_VERSION:
	case FIELD_NAME:
		break;
	}
	return false;
}

bool edition_is_default(const struct field *field, const void *record) {
	return is_default(field, record);
}

static int edition_of_array(const struct field *field, const char *in) {
	const struct field_array *array = field->as_array;
	const char *items = AS(void *, in + field->offset);
	size_t count = AS(size_t, in + field->second);
	int edition = EDITION_FIRST;

	for (size_t i = 0; i < count && edition < EDITION_NOW; i++)
		edition = MAX(edition, edition_of(array->items, items + i * array->item_size));
	return edition;
}

static int edition_of_union(const struct field *field, const char *in) {
	const struct branch *branch = selected(field, in);
	const void *value = in + field->second;

	if (!branch->record)
		return EDITION_FIRST;
	return edition_of(branch->record, branch->size ? AS(void *, value) : value);
}

int edition_of(const struct record *record, const void *in) {
	int edition = record->edition ? record->edition(in) : EDITION_FIRST;

	for (size_t i = 0; i < record->field_count && edition < EDITION_NOW; i++) {
		const struct field *field = &record->fields[i];

		if (field->edition)
			edition = is_default(field, in) ? edition : MAX(edition, field->edition);
		else if (field->kind == FIELD_UNION)
			edition = MAX(edition, edition_of_union(field, in));
		else if (field->kind == FIELD_ARRAY)
			edition = MAX(edition, edition_of_array(field, in));
	}
	return edition;
}

#include "avro/decode.h"

#include "avro/check.h"
#include "base/invariant.h"
#include "base/utf8.h"
#include "base/uuid.h"

struct decoder {
	struct wire wire;
	struct arena *arena;
	const struct record *record; /* the current record, for `why` */
	const struct field *field;
	const char *why;
};

static int read_record(struct decoder *decoder, const struct schema *schema,
		       const struct record *record, void *out);

static int refuse_field(struct decoder *decoder, const char *reason) {
	decoder->why = arena_printf(decoder->arena, "field %s.%s %s", decoder->record->name,
				    decoder->field->name, reason);
	return DECODE_E_REFUSED;
}

static int refuse_type(struct decoder *decoder, const struct schema *schema) {
	const char *type = schema_type_name(schema->type);

	return refuse_field(decoder,
			    schema->type == SCHEMA_NULL
				? "is null"
				: arena_printf(decoder->arena, "has the wrong type, %s", type));
}

/* Returns the schema of the next value; reads a union's branch here. */
static const struct schema *resolve(struct decoder *decoder, const struct schema *schema) {
	while (schema->type == SCHEMA_UNION) {
		int64_t index = wire_read_long(&decoder->wire);

		schema = schema->children[index].schema;
	}
	return schema;
}

/* Reads text from a string, or from bytes that hold text. Source: Avro 1.11, "Schema Resolution"
 * (bytes are promoted to string). */
static int read_text(struct decoder *decoder, const struct schema *schema, const char **text,
		     size_t *len) {
	if (schema->type != SCHEMA_STRING && schema->type != SCHEMA_BYTES)
		return refuse_type(decoder, schema);
	*text = wire_read_bytes(&decoder->wire, len);
	if (schema->type == SCHEMA_BYTES && *text && !utf8_is_text(*text, *len))
		return refuse_field(decoder, "is not UTF-8 without NUL");
	return 0;
}

static int copy_text(struct decoder *decoder, const struct schema *schema, const char **out,
		     size_t *len) {
	const char *text = NULL;

	if (read_text(decoder, schema, &text, len))
		return DECODE_E_REFUSED;
	/* An array may hold many empty strings of one byte each: they must not cost more here. */
	*out = *len ? arena_strndup(decoder->arena, text, *len) : "";
	return 0;
}

static int read_text_or_null(struct decoder *decoder, const struct schema *schema,
			     const char **out) {
	return schema->type == SCHEMA_NULL ? 0 : copy_text(decoder, schema, out, &(size_t){ 0 });
}

static int read_uuid(struct decoder *decoder, const struct schema *schema, struct uuid *out) {
	char copy[UUID_TEXT_SIZE] = { 0 };
	const char *text = NULL;
	size_t len = 0;

	if (read_text(decoder, schema, &text, &len))
		return DECODE_E_REFUSED;
	if (len == sizeof(copy) - 1)
		memcpy(copy, text, len);
	return uuid_parse(copy, out) ? refuse_field(decoder, "is not a UUID") : 0;
}

static int read_uuid_flagged(struct decoder *decoder, const struct schema *schema, struct uuid *out,
			     bool *flag) {
	if (schema->type == SCHEMA_NULL)
		return 0;
	*flag = true;
	return read_uuid(decoder, schema, out);
}

static int read_boolean(struct decoder *decoder, const struct schema *schema, bool *out) {
	if (schema->type != SCHEMA_BOOLEAN)
		return refuse_type(decoder, schema);
	*out = wire_read_boolean(&decoder->wire);
	return 0;
}

static int read_int(struct decoder *decoder, const struct schema *schema, int32_t *out) {
	if (schema->type != SCHEMA_INT)
		return refuse_type(decoder, schema);
	*out = wire_read_int(&decoder->wire);
	return 0;
}

static int read_long(struct decoder *decoder, const struct schema *schema, int64_t *out) {
	if (schema->type != SCHEMA_LONG && schema->type != SCHEMA_INT)
		return refuse_type(decoder, schema);
	*out = wire_read_long(&decoder->wire);
	return 0;
}

static int read_int_flagged(struct decoder *decoder, const struct schema *schema, int32_t *out,
			    bool *flag) {
	if (schema->type == SCHEMA_NULL)
		return 0;
	*flag = true;
	return read_int(decoder, schema, out);
}

static int read_time_flagged(struct decoder *decoder, const struct schema *schema, int64_t *out,
			     bool *flag) {
	if (schema->type == SCHEMA_NULL)
		return 0;
	*flag = true;
	return read_long(decoder, schema, out);
}

static int read_fixed(struct decoder *decoder, const struct schema *schema, void *out,
		      size_t size) {
	const void *bytes;
	size_t len = schema->size;

	if (schema->type == SCHEMA_FIXED)
		bytes = wire_read_raw(&decoder->wire, len);
	else if (schema->type == SCHEMA_BYTES)
		bytes = wire_read_bytes(&decoder->wire, &len);
	else
		return refuse_type(decoder, schema);
	if (!bytes || len != size)
		return refuse_field(decoder, "has the wrong length");
	memcpy(out, bytes, size);
	return 0;
}

static int read_bytes(struct decoder *decoder, const struct schema *schema, const void **out,
		      size_t *len) {
	const void *bytes;

	if (schema->type != SCHEMA_BYTES)
		return refuse_type(decoder, schema);
	bytes = wire_read_bytes(&decoder->wire, len);
	*out = bytes && *len ? arena_memdup(decoder->arena, bytes, *len) : "";
	return 0;
}

static int read_name(struct decoder *decoder, const struct schema *schema,
		     const struct field_name *name, void *record) {
	const char *text;

	if (copy_text(decoder, schema, &text, &(size_t){ 0 }))
		return DECODE_E_REFUSED;
	return name->set && name->set(record, text) ? refuse_field(decoder, "has an unknown value")
						    : 0;
}

/* Calls `element` for each element of an array, in all its blocks. */
typedef int (*element_fn)(struct decoder *decoder, const struct schema *schema, void *userdata);

static int read_elements(struct decoder *decoder, const struct schema *schema, element_fn element,
			 void *userdata) {
	int64_t size;
	size_t count;

	if (schema->type != SCHEMA_ARRAY)
		return refuse_type(decoder, schema);
	while ((count = wire_read_block(&decoder->wire, &size)) > 0)
		for (; count; count--)
			if (element(decoder, resolve(decoder, schema->children[0].schema),
				    userdata))
				return DECODE_E_REFUSED;
	return 0;
}

struct names_target {
	const struct field_names *names;
	void *record;
	size_t count;
};

static int read_names_element(struct decoder *decoder, const struct schema *schema,
			      void *userdata) {
	struct names_target *target = userdata;
	const char *text;

	if (copy_text(decoder, schema, &text, &(size_t){ 0 }))
		return DECODE_E_REFUSED;
	if (target->count++ == target->names->max)
		return refuse_field(decoder, "has too many elements");
	return target->names->add(target->record, text)
		   ? refuse_field(decoder, "has an unknown or repeated value")
		   : 0;
}

struct texts_target {
	const char **items;
	size_t count, capacity;
};

static int read_texts_element(struct decoder *decoder, const struct schema *schema,
			      void *userdata) {
	struct texts_target *target = userdata;

	target->items = arena_grow(decoder->arena, target->items, target->count, &target->capacity,
				   sizeof(*target->items));
	return copy_text(decoder, schema, &target->items[target->count++], &(size_t){ 0 });
}

struct records_target {
	const struct field_array *array;
	char *items;
	size_t count, capacity;
};

static int read_records_element(struct decoder *decoder, const struct schema *schema,
				void *userdata) {
	struct records_target *target = userdata;
	size_t size = target->array->item_size;

	if (target->array->max && target->count == target->array->max)
		return refuse_field(decoder, "has too many elements");
	target->items =
	    arena_grow(decoder->arena, target->items, target->count, &target->capacity, size);
	return read_record(decoder, schema, target->array->items,
			   memset(target->items + size * target->count++, 0, size));
}

static int read_names(struct decoder *decoder, const struct schema *schema,
		      const struct field_names *names, void *record) {
	return read_elements(decoder, schema, read_names_element,
			     &(struct names_target){ names, record, 0 });
}

static int read_texts(struct decoder *decoder, const struct schema *schema, const char ***out,
		      size_t *count) {
	struct texts_target target = { 0 };

	if (read_elements(decoder, schema, read_texts_element, &target))
		return DECODE_E_REFUSED;
	*out = target.items;
	*count = target.count;
	return 0;
}

static int read_array(struct decoder *decoder, const struct schema *schema,
		      const struct field_array *array, void **out, size_t *count) {
	struct records_target target = { .array = array };

	if (read_elements(decoder, schema, read_records_element, &target))
		return DECODE_E_REFUSED;
	*out = target.items;
	*count = target.count;
	return 0;
}

static int read_record_or_null(struct decoder *decoder, const struct schema *schema,
			       const struct field_array *item, void **out) {
	if (schema->type == SCHEMA_NULL)
		return 0;
	*out = arena_zalloc(decoder->arena, item->item_size);
	return read_record(decoder, schema, item->items, *out);
}

static bool is_branch(const struct branch *branch, const struct schema *schema) {
	if (!branch->record)
		return schema->type == SCHEMA_NULL;
	return schema->type == SCHEMA_RECORD && !strcmp(branch->record->name, schema->name);
}

/* Selects the branch by the unqualified name of its record. Source: Avro 1.11, "Schema
 * Resolution". */
static int read_union(struct decoder *decoder, const struct schema *schema,
		      const struct field_union *branches, int *selected, void *out) {
	for (size_t i = 0; i < branches->count; i++) {
		const struct branch *branch = &branches->branches[i];

		if (!is_branch(branch, schema))
			continue;
		if (!branch->record)
			return 0;
		if (!branches->branches[0].record && *selected)
			return refuse_field(decoder, "stands beside data of another kind");
		*selected = branches->first + (int)i;
		if (branch->size)
			out = *(void **)out = arena_zalloc(decoder->arena, branch->size);
		return read_record(decoder, schema, branch->record, out);
	}
	if (schema->type != SCHEMA_RECORD)
		return refuse_type(decoder, schema);
	return refuse_field(decoder,
			    arena_printf(decoder->arena, "is an unknown record, %s", schema->name));
}

static int read_field(struct decoder *decoder, const struct schema *schema,
		      const struct field *field, char *out) {
	void *value = out + field->offset, *second = out + field->second;

	schema = resolve(decoder, schema);
	switch (field->kind) {
	case FIELD_TEXT:
		return copy_text(decoder, schema, value, &(size_t){ 0 });
	case FIELD_TEXT_OR_NULL:
		return read_text_or_null(decoder, schema, value);
	case FIELD_TEXT_SIZED:
		return copy_text(decoder, schema, value, second);
	case FIELD_TEXTS:
		return read_texts(decoder, schema, value, second);
	case FIELD_UUID:
		return read_uuid(decoder, schema, value);
	case FIELD_UUID_FLAGGED:
		return read_uuid_flagged(decoder, schema, value, second);
	case FIELD_BOOLEAN:
		return read_boolean(decoder, schema, value);
	case FIELD_INT:
		return read_int(decoder, schema, value);
	case FIELD_INT_OR_NULL:
		return schema->type == SCHEMA_NULL ? 0 : read_int(decoder, schema, value);
	case FIELD_INT_FLAGGED:
		return read_int_flagged(decoder, schema, value, second);
	case FIELD_LONG:
	case FIELD_TIME:
		return read_long(decoder, schema, value);
	case FIELD_LONG_OR_NULL:
	case FIELD_TIME_OR_NULL:
		return schema->type == SCHEMA_NULL ? 0 : read_long(decoder, schema, value);
	case FIELD_TIME_FLAGGED:
		return read_time_flagged(decoder, schema, value, second);
	case FIELD_FIXED:
		return read_fixed(decoder, schema, value, field->second);
	case FIELD_BYTES:
		return read_bytes(decoder, schema, value, second);
	case FIELD_VERSION:
		return read_int(decoder, schema, &(int32_t){ 0 });
	case FIELD_NAME:
		return read_name(decoder, schema, field->as_name, out);
	case FIELD_NAMES:
		return read_names(decoder, schema, field->as_names, out);
	case FIELD_ARRAY:
		return read_array(decoder, schema, field->as_array, value, second);
	case FIELD_RECORD_OR_NULL:
		return read_record_or_null(decoder, schema, field->as_array, value);
	case FIELD_UNION:
		return read_union(decoder, schema, field->as_union, value, second);
	}
	impossible("a field has a kind");
}

/* Tries the field behind the last one first: most writers have our own order. */
static const struct field *find_field(const struct record *record, const char *name, size_t *next) {
	for (size_t i = 0; i < record->field_count; i++) {
		size_t at = (*next + i) % record->field_count;

		if (!strcmp(record->fields[at].name, name)) {
			*next = at + 1;
			return &record->fields[at];
		}
	}
	return NULL;
}

void decode_set_defaults(const struct record *record, void *out) {
	for (size_t i = 0; i < record->field_count; i++)
		if (record->fields[i].kind == FIELD_LONG_OR_NULL)
			*(int64_t *)(void *)((char *)out + record->fields[i].offset) = -1;
}

/* Checks that every field without a default was there. */
static int refuse_missing(struct decoder *decoder, const struct record *record, uint64_t seen) {
	decoder->record = record;
	for (size_t i = 0; i < record->field_count; i++) {
		decoder->field = &record->fields[i];
		if (!decoder->field->optional && !(seen & UINT64_C(1) << i))
			return refuse_field(decoder, "is missing");
	}
	return 0;
}

static int read_record(struct decoder *decoder, const struct schema *schema,
		       const struct record *record, void *out) {
	uint64_t seen = 0;
	size_t next = 0;

	if (schema->type != SCHEMA_RECORD)
		return refuse_type(decoder, schema);
	decode_set_defaults(record, out);
	for (size_t i = 0; i < schema->child_count; i++) {
		const struct schema_child *child = &schema->children[i];
		const struct field *field = find_field(record, child->name, &next);

		if (!field) {
			check_skip(&decoder->wire, child->schema);
			continue;
		}
		seen |= UINT64_C(1) << (field - record->fields);
		decoder->record = record;
		decoder->field = field;
		if (read_field(decoder, child->schema, field, out))
			return DECODE_E_REFUSED;
	}
	if (refuse_missing(decoder, record, seen))
		return DECODE_E_REFUSED;
	if (record->complete)
		record->complete(out);
	return 0;
}

int decode_record(struct arena *arena, const struct schema *schema, const struct record *record,
		  const void *bytes, size_t len, void *out, const char **why) {
	struct decoder decoder = {
		.wire = { .at = bytes, .end = (const uint8_t *)bytes + len },
		.arena = arena,
	};

	if (schema->type != SCHEMA_RECORD) {
		*why = "its schema is not a record";
		return DECODE_E_REFUSED;
	}
	if (read_record(&decoder, schema, record, out)) {
		*why = decoder.why;
		return DECODE_E_REFUSED;
	}
	/* Checked bytes never get here. If the two walks ever differ, half a record must still
	 * not pass for a whole one. */
	if (decoder.wire.error) {
		*why = decoder.wire.error;
		return DECODE_E_REFUSED;
	}
	return 0;
}

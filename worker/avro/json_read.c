#include "avro/json_read.h"

#include "avro/decode.h"
#include "avro/json.h"
#include "avro/json_values.h"
#include "base/invariant.h"
#include "base/utf8.h"

struct reader {
	struct json_values values;
	enum json_unknown unknown;
	const char *error; /* static text: the text is not JSON */
	const char *error_at;
};

static void read_record(struct reader *reader, const struct record *record, struct json_text text,
			bool has_type, void *out);

static void read_name(struct reader *reader, const struct field *field, struct json_text text,
		      void *record) {
	size_t len;
	const char *string = json_read_string(reader->values.arena, text, &len);

	if (!string || (field->as_name->set && field->as_name->set(record, string)))
		json_values_fault(&reader->values, field->name, text, "Is not known");
}

/* --- Arrays --- */

static void note_end(struct reader *reader, const struct json_walk *walk) {
	if (walk->error && !reader->error) {
		reader->error = walk->error;
		reader->error_at = walk->error_at;
	}
}

/* Calls `element` for each element of the array. */
typedef void (*element_fn)(struct reader *reader, const struct field *field, struct json_text text,
			   void *userdata);

static void read_elements(struct reader *reader, const struct field *field, struct json_text text,
			  element_fn element, void *userdata) {
	struct json_text value;
	struct json_walk walk;

	if (*text.bytes != '[') {
		json_values_fault(&reader->values, field->name, text, "Must be an array");
		return;
	}
	walk = json_walk_begin(text);
	while (json_walk_element(&walk, &value))
		element(reader, field, value, userdata);
	note_end(reader, &walk);
}

struct texts_target {
	const char **items;
	size_t count, capacity;
};

/* A wrong element stays in its place, as NULL. */
static void read_texts_element(struct reader *reader, const struct field *field,
			       struct json_text text, void *userdata) {
	struct texts_target *target = userdata;
	size_t at = target->count++, len;

	target->items = arena_grow(reader->values.arena, target->items, at, &target->capacity,
				   sizeof(*target->items));
	target->items[at] = json_read_string(reader->values.arena, text, &len);
	if (!target->items[at])
		json_values_fault(&reader->values,
				  arena_printf(reader->values.arena, "%s[%zu]", field->name, at),
				  text, "Must be a string, without NUL");
}

static void read_names_element(struct reader *reader, const struct field *field,
			       struct json_text text, void *userdata) {
	size_t len;
	const char *string = json_read_string(reader->values.arena, text, &len);

	/* A name is added once, so that there is room for all of them. */
	if (!string || field->as_names->add(userdata, string))
		json_values_fault(&reader->values, field->name, text, "Is not known, or repeated");
}

struct records_target {
	char *items;
	size_t count, capacity;
};

/* Reads a record within another: details name its members with `name` before them. */
static void read_inner(struct reader *reader, const char *name, const struct field *field,
		       struct json_text text, void *out) {
	const char *outer = reader->values.prefix;

	reader->values.prefix =
	    arena_printf(reader->values.arena, "%s%s.", outer ? outer : "", name);
	read_record(reader, field->as_array->items, text, false, out);
	reader->values.prefix = outer;
}

static void read_records_element(struct reader *reader, const struct field *field,
				 struct json_text text, void *userdata) {
	struct records_target *target = userdata;
	size_t size = field->as_array->item_size, at = target->count;
	struct arena *arena = reader->values.arena;

	if (*text.bytes != '{') {
		json_values_fault(&reader->values, field->name, text,
				  "Must be an array of objects");
		return;
	}
	target->items = arena_grow(arena, target->items, at, &target->capacity, size);
	target->count++;
	read_inner(reader, arena_printf(arena, "%s[%zu]", field->name, at), field, text,
		   memset(target->items + size * at, 0, size));
}

static void read_texts(struct reader *reader, const struct field *field, struct json_text text,
		       const char ***out, size_t *count) {
	struct texts_target target = { 0 };

	read_elements(reader, field, text, read_texts_element, &target);
	*out = target.items;
	*count = target.count;
}

static void read_array(struct reader *reader, const struct field *field, struct json_text text,
		       void **out, size_t *count) {
	struct records_target target = { 0 };

	read_elements(reader, field, text, read_records_element, &target);
	*out = target.items;
	*count = target.count;
}

/* --- Unions --- */

static bool is_type(struct json_text name) {
	return json_text_equals(name, "\"type\"");
}

/* The text of the member `type`, or none. */
static struct json_text find_type(struct json_text object) {
	struct json_walk walk = json_walk_begin(object);
	struct json_text name, value;

	while (json_walk_member(&walk, &name, &value))
		if (is_type(name))
			return value;
	return (struct json_text){ 0 };
}

static const char *list_types(struct reader *reader, const struct field_union *branches) {
	const char *list = "Must be one of";

	for (size_t i = 0; i < branches->count; i++)
		if (branches->branches[i].record)
			list = arena_printf(reader->values.arena, "%s %s", list,
					    branches->branches[i].record->name);
	return list;
}

static const struct branch *find_branch(const struct field_union *branches, struct json_text type) {
	struct json_text bare;

	if (!json_text_is_string(type))
		return NULL;
	bare = (struct json_text){ type.bytes + 1, type.len - 2 };
	for (size_t i = 0; i < branches->count; i++)
		if (branches->branches[i].record &&
		    json_text_equals(bare, branches->branches[i].record->name))
			return &branches->branches[i];
	return NULL;
}

static void read_union(struct reader *reader, const struct field *field, struct json_text text,
		       int *selected, void *out) {
	const struct field_union *branches = field->as_union;
	const struct branch *branch;
	struct json_text type;

	if (!branches->branches[0].record && *selected) {
		json_values_fault(&reader->values, field->name, text,
				  "Must not stand beside data of another kind");
		return;
	}
	*selected = branches->first + (int)branches->count;
	if (*text.bytes != '{') {
		json_values_fault(&reader->values, field->name, text,
				  "Must be an object with a type");
		return;
	}
	type = find_type(text);
	branch = find_branch(branches, type);
	if (!branch) {
		json_values_fault(&reader->values,
				  arena_printf(reader->values.arena, "%s.type", field->name),
				  type.bytes ? type : text, list_types(reader, branches));
		return;
	}
	*selected = branches->first + (int)(branch - branches->branches);
	if (branch->size)
		out = *(void **)out = arena_zalloc(reader->values.arena, branch->size);
	read_record(reader, branch->record, text, true, out);
}

/* --- Records --- */

static void read_record_or_null(struct reader *reader, const struct field *field,
				struct json_text text, void **out) {
	if (*text.bytes != '{') {
		json_values_fault(&reader->values, field->name, text, "Must be an object");
		return;
	}
	*out = arena_zalloc(reader->values.arena, field->as_array->item_size);
	read_inner(reader, field->name, field, text, *out);
}

static void read_field(struct reader *reader, const struct field *field, struct json_text text,
		       char *out) {
	void *value = out + field->offset, *second = out + field->second;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_TEXT_OR_NULL:
		return json_read_text(&reader->values, field->name, text, value, &(size_t){ 0 });
	case FIELD_TEXT_SIZED:
		return json_read_text(&reader->values, field->name, text, value, second);
	case FIELD_TEXTS:
		return read_texts(reader, field, text, value, second);
	case FIELD_UUID:
		return json_read_uuid(&reader->values, field->name, text, value);
	case FIELD_UUID_FLAGGED:
		*(bool *)second = true;
		return json_read_uuid(&reader->values, field->name, text, value);
	case FIELD_BOOLEAN:
		return json_read_boolean(&reader->values, field->name, text, value);
	case FIELD_INT:
	case FIELD_INT_OR_NULL:
		json_read_int(&reader->values, field->name, text, value);
		return;
	case FIELD_INT_FLAGGED:
		*(bool *)second = json_read_int(&reader->values, field->name, text, value);
		return;
	case FIELD_LONG:
	case FIELD_LONG_OR_NULL:
		return json_read_long(&reader->values, field->name, text, value);
	case FIELD_TIME:
	case FIELD_TIME_OR_NULL:
		json_read_time(&reader->values, field->name, text, value);
		return;
	case FIELD_TIME_FLAGGED:
		*(bool *)second = json_read_time(&reader->values, field->name, text, value);
		return;
	case FIELD_VERSION:
		json_read_int(&reader->values, field->name, text, &(int32_t){ 0 });
		return;
	case FIELD_NAME:
		return read_name(reader, field, text, out);
	case FIELD_NAMES:
		return read_elements(reader, field, text, read_names_element, out);
	case FIELD_ARRAY:
		return read_array(reader, field, text, value, second);
	case FIELD_RECORD_OR_NULL:
		return read_record_or_null(reader, field, text, value);
	case FIELD_UNION:
		return read_union(reader, field, text, value, second);
	case FIELD_FIXED:
	case FIELD_BYTES:
		break;
	}
	impossible("no record that comes as JSON has such a field");
}

static const struct field *find_field(const struct record *record, const char *name,
				      bool has_type) {
	for (size_t i = 0; i < record->field_count; i++)
		if (!strcmp(field_json_name(&record->fields[i], has_type), name))
			return &record->fields[i];
	return NULL;
}

/* A name that is no string becomes one that nothing has. */
static const char *read_member_name(struct reader *reader, struct json_text name) {
	struct arena *arena = reader->values.arena;
	const char *string = json_read_string(arena, name, &(size_t){ 0 });

	return string ? string : json_text_shown(arena, name);
}

static void read_value(struct reader *reader, const struct field *field, struct json_text text,
		       void *out) {
	bool may_be_null = field->optional || field->is_json;
	bool was_secret = reader->values.is_secret;

	reader->values.is_secret |= field->is_secret;
	if (json_text_equals(text, "null")) {
		if (!may_be_null)
			json_values_fault(&reader->values, field->name, text, "Must not be null");
	} else if (field->is_json) {
		*(const char **)(void *)((char *)out + field->offset) =
		    arena_strndup(reader->values.arena, text.bytes, text.len);
	} else {
		read_field(reader, field, text, out);
	}
	reader->values.is_secret = was_secret;
}

/* The name is cut as a value is: an event with all of it might not fit into a record. */
static void refuse_unknown(struct reader *reader, const char *name, struct json_text value) {
	size_t len = utf8_prefix_len(name, PROBLEM_VALUE_MAX);

	json_values_fault(&reader->values, arena_strndup(reader->values.arena, name, len), value,
			  "Is not known");
}

struct members {
	uint64_t seen; /* a bit for each field */
	bool has_type; /* one more is called `type`: it selected the record */
	bool has_seen_type;
};

static void read_member(struct reader *reader, const struct record *record, struct members *members,
			struct json_text name, struct json_text value, void *out) {
	const char *param = read_member_name(reader, name);
	const struct field *field = find_field(record, param, members->has_type);
	uint64_t bit = field ? UINT64_C(1) << (field - record->fields) : 0;
	bool is_selector = members->has_type && is_type(name);

	if (members->seen & bit || (is_selector && members->has_seen_type))
		json_values_fault(&reader->values, param, value, "Must be given once");
	else if (field)
		read_value(reader, field, value, out);
	else if (!is_selector && reader->unknown == JSON_UNKNOWN_REFUSED)
		refuse_unknown(reader, param, value);
	members->seen |= bit;
	members->has_seen_type |= is_selector;
}

static void check_missing(struct reader *reader, const struct record *record,
			  const struct members *members) {
	for (size_t i = 0; i < record->field_count; i++) {
		const struct field *field = &record->fields[i];

		if (!field->optional && !field->is_json && !(members->seen & UINT64_C(1) << i))
			json_values_missing(&reader->values,
					    field_json_name(field, members->has_type));
	}
}

static void read_record(struct reader *reader, const struct record *record, struct json_text text,
			bool has_type, void *out) {
	struct json_walk walk = json_walk_begin(text);
	struct members members = { .has_type = has_type };
	struct json_text name, value;

	decode_set_defaults(record, out);
	while (json_walk_member(&walk, &name, &value))
		read_member(reader, record, &members, name, value, out);
	note_end(reader, &walk);
	check_missing(reader, record, &members);
	if (record->complete && !reader->values.faults.problem && !reader->error)
		record->complete(out);
}

int json_read_record(struct arena *arena, const struct record *record, const char *text, size_t len,
		     enum json_unknown unknown, void *out, const struct problem **faults,
		     const char **why) {
	struct reader reader = { .values = { arena, validation_begin(arena, NULL) },
				 .unknown = unknown };

	if (!utf8_is_text(text, len)) {
		*why = "malformed JSON: it is not UTF-8 without NUL";
		return JSON_READ_E_REFUSED;
	}
	read_record(&reader, record, (struct json_text){ text, len }, false, out);
	if (reader.error) {
		*why = arena_printf(arena, "malformed JSON: %s (at byte %td)", reader.error,
				    reader.error_at - text);
		return JSON_READ_E_REFUSED;
	}
	*faults = reader.values.faults.problem;
	return 0;
}

int json_read_filter(struct arena *arena, const char *text, const struct webhook_filter **out,
		     const char **why) {
	struct webhook_filter *filter = arena_zalloc(arena, sizeof(*filter));
	size_t blanks = strspn(text, " \t\r\n");
	const struct problem *faults;

	*why = "it must be a JSON object";
	if (text[blanks] != '{' ||
	    json_read_record(arena, webhook_filter_array.items, text + blanks,
			     strlen(text + blanks), JSON_UNKNOWN_REFUSED, filter, &faults, why))
		return JSON_FILTER_E_REFUSED;
	*out = filter;
	if (!faults)
		return 0;
	*why = arena_printf(arena, "%s: %s", faults->details[0].param, faults->details[0].msg);
	return JSON_FILTER_E_REFUSED;
}

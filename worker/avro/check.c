#include "avro/check.h"

#include "base/utf8.h"

/*
 * Bounds the work as well as the memory. Values without bytes (null, records without fields) cost
 * steps too: a few bytes can claim many of them, nested again and again. No sensible record needs
 * more than a few steps for a byte.
 */
enum { STEPS_PER_BYTE = 8, STEPS_BASE = 4096 };

struct walk {
	struct wire *wire;
	size_t steps; /* steps left */
	int depth;
};

static void walk_value(struct walk *walk, const struct schema *schema);

static void walk_string(struct walk *walk) {
	size_t len;
	const void *text = wire_read_bytes(walk->wire, &len);

	if (text && !utf8_is_text(text, len))
		wire_fail(walk->wire, "a string is not UTF-8 without NUL");
}

static void walk_enum(struct walk *walk, const struct schema *schema) {
	int64_t index = wire_read_long(walk->wire);

	if (index < 0 || (uint64_t)index >= schema->size)
		wire_fail(walk->wire, "an enum's index is out of range");
}

static void walk_union(struct walk *walk, const struct schema *schema) {
	int64_t index = wire_read_long(walk->wire);

	if (index < 0 || (uint64_t)index >= schema->child_count)
		wire_fail(walk->wire, "a union's index is out of range");
	else
		walk_value(walk, schema->children[index].schema);
}

static void walk_record(struct walk *walk, const struct schema *schema) {
	for (size_t i = 0; i < schema->child_count && !walk->wire->error; i++)
		walk_value(walk, schema->children[i].schema);
}

/* Walks an array, or a map, whose elements have a string before them. */
static void walk_blocks(struct walk *walk, const struct schema *schema) {
	struct wire *wire = walk->wire;
	int64_t size;
	size_t count;

	while ((count = wire_read_block(wire, &size)) > 0) {
		const uint8_t *start = wire->at;

		for (; count && !wire->error; count--) {
			if (schema->type == SCHEMA_MAP)
				walk_string(walk);
			walk_value(walk, schema->children[0].schema);
		}
		if (size >= 0 && wire->at - start != size)
			wire_fail(wire, "a block is not as long as it says");
	}
}

static void walk_value(struct walk *walk, const struct schema *schema) {
	struct wire *wire = walk->wire;

	if (wire->error)
		return;
	if (walk->depth == CHECK_DEPTH_MAX) {
		wire_fail(wire, "it is nested too deeply");
		return;
	}
	if (!walk->steps) {
		wire_fail(wire, "it claims too many values for its size");
		return;
	}
	walk->steps--;
	walk->depth++;
	switch (schema->type) {
	case SCHEMA_NULL:
		break;
	case SCHEMA_BOOLEAN:
		wire_read_boolean(wire);
		break;
	case SCHEMA_INT:
		wire_read_int(wire);
		break;
	case SCHEMA_LONG:
		wire_read_long(wire);
		break;
	case SCHEMA_FLOAT:
		wire_read_raw(wire, 4);
		break;
	case SCHEMA_DOUBLE:
		wire_read_raw(wire, 8);
		break;
	case SCHEMA_BYTES:
		wire_read_bytes(wire, &(size_t){ 0 });
		break;
	case SCHEMA_STRING:
		walk_string(walk);
		break;
	case SCHEMA_FIXED:
		wire_read_raw(wire, schema->size);
		break;
	case SCHEMA_ENUM:
		walk_enum(walk, schema);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		walk_blocks(walk, schema);
		break;
	case SCHEMA_UNION:
		walk_union(walk, schema);
		break;
	case SCHEMA_RECORD:
		walk_record(walk, schema);
		break;
	}
	walk->depth--;
}

void check_skip(struct wire *wire, const struct schema *schema) {
	struct walk walk = { .wire = wire, .steps = SIZE_MAX };

	walk_value(&walk, schema);
}

const char *check_bytes(const struct schema *schema, const void *bytes, size_t len) {
	struct wire wire = { .at = bytes, .end = (const uint8_t *)bytes + len };
	struct walk walk = { .wire = &wire, .steps = len * STEPS_PER_BYTE + STEPS_BASE };

	walk_value(&walk, schema);
	if (!wire.error && wire_left(&wire))
		wire_fail(&wire, "bytes are left over behind it");
	return wire.error;
}

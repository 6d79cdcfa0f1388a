#include "avro/frame.h"

enum {
	MARKER_FIRST = 0xc3, /* Source: Apache Avro 1.11 specification, "Single-object encoding". */
	MARKER_SECOND = 0x01,
	CONFLUENT_MARKER = 0x00, /* Source: Confluent Schema Registry, "Wire format". */
};

static int refuse_frame(const char **why, const char *text) {
	*why = text;
	return FRAME_E_REFUSED;
}

bool frame_schema_id(const void *record, size_t len, uint32_t *id) {
	const uint8_t *bytes = record;

	if (!record || len < FRAME_CONFLUENT_HEADER_SIZE || bytes[0] != CONFLUENT_MARKER)
		return false;
	*id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 |
	      bytes[4];
	return true;
}

static void parse_single_object(const uint8_t *bytes, struct frame *out) {
	*out = (struct frame){ .kind = FRAME_SINGLE_OBJECT, .header_size = FRAME_HEADER_SIZE };
	for (size_t i = FRAME_HEADER_SIZE; i-- > 2;)
		out->fingerprint = out->fingerprint << 8 | bytes[i];
}

int frame_parse(struct arena *arena, const void *record, size_t len, struct frame *out,
		const char **why) {
	const uint8_t *bytes = record;

	*out =
	    (struct frame){ .kind = FRAME_CONFLUENT, .header_size = FRAME_CONFLUENT_HEADER_SIZE };
	if (!len)
		return refuse_frame(why, "the value is null or empty");
	if (frame_schema_id(record, len, &out->schema_id))
		return 0;
	if (bytes[0] != MARKER_FIRST || (len > 1 && bytes[1] != MARKER_SECOND))
		return refuse_frame(why,
				    arena_printf(arena,
						 "unknown frame: it begins with %02x, not with c3 "
						 "01 (Avro single-object encoding)",
						 bytes[0]));
	if (len < FRAME_HEADER_SIZE)
		return refuse_frame(why, "the header of the single-object encoding is cut off");
	parse_single_object(bytes, out);
	return 0;
}

void frame_write(uint64_t fingerprint, uint8_t header[FRAME_HEADER_SIZE]) {
	header[0] = MARKER_FIRST;
	header[1] = MARKER_SECOND;
	for (size_t i = 2; i < FRAME_HEADER_SIZE; i++, fingerprint >>= 8)
		header[i] = (uint8_t)fingerprint;
}

void frame_write_confluent(uint32_t schema_id, uint8_t header[FRAME_CONFLUENT_HEADER_SIZE]) {
	header[0] = CONFLUENT_MARKER;
	for (size_t i = FRAME_CONFLUENT_HEADER_SIZE; i-- > 1; schema_id >>= 8)
		header[i] = (uint8_t)schema_id;
}

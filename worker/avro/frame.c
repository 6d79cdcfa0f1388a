#include "avro/frame.h"

enum {
	MARKER_FIRST = 0xc3, /* Source: Apache Avro 1.11 specification, "Single-object encoding". */
	MARKER_SECOND = 0x01,
	CONFLUENT_MARKER = 0x00, /* Source: Confluent Schema Registry, "Wire format": 00, then the
				    schema id, big endian. */
	CONFLUENT_HEADER_SIZE = 5,
};

static int refuse_frame(const char **why, const char *text) {
	*why = text;
	return FRAME_E_REFUSED;
}

static int refuse_confluent(struct arena *arena, const uint8_t *bytes, const char **why) {
	uint32_t id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
		      (uint32_t)bytes[3] << 8 | bytes[4];

	return refuse_frame(why, arena_printf(arena,
					      "a Confluent frame with schema id %u, and a schema "
					      "registry is not configured (schema.registry.url)",
					      id));
}

int frame_parse(struct arena *arena, const void *record, size_t len, uint64_t *fingerprint,
		const char **why) {
	const uint8_t *bytes = record;

	if (!len)
		return refuse_frame(why, "the value is null or empty");
	if (bytes[0] == CONFLUENT_MARKER && len >= CONFLUENT_HEADER_SIZE)
		return refuse_confluent(arena, bytes, why);
	if (bytes[0] != MARKER_FIRST || (len > 1 && bytes[1] != MARKER_SECOND))
		return refuse_frame(why,
				    arena_printf(arena,
						 "unknown frame: it begins with %02x, not with c3 "
						 "01 (Avro single-object encoding)",
						 bytes[0]));
	if (len < FRAME_HEADER_SIZE)
		return refuse_frame(why, "the header of the single-object encoding is cut off");
	*fingerprint = 0;
	for (size_t i = FRAME_HEADER_SIZE; i-- > 2;)
		*fingerprint = *fingerprint << 8 | bytes[i];
	return 0;
}

void frame_write(uint64_t fingerprint, uint8_t header[FRAME_HEADER_SIZE]) {
	header[0] = MARKER_FIRST;
	header[1] = MARKER_SECOND;
	for (size_t i = 2; i < FRAME_HEADER_SIZE; i++, fingerprint >>= 8)
		header[i] = (uint8_t)fingerprint;
}

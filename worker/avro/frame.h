/* The frame: the header before a record's bytes, which names their schema. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_HEADER_SIZE = 10, FRAME_CONFLUENT_HEADER_SIZE = 5, FRAME_E_REFUSED = 1 };

enum frame_kind {
	FRAME_SINGLE_OBJECT, /* c3 01, then the schema's fingerprint, little endian */
	FRAME_CONFLUENT,     /* 00, then the schema's id in a registry, big endian */
};

struct frame {
	enum frame_kind kind;
	size_t header_size;
	union {
		uint64_t fingerprint;
		uint32_t schema_id;
	};
};

/* Reads a record's header; its first byte tells the kind. Returns 0, or FRAME_E_REFUSED with the
 * reason in `why`. */
int frame_parse(struct arena *arena, const void *record, size_t len, struct frame *out,
		const char **why) _must_check_;
/* The schema id of a record in Confluent's frame. Returns false for any other. */
bool frame_schema_id(const void *record, size_t len, uint32_t *id);

void frame_write(uint64_t fingerprint, uint8_t header[FRAME_HEADER_SIZE]);
void frame_write_confluent(uint32_t schema_id, uint8_t header[FRAME_CONFLUENT_HEADER_SIZE]);

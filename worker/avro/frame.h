/* The frame: the header before a record's bytes, which names their schema. */
#pragma once

#include "base/arena.h"

#include <stdint.h>

enum { FRAME_HEADER_SIZE = 10, FRAME_E_REFUSED = 1 };

/* Reads the header of the single-object encoding, with the schema's fingerprint. Returns 0, or
 * FRAME_E_REFUSED with the reason in `why`; the Confluent frame is refused too. */
int frame_parse(struct arena *arena, const void *record, size_t len, uint64_t *fingerprint,
		const char **why) _must_check_;

void frame_write(uint64_t fingerprint, uint8_t header[FRAME_HEADER_SIZE]);

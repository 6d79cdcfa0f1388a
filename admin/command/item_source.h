/*
 * The items of a file or of stdin: JSON lines, or one JSON document that is an object or an array
 * of objects. A document is known by its first line, which begins with [ or is a lone {.
 */
#pragma once

#include "base/memory.h"
#include "command/json_text.h"
#include "terminal/status.h"

#include <stdint.h>

struct item_source;

/* `file` "-" is stdin. Says what is wrong. */
enum admin_status item_source_open(const char *file, struct item_source **out) _must_check_;
void item_source_close(struct item_source *source);
DEFINE_CLEANUP(struct item_source, item_source_close)

/* Bytes of the file, 0 where that is not known; and how many of them have been read. */
int64_t item_source_total(const struct item_source *source);
int64_t item_source_done(const struct item_source *source);

struct item {
	struct json_text text; /* borrowed until the next call; not empty */
	uint64_t number;       /* of the line, or of the element, from 1 */
};

/* Returns false at the end; item_source_status tells whether it was a good one (else it was said
 * why). */
bool item_source_next(struct item_source *source, struct item *out);
enum admin_status item_source_status(const struct item_source *source);
/* What an item is called in messages: "line" or "element". */
const char *item_source_unit(const struct item_source *source);

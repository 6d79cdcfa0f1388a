/* The items of a file or of stdin: JSON lines, or one JSON document that is an object or an array
 * of objects. The first line of a document begins with [ or is a lone {. */
#pragma once

#include "base/memory.h"
#include "command/json_text.h"
#include "terminal/status.h"

#include <stdint.h>

struct item_source;

/* Opens `file`; "-" is stdin. Prints the fault where it cannot be read. */
enum admin_status item_source_open(const char *file, struct item_source **out) _must_check_;
void item_source_close(struct item_source *source);
DEFINE_CLEANUP(struct item_source, item_source_close)

/* The bytes of the file (0: unknown), and those that have been read. */
int64_t item_source_total(const struct item_source *source);
int64_t item_source_done(const struct item_source *source);

struct item {
	struct json_text text; /* borrowed until the next call; not empty */
	uint64_t number;       /* of the line or the element, from 1 */
};

/* Returns false at the end, or after printing a fault: item_source_status tells them apart. */
bool item_source_next(struct item_source *source, struct item *out);
enum admin_status item_source_status(const struct item_source *source);
/* The word for an item in messages: "line" or "element". */
const char *item_source_unit(const struct item_source *source);

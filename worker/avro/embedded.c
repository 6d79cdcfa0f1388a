#include "avro/embedded.h"

#include "base/invariant.h"

#include <string.h>

const struct embedded_schema *embedded_schema_find(const char *file) {
	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++)
		if (strcmp(embedded_schemas[i].file, file) == 0)
			return &embedded_schemas[i];
	impossible("the schema is embedded");
}

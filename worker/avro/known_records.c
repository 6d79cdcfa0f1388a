#include "avro/known_records.h"

#include "base/memory.h"

static const char schema_space[] = "posthorn.v1";
static const struct record *const records[] = { &command_record, &issuance_record,
						&event_command_record, &analytic_event_record,
						&state_record_record };

const struct record *known_record_of(const struct schema *schema) {
	if (schema->type != SCHEMA_RECORD || strcmp(schema->space, schema_space))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		if (!strcmp(records[i]->name, schema->name))
			return records[i];
	return NULL;
}

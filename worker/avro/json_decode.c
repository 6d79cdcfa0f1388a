#include "avro/json_decode.h"

#include "avro/json_read.h"
#include "domain/command.h"

static int decode_event(struct arena *arena, const char *text, size_t len, void *out,
			const char **why) {
	const struct record *record = &analytic_event_record;
	const struct problem *faults;

	if (json_read_record(arena, record, text, len, JSON_UNKNOWN_PASSED, out, &faults, why))
		return JSON_DECODE_E_REFUSED;
	if (!faults)
		return 0;
	*why = arena_printf(arena, "field %s.%s: %s", record->name, faults->details[0].param,
			    faults->details[0].msg);
	return JSON_DECODE_E_REFUSED;
}

/* Both commands begin with their envelope. */
static int decode_command(struct arena *arena, const struct record *record, const char *text,
			  size_t len, void *out, const char **why) {
	struct command_envelope *envelope = out;

	if (json_read_record(arena, record, text, len, JSON_UNKNOWN_REFUSED, out, &envelope->faults,
			     why))
		return JSON_DECODE_E_REFUSED;
	if (envelope->tenant_id && envelope->command_id)
		return 0;
	*why = arena_printf(arena, "JSON %s without %s: it must be given, as a string",
			    record->name, envelope->tenant_id ? "commandId" : "tenantId");
	return JSON_DECODE_E_REFUSED;
}

int json_decode(struct arena *arena, const struct record *record, const char *text, size_t len,
		void *out, const char **why) {
	return record == &analytic_event_record
		   ? decode_event(arena, text, len, out, why)
		   : decode_command(arena, record, text, len, out, why);
}

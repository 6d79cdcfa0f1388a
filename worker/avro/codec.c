#include "avro/codec.h"

#include "avro/canonical.h"
#include "avro/check.h"
#include "avro/decode.h"
#include "avro/edition.h"
#include "avro/embedded.h"
#include "avro/encode.h"
#include "avro/fingerprint.h"
#include "avro/frame.h"
#include "avro/json.h"
#include "avro/json_decode.h"
#include "avro/known_records.h"
#include "avro/schema_files.h"
#include "avro/schema_ids.h"
#include "base/invariant.h"

#include <inttypes.h>

enum { CANONICAL_MAX = SCHEMA_FILE_MAX };

/* A schema with which a record may have been written. */
struct writer {
	uint64_t fingerprints[CANONICAL_FORM_COUNT];
	const struct schema *schema;
	const struct record *record; /* the record of ours that it is a version of */
};

struct codec {
	struct arena *arena;
	struct codec_settings settings; /* without the directory */
	struct writer *writers;
	size_t writer_count, writer_capacity;
	struct schema_ids *ids;
	struct codec_registry registry; /* `resolve` is NULL: none is configured */
};

static const struct writer *find_writer(const struct codec *codec, uint64_t fingerprint) {
	for (size_t i = 0; i < codec->writer_count; i++)
		for (size_t form = 0; form < CANONICAL_FORM_COUNT; form++)
			if (codec->writers[i].fingerprints[form] == fingerprint)
				return &codec->writers[i];
	return NULL;
}

static int refuse_file(struct buffer *problems, const char *file, const char *why) {
	buffer_printf(problems, "%s: %s\n", file, why);
	return CODEC_E_REFUSED;
}

/* Returns as canonical_append does. */
static int fingerprint_json(const char *json, size_t len, enum canonical_form form, uint64_t *out) {
	_cleanup_(buffer_destroy) struct buffer canonical = BUFFER_INIT(CANONICAL_MAX);
	int r = canonical_append(&canonical, json, len, form);

	if (r || canonical.overflowed)
		return r ? r : CANONICAL_E_REFUSED;
	*out = fingerprint_of(canonical.data, canonical.len);
	return 0;
}

static int fingerprint_forms(const char *json, size_t len, uint64_t out[CANONICAL_FORM_COUNT]) {
	int r = 0;

	for (int form = 0; form < CANONICAL_FORM_COUNT && r == 0; form++)
		r = fingerprint_json(json, len, (enum canonical_form)form, &out[form]);
	return r;
}

static int add_schema(struct codec *codec, const char *file, const char *json, size_t len,
		      struct buffer *problems) {
	struct writer writer;
	const char *why;
	int r = fingerprint_forms(json, len, writer.fingerprints);

	/* Refused before avro-c sees it, since avro-c would leak the types parsed so far. */
	if (r == CANONICAL_E_NAME_TWICE)
		return refuse_file(problems, file, "a name is defined twice");
	if (schema_parse(codec->arena, json, len, &writer.schema, &why))
		return refuse_file(problems, file, why);
	if (r)
		return refuse_file(problems, file, "not a schema");
	writer.record = known_record_of(writer.schema);
	if (!writer.record)
		return refuse_file(problems, file,
				   "not a posthorn.v1 record WebhookCommand, "
				   "CredentialIssuanceCommand, EventCommand, AnalyticEvent or "
				   "StateRecord");
	codec->writers = arena_grow(codec->arena, codec->writers, codec->writer_count,
				    &codec->writer_capacity, sizeof(writer));
	codec->writers[codec->writer_count++] = writer;
	return 0;
}

struct reading {
	struct codec *codec;
	struct buffer *problems;
};

static int take_file(void *userdata, const char *path, const char *json, size_t len) {
	const struct reading *reading = userdata;

	return add_schema(reading->codec, path, json, len, reading->problems);
}

int codec_new(const struct codec_settings *settings, struct codec **out, struct buffer *problems) {
	_cleanup_(codec_freep) struct codec *codec = x_calloc(1, sizeof(*codec));
	const char *schema_dir = settings ? settings->schema_dir : NULL;
	struct reading reading = { codec, problems };

	codec->arena = arena_new();
	if (settings)
		codec->settings = *settings;
	codec->settings.schema_dir = NULL;
	codec->ids = schema_ids_new();
	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++) {
		const struct embedded_schema *own = &embedded_schemas[i];

		if (add_schema(codec, own->file, (const char *)own->json, own->len, problems))
			return CODEC_E_REFUSED;
	}
	if (schema_dir && schema_files_read(schema_dir, take_file, &reading, problems))
		return CODEC_E_REFUSED;
	*out = TAKE(codec);
	return 0;
}

void codec_free(struct codec *codec) {
	if (!codec)
		return;
	if (codec->registry.free)
		codec->registry.free(codec->registry.userdata);
	schema_ids_free(codec->ids);
	arena_free(codec->arena);
	free(codec);
}

static int refuse_record(const char **why, const char *text) {
	*why = text;
	return CODEC_E_REFUSED;
}

/* The changelog is never JSON: only the workers write it. */
static bool is_json(const struct record *record, const void *bytes, size_t len) {
	return record != &state_record_record && len && *(const char *)bytes == '{';
}

/* Schemas of a registry. */

void codec_use_registry(struct codec *codec, const struct codec_registry *registry) {
	codec->registry = *registry;
}

void codec_learn_id(struct codec *codec, uint32_t id, const char *json, size_t len) {
	schema_ids_learn(codec->ids, id, json, len);
}

void codec_refuse_id(struct codec *codec, uint32_t id, const char *why) {
	schema_ids_refuse(codec->ids, id, why);
}

bool codec_knows_id(struct codec *codec, uint32_t id) {
	return schema_ids_find(codec->ids, id);
}

bool codec_can_read_id(struct codec *codec, uint32_t id) {
	const struct schema_of_id *known = schema_ids_find(codec->ids, id);

	return known && known->schema;
}

/* Finding the writer's schema. */

struct found {
	const struct schema *schema;
	const struct record *record;
};

static int find_by_fingerprint(const struct codec *codec, struct arena *arena, uint64_t fingerprint,
			       struct found *out, const char **why) {
	const struct writer *writer = find_writer(codec, fingerprint);

	if (!writer)
		return refuse_record(
		    why, arena_printf(arena,
				      "no schema is known with the fingerprint %016" PRIx64
				      " (bytes 3 to 10)",
				      __builtin_bswap64(fingerprint)));
	*out = (struct found){ writer->schema, writer->record };
	return 0;
}

static int find_by_id(const struct codec *codec, struct arena *arena, uint32_t id,
		      struct found *out, const char **why) {
	const struct schema_of_id *known = schema_ids_find(codec->ids, id);
	const char *unknown = "a schema registry is not configured (schema.registry.url)";

	if (!known && codec->registry.resolve)
		unknown = codec->registry.resolve(codec->registry.userdata, id);
	if (!known)
		known = schema_ids_find(codec->ids, id);
	if (!known)
		return refuse_record(
		    why, arena_printf(arena, "a Confluent frame with schema id %u, and %s", id,
				      unknown ? unknown : "its schema is not known"));
	if (!known->schema)
		return refuse_record(
		    why,
		    arena_printf(arena, "a Confluent frame with schema id %u: %s", id, known->why));
	*out = (struct found){ known->schema, known->record };
	return 0;
}

static int find_schema(const struct codec *codec, struct arena *arena, const struct frame *frame,
		       struct found *out, const char **why) {
	if (frame->kind == FRAME_CONFLUENT)
		return find_by_id(codec, arena, frame->schema_id, out, why);
	return find_by_fingerprint(codec, arena, frame->fingerprint, out, why);
}

/* Decodes from the frame to the struct; `out` is zeroed. */
static int decode(const struct codec *codec, struct arena *arena, const struct record *record,
		  const void *bytes, size_t len, void *out, const char **why) {
	struct frame frame;
	struct found found;
	const uint8_t *body;
	const char *wrong;

	if (is_json(record, bytes, len))
		return json_decode(arena, record, bytes, len, out, why) ? CODEC_E_REFUSED : 0;
	if (frame_parse(arena, bytes, len, &frame, why) ||
	    find_schema(codec, arena, &frame, &found, why))
		return CODEC_E_REFUSED;
	if (found.record != record)
		return refuse_record(why, arena_printf(arena, "it is of the schema %s, not of %s",
						       found.record->name, record->name));
	body = (const uint8_t *)bytes + frame.header_size;
	len -= frame.header_size;
	wrong = check_bytes(found.schema, body, len);
	if (wrong)
		return refuse_record(why,
				     arena_printf(arena, "malformed %s: %s", record->name, wrong));
	return decode_record(arena, found.schema, record, body, len, out, why) ? CODEC_E_REFUSED
									       : 0;
}

int codec_decode_command(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			 struct command *out, const char **why) {
	*out = (struct command){ .operation = OPERATION_UNKNOWN };
	return decode(codec, arena, &command_record, bytes, len, out, why);
}

int codec_decode_issuance(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			  struct issuance *out, const char **why) {
	*out = (struct issuance){ .credential = "" };
	return decode(codec, arena, &issuance_record, bytes, len, out, why);
}

int codec_decode_event_command(struct codec *codec, struct arena *arena, const void *bytes,
			       size_t len, struct event_command *out, const char **why) {
	*out = (struct event_command){ 0 };
	return decode(codec, arena, &event_command_record, bytes, len, out, why);
}

int codec_decode_event(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct analytic_event *out, const char **why) {
	*out = (struct analytic_event){ 0 };
	return decode(codec, arena, &analytic_event_record, bytes, len, out, why);
}

int codec_decode_state(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct state_record *out, const char **why) {
	*out = (struct state_record){ 0 };
	return decode(codec, arena, &state_record_record, bytes, len, out, why);
}

/* Our own schema of this edition, or of the next one where this one has the same schema. The first
 * writers are our own, since these were added first. */
static const struct writer *own_writer(const struct codec *codec, const struct record *record,
				       int edition) {
	const struct writer *found = NULL;
	int best = EDITION_NOW + 1;

	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++) {
		int of = embedded_schemas[i].edition;

		if (codec->writers[i].record == record && of >= edition && of < best) {
			found = &codec->writers[i];
			best = of;
		}
	}
	invariant(found, "the schema of each record is embedded");
	return found;
}

static void encode(const struct codec *codec, const struct record *record, const void *in,
		   struct buffer *out) {
	bool is_event = record == &analytic_event_record;
	enum canonical_form form =
	    is_event ? codec->settings.results_fingerprint : CANONICAL_SPECIFICATION;
	int edition = edition_of(record, in);
	uint8_t header[FRAME_HEADER_SIZE];

	frame_write(own_writer(codec, record, edition)->fingerprints[form], header);
	buffer_append(out, header, sizeof(header));
	encode_record(out, record, in, edition);
}

void codec_encode_command(struct codec *codec, const struct command *command, struct buffer *out) {
	encode(codec, &command_record, command, out);
}

void codec_encode_issuance(struct codec *codec, const struct issuance *issuance,
			   struct buffer *out) {
	encode(codec, &issuance_record, issuance, out);
}

void codec_encode_event_command(struct codec *codec, const struct event_command *command,
				struct buffer *out) {
	encode(codec, &event_command_record, command, out);
}

void codec_encode_event(struct codec *codec, const struct analytic_event *event,
			struct buffer *out) {
	if (codec->settings.results_framing == RESULTS_JSON)
		json_append_event_record(out, event);
	else
		encode(codec, &analytic_event_record, event, out);
}

void codec_encode_event_for(struct codec *codec _unused_, uint32_t schema_id,
			    const struct analytic_event *event, struct buffer *out) {
	uint8_t header[FRAME_CONFLUENT_HEADER_SIZE];

	frame_write_confluent(schema_id, header);
	buffer_append(out, header, sizeof(header));
	encode_record(out, &analytic_event_record, event, EDITION_NOW);
}

void codec_encode_state(struct codec *codec, const struct state_record *record,
			struct buffer *out) {
	encode(codec, &state_record_record, record, out);
}

/*
 * Bytes <-> domain, by the schemas in schemas/ (compiled in). The only folder that knows avro-c.
 *
 * Reading: a value that begins with `{` is the record as JSON (json_read.h), not in the changelog.
 * Any other has a frame that names the writer's schema (single-object encoding: C3 01 and the
 * CRC-64-AVRO fingerprint, little endian; Confluent's frame: 00 and a schema id of a registry, big
 * endian). A bounded check of ours (check.h) first walks the bytes with that schema - lengths,
 * counts, union indexes, UTF-8, nesting - and allocates nothing. Only then are they decoded into
 * the domain's structs. Fields are matched by name; a field that the writer does not have gets its
 * default here.
 *
 * Writing: single-object encoding with our own schema, and events also in Confluent's frame or as
 * JSON. Of our own schema's editions it is the first that holds the record's values (edition.h); in
 * Confluent's frame it is the last one. A schema is known by its fingerprint in each canonical form
 * that a library makes (canonical.h).
 *
 * avro-c parses the schemas only. The values are decoded and encoded here, by one table for each
 * record (record.h): for a record made of the smallest elements, as a hostile one is, avro-c's
 * generic values take 113 times the record's bytes, ours less than 64 times
 * (tests/unit/avro_hostile.c).
 *
 * A codec is immutable after codec_new, but for the ids that it learns, which have a lock: any
 * number of threads may use it. Source: Apache Avro 1.11 specification, "Binary Encoding",
 * "Single-object encoding", "Schema Fingerprints".
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/config.h"
#include "domain/analytic_event.h"
#include "domain/command.h"
#include "domain/state.h"

struct codec;

struct codec_settings {
	const char *schema_dir; /* NULL: none */
	enum results_framing results_framing;
	enum canonical_form results_fingerprint; /* where it has one */
};

/* The record cannot be decoded; `why` has the fault in words for an operator, and lives in the
 * arena. */
enum { CODEC_E_REFUSED = 1 };

/*
 * Parses the compiled-in schemas and, where `schema_dir` is not NULL, every *.avsc in it as a
 * further writer's schema: a record named posthorn.v1.WebhookCommand, CredentialIssuanceCommand,
 * EventCommand, AnalyticEvent or StateRecord. NULL for `settings` is the default of each. Returns
 * 0; CODEC_E_REFUSED with `problems` naming the file; or a negative errno.
 */
int codec_new(const struct codec_settings *settings, struct codec **out,
	      struct buffer *problems) _must_check_;
void codec_free(struct codec *codec);
DEFINE_CLEANUP(struct codec, codec_free)

/* Each decodes a framed record; returns 0 or CODEC_E_REFUSED. The values live in the arena and
 * do not borrow from `bytes`. Bytes left over behind the value are refused. A command in JSON with
 * wrong members has them in its envelope's `faults`. */
int codec_decode_command(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			 struct command *out, const char **why) _must_check_;
int codec_decode_issuance(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			  struct issuance *out, const char **why) _must_check_;
int codec_decode_event_command(struct codec *codec, struct arena *arena, const void *bytes,
			       size_t len, struct event_command *out,
			       const char **why) _must_check_;
int codec_decode_event(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct analytic_event *out, const char **why) _must_check_;
int codec_decode_state(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct state_record *out, const char **why) _must_check_;

/*
 * Ids of a schema registry. What is learnt of an id stays, also that its schema is refused: a
 * schema from a registry is judged before avro-c sees it (schema_judge.h). Any thread.
 */
void codec_learn_id(struct codec *codec, uint32_t id, const char *json, size_t len);
void codec_refuse_id(struct codec *codec, uint32_t id, const char *why);
bool codec_knows_id(struct codec *codec, uint32_t id);
/* Whether records of this id are not refused for their schema. */
bool codec_can_read_id(struct codec *codec, uint32_t id);

struct codec_registry {
	/* Makes the codec learn the id, or returns why not, "the schema registry does not know
	 * it". It may wait. */
	const char *(*resolve)(void *userdata, uint32_t id);
	void (*free)(void *userdata); /* with the codec; NULL: nothing is to be freed */
	void *userdata;
};

/* Before the first decoding. */
void codec_use_registry(struct codec *codec, const struct codec_registry *registry);

/* Each appends the framed record to `out`; where it does not fit, the buffer's `overflowed` is
 * set. Values must be valid (UTF-8, known enums). */
void codec_encode_command(struct codec *codec, const struct command *command, struct buffer *out);
void codec_encode_issuance(struct codec *codec, const struct issuance *issuance,
			   struct buffer *out);
void codec_encode_event_command(struct codec *codec, const struct event_command *command,
				struct buffer *out);
void codec_encode_event(struct codec *codec, const struct analytic_event *event,
			struct buffer *out);
/* The same in Confluent's frame: `schema_id` names our own schema. */
void codec_encode_event_for(struct codec *codec, uint32_t schema_id,
			    const struct analytic_event *event, struct buffer *out);
void codec_encode_state(struct codec *codec, const struct state_record *record, struct buffer *out);

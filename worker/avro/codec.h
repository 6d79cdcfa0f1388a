/*
 * Bytes <-> domain, by the schemas in schemas/ (compiled in). The only folder that knows avro-c.
 *
 * Reading: the frame names the writer's schema (single-object encoding: C3 01 and the CRC-64-AVRO
 * fingerprint, little endian; the Confluent frame, 00 and a schema id, is recognised and refused
 * until a registry is configured). The bytes are first walked with that schema by our own bounded
 * check - lengths, counts, union indexes, UTF-8, nesting - which allocates nothing, and only then
 * read into the domain's structs. Fields are matched by name; a field that the writer did not have
 * takes its default from here.
 *
 * Writing: always single-object encoding with our own schema.
 *
 * avro-c reads the schemas. The values are read and written here, by one table for each record
 * (record.h): its generic values take 113 times the bytes of a record that is made of the smallest
 * elements, as a hostile one is; ours, less than 64 times (tests/unit/avro_hostile.c).
 *
 * Once made, a codec does not change: any number of threads may use it.
 * Source: Apache Avro 1.11 specification, "Binary Encoding", "Single-object encoding", "Schema
 * Fingerprints".
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/analytic_event.h"
#include "domain/command.h"
#include "domain/state.h"

struct codec;

/* The record cannot be understood; `why` says what is wrong, in words for an operator, and lives in
 * the arena. */
enum { CODEC_E_REFUSED = 1 };

/*
 * Parses the compiled-in schemas and, where `schema_dir` is not NULL, every *.avsc in it as a
 * further writer's schema: a record named posthorn.v1.WebhookCommand, CredentialIssuanceCommand,
 * AnalyticEvent or StateRecord. Returns 0; CODEC_E_REFUSED with `problems` naming the file; or a
 * negative errno.
 */
int codec_new(const char *schema_dir, struct codec **out, struct buffer *problems) _must_check_;
void codec_free(struct codec *codec);
DEFINE_CLEANUP(struct codec, codec_free)

/* Decoded values live in the arena and do not borrow from `bytes`. Each: 0 or CODEC_E_REFUSED.
 * Bytes left over after the value are refused. */
int codec_decode_command(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			 struct command *out, const char **why) _must_check_;
int codec_decode_issuance(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
			  struct issuance *out, const char **why) _must_check_;
int codec_decode_event(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct analytic_event *out, const char **why) _must_check_;
int codec_decode_state(struct codec *codec, struct arena *arena, const void *bytes, size_t len,
		       struct state_record *out, const char **why) _must_check_;

/* Each appends the framed record to `out`; the buffer's `overflowed` tells when it did not fit.
 * Values must be valid (UTF-8, known enums). */
void codec_encode_command(struct codec *codec, const struct command *command, struct buffer *out);
void codec_encode_issuance(struct codec *codec, const struct issuance *issuance,
			   struct buffer *out);
void codec_encode_event(struct codec *codec, const struct analytic_event *event,
			struct buffer *out);
void codec_encode_state(struct codec *codec, const struct state_record *record, struct buffer *out);

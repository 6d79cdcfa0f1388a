/*
 * The spans of a turn: one of each command whose trace is sampled, from its handling to the end of
 * its commit, and one of the transaction, a trace of its own. Each of the former and the latter
 * link to each other. A record that becomes a dead letter has one too. An undone turn has none: its
 * commands are handled again.
 */
#pragma once

#include "base/arena.h"
#include "domain/effects.h"

#include <librdkafka/rdkafka.h>

struct traced_command;

/* Lives in the turn's arena. */
struct turn_trace {
	struct traced_command *commands;
	size_t count, capacity;
};

/* The message's command was handled, with these effects. */
void turn_trace_note(struct turn_trace *trace, struct arena *arena,
		     const rd_kafka_message_t *message, const struct effects *effects);

/* The message becomes a dead letter, for this reason. */
void turn_trace_note_letter(struct turn_trace *trace, struct arena *arena,
			    const rd_kafka_message_t *message, const char *reason);

/* The turn that lasted from `begun_ms` to `committed_ms` (monotonic) is committed; the commit took
 * `commit_us`. */
void turn_trace_end(const struct turn_trace *trace, int64_t begun_ms, int64_t committed_ms,
		    int64_t commit_us);

/*
 * Invariants: conditions that only a mistake in this program can break. One that is broken ends the
 * process, with the condition's words in the log: a restart restores all state from Kafka, and
 * whatever would be written after it might be wrong for ever.
 *
 *     invariant(partition->epoch != 0, "a served partition has an epoch (R5)");
 */
#pragma once

void invariant_broken(const char *words, const char *file, int line) __attribute__((noreturn));

#define invariant(condition, words)                                                                \
	((condition) ? (void)0 : invariant_broken(words, __FILE__, __LINE__))

/* For a place that no value leads to: after a switch over all of an enum. */
#define impossible(words) invariant_broken(words, __FILE__, __LINE__)

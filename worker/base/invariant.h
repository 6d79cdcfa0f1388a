/*
 * Invariants: conditions that only a mistake in this program can break. One that is broken ends the
 * process, with the condition's words in the log: a restart restores all state from Kafka, and
 * whatever would be written after it might be wrong for ever.
 *
 *     invariant(partition->epoch != 0, "a served partition has an epoch (R5)");
 *     invariant_with(held >= count, "a lane gives back what it holds", "held=%zu count=%zu", held,
 *                    count);
 *
 * A condition has no side effects.
 */
#pragma once

#include "base/memory.h"

void invariant_broken(const char *words, const char *file, int line, const char *details, ...)
    __attribute__((noreturn)) _printf_(4, 5);

#define invariant(condition, words) invariant_with(condition, words, "%s", "")

/* With the values that broke it, as the fields of a log entry (base/log.h). They are evaluated only
 * then. */
#define invariant_with(condition, words, ...)                                                      \
	((condition) ? (void)0 : invariant_broken(words, __FILE__, __LINE__, __VA_ARGS__))

/* For a place that no value leads to: after a switch over all of an enum. */
#define impossible(words) invariant_broken(words, __FILE__, __LINE__, "%s", "")

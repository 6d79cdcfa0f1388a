/* The story of an id: the events of each command and delivery that has to do with it, as a
 * timeline. */
#pragma once

#include "base/buffer.h"
#include "domain/analytic_event.h"

#include <stdbool.h>

struct story;

/* `id`: of a credential (or another subject), a command, a delivery, or a callback's event.
 * Borrowed. */
struct story *story_new(const char *id);
void story_free(struct story *story);
DEFINE_CLEANUP(struct story, story_free)

/* Notes the command, and the delivery, of an event that has to do with the id. Called for each
 * event of the tenant before the first call of the others, and once more before each call for that
 * event. */
void story_note(struct story *story, const struct analytic_event *event);
/* Whether nothing has to do with the id. */
bool story_is_empty(const struct story *story);

/* Whether the event is a part of the story. */
bool story_has(const struct story *story, const struct analytic_event *event);
/* Follows an event of the story, in order. */
void story_follow(struct story *story, const struct analytic_event *event);
/* Whether each command that was followed has its answer, and each of its deliveries its end. */
bool story_has_ended(const struct story *story);

/* Appends the event as a line for people, without its end: the time, how long after the story's
 * begin, and what happened. */
void story_append_line(const struct story *story, const struct analytic_event *event,
		       struct buffer *out);

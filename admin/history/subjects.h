/*
 * Not every event of a command tells its subject: what began an issuance does not, nor does what
 * published an event of one's own. Their rows have the key of the subject that another event of
 * the command tells, before or after them, so that one index finds all. Inside `history` only.
 */
#pragma once

#include "history/history.h"

/* Each returns 0 or -EIO after logging. A key of 0 is of nothing, and nothing is done then. */

/* The event tells the subject: so those of the command have it that came without one. */
int subjects_tell(struct history *history, const struct analytic_event *event, int64_t command_key,
		  int64_t subject_key) _must_check_;
/* Finds the key of the subject that the command's events so far tell; 0: none. */
int subjects_find(struct history *history, const struct analytic_event *event, int64_t command_key,
		  int64_t *out) _must_check_;

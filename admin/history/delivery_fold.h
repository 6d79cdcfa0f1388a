/* What an event changes in the row of its delivery. Inside `history` only. */
#pragma once

#include "history/history.h"

/* A delivery's row, before and after the event. */
struct delivery_state {
	int64_t place;
	int64_t subject_key, command_key; /* 0: none */
	enum history_status status;
	int64_t ended_at_ms, next_attempt_at_ms;
	int32_t attempts;
	int32_t last_status;
	int64_t last_reason;
	bool has_event_id; /* before */
};

/* Applies an event of a delivery of the tenant (a number). Returns 0 or -EIO after logging. */
int delivery_fold(struct history *history, const struct analytic_event *event, int64_t tenant,
		  struct delivery_state *out) _must_check_;

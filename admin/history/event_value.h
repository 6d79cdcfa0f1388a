/*
 * An event as its row keeps it. What the row's columns, its tenant's or its delivery's row have is
 * taken out before it is encoded, and put back when it is decoded: half of its bytes.
 */
#pragma once

#include "history/delivery_row.h"
#include "history/history.h"

enum { EVENT_VALUE_MAX = 16 * 1024 };

/* Encodes it into `out`, which is emptied first. What is larger than EVENT_VALUE_MAX is kept
 * without the body that an endpoint answered, or else, such as a page of a list, without its data.
 * Returns false for one that is too large also then: its identifiers are longer than a command may
 * have. */
bool event_value_encode(struct codec *codec, const struct analytic_event *event,
			struct buffer *out) _must_check_;

struct event_value_row {
	const char *tenant_id;
	const char *command_id;              /* of an event without a delivery; NULL: none */
	const struct delivery_row *delivery; /* NULL: it has none */
	const void *value;
	size_t len;
};

/* Decodes it into the arena, and borrows from the row. Returns 0, or CODEC_E_REFUSED for a value
 * that this program did not write. */
int event_value_decode(struct codec *codec, struct arena *arena, const struct event_value_row *row,
		       struct analytic_event *out) _must_check_;

/* Records as JSON: for people and scripts (`results tail`, `state dump`, the answers of the command
 * line), and as events on their topic. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/analytic_event.h"
#include "domain/state.h"

/* Appends {"id":...,"type":"WEBHOOK_CREATE_SUCCESS",...,"data":{...}}: the schema's members in
 * its order; timestamps as ISO 8601. */
void json_append_event(struct buffer *out, const struct analytic_event *event);
/* The same as it stands on its topic, where json_read.h reads it: `data` has its `type`. */
void json_append_event_record(struct buffer *out, const struct analytic_event *event);
/* Appends {"type":"Webhook",...}: bytes as base64url, a delivery's body as a JSON string. */
void json_append_state(struct buffer *out, const struct state_record *record);
/* Appends the data alone: a webhook as the API shows it (id, events, url, disabled, and the other
 * members that it was given), a page as {data, nextCursor}, a problem as the error body; `null`
 * where there is none. */
void json_append_api_data(struct buffer *out, const struct event_data *data);

enum { JSON_FILTER_E_REFUSED = 1 };

/* Reads a webhook's filter, an object, into the arena. Returns 0, or JSON_FILTER_E_REFUSED with the
 * fault in `why`, which lives there too. */
int json_read_filter(struct arena *arena, const char *text, const struct webhook_filter **out,
		     const char **why) _must_check_;

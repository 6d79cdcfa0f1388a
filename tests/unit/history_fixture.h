/* A history in a folder of its own, and events to fold into it. */
#pragma once

#include "history/query.h"
#include "unit.h"

struct fixture {
	char folder[32];
	struct history *history;
	struct history_settings settings;
	struct arena *arena;
	struct buffer out;
	int64_t offset;
};

/* 2026-01-31T12:00:00.000Z: the time of the fixture's first second. */
#define NOW_MS INT64_C(1769860800000)

int set_up(void **state);
int tear_down(void **state);

void reopen(struct fixture *f);
struct uuid uuid_of(uint8_t number);

/* An event of delivery `number` of the tenant "acme", `at_s` seconds after NOW_MS. Its webhook,
 * event, command and subject have the same number. */
struct analytic_event event_of(uint8_t number, enum analytic_step step, int at_s);
/* Folds and commits it. */
void fold(struct fixture *f, const struct analytic_event *event);
void fold_at(struct fixture *f, const struct analytic_event *event, int32_t partition,
	     int64_t offset);

/* The answers, as JSON without completeSince, with " for each ". Until the next call. */
const char *delivery_json(struct fixture *f, const char *tenant, uint8_t number);
const char *deliveries_json(struct fixture *f, const struct history_query *query);
/* The numbers of the deliveries that are found, "3 1", and "+" where there are more. */
const char *found(struct fixture *f, const struct history_query *query);
/* The types of the events that are found, the newest first. */
const char *found_events(struct fixture *f, const struct history_query *query);
/* A query of all that the tenant has. */
struct history_query all_of(const char *tenant);
/* completeSince of the last answer, in milliseconds after NOW_MS. */
int64_t complete_since(struct fixture *f, const char *tenant);

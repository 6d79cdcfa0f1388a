/* The events of a delivery's own steps (ANALYTIC_WEBHOOK_EVENT). Inside `domain` only. */
#pragma once

#include "domain/effects.h"

/* What is told of the delivery at each step, without the step's own values. Borrows from the
 * delivery. */
struct delivery_report delivery_event_report(struct arena *arena, const struct delivery *delivery);
/* Adds the step's event, with the id that id_of_delivery_event says. `delivery` is as before the
 * step. */
void delivery_event_add(struct effects *out, const struct delivery *delivery,
			enum analytic_step step, int64_t timestamp_ms,
			const struct delivery_report *report);

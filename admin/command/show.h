/* Outcomes on the terminal: the API's JSON, or text for people. */
#pragma once

#include "domain/analytic_event.h"
#include "terminal/status.h"

#include <stdbool.h>

/* Prints the data of a SUCCESS on stdout. Prints the error body of a FAIL on stderr, and returns
 * ADMIN_REFUSED. */
enum admin_status show_outcome(const struct analytic_event *event, bool json);

/* Prints a page of webhooks; `next_cursor` is NULL for the last one. */
enum admin_status show_page(const struct webhook_page *page, bool json) _must_check_;

/* "OpenIdCredentialIssued,OpenIdCredentialIssuedSummary"; owned by the caller. */
char *show_event_types(const struct webhook *webhook);

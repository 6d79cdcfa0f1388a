/* Outcomes on the terminal: the API's JSON, or something that people like to read. */
#pragma once

#include "domain/analytic_event.h"
#include "terminal/status.h"

#include <stdbool.h>

/* SUCCESS: its data on stdout. FAIL: the error body on stderr, and ADMIN_REFUSED. */
enum admin_status show_outcome(const struct analytic_event *event, bool json);

/* A page of webhooks; `next_cursor` NULL: the last. */
enum admin_status show_page(const struct webhook_page *page, bool json) _must_check_;

/* "OpenIdCredentialIssued,OpenIdCredentialIssuedSummary"; owned by the caller. */
char *show_event_types(const struct webhook *webhook);

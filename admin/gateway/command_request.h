/* A request of the API as a command: its members are read by the table of the operation's members;
 * other members are refused. */
#pragma once

#include "gateway/exchange.h"

/* Fills exchange->command from the path, the query, the body and the headers. Returns NULL, or the
 * problem of a malformed request (no JSON; a member of another type, unknown or repeated), which
 * has the faults of the values, too. A missing member is left empty, for the worker to refuse. */
struct problem *command_request_read(struct exchange *exchange) _must_check_;

/* A request of the API as a command: what the table of an operation's members says is read, and the
 * rest refused. */
#pragma once

#include "gateway/exchange.h"

/*
 * Fills exchange->command from the path, the query, the body and the headers. Returns NULL; or what
 * is wrong with the request as such (no JSON, members of another type, unknown or repeated ones),
 * with what the worker would refuse in the rest of it. A member that is missing is left empty, for
 * the worker to refuse.
 */
struct problem *command_request_read(struct exchange *exchange) _must_check_;

/* The members of a request's body, by the table of its operation. */
#pragma once

#include "avro/json_walk.h"
#include "gateway/exchange.h"

#include <jansson.h>

/* A request that becomes a command. */
struct reading {
	struct exchange *exchange;
	struct command *command;
	struct problem *problem; /* NULL: no fault so far */
	struct json_text text;   /* of the member that is read */
	bool has_since;
	bool is_unreadable; /* the body cannot be read, so that no member of it is judged */
};

/* Reads one member of the body into the command or the event; adds a detail to the problem where it
 * is of another type or not known. */
void body_members_read(struct reading *reading, const char *name, json_t *value);

/* Exit statuses, and error messages. A function of admin/ that can end a command prints the reason
 * itself, once, and returns a status; ADMIN_OK: the command goes on. */
#pragma once

#include "base/memory.h"

enum admin_status {
	ADMIN_OK = 0,
	ADMIN_REFUSED = 1,    /* the worker refused the command, or a check found a fault */
	ADMIN_USAGE = 2,      /* wrong usage or configuration */
	ADMIN_NO_OUTCOME = 3, /* no outcome came in time */
	ADMIN_INTERRUPTED =
	    130, /* by SIGINT or SIGTERM, before the end: the shells' status for SIGINT */
};

/* Prints one line on stderr: "posthorn-admin: ...". */
void terminal_complain(const char *format, ...) _printf_(1, 2);

/* Prints such a line for each line of `problems`. */
void terminal_complain_lines(const char *problems);

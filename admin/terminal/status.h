/*
 * What the program exits with, and how it says what went wrong. A function of `admin` that can end
 * a command says why itself, once, and returns one of these; ADMIN_OK means: go on.
 */
#pragma once

#include "base/memory.h"

enum admin_status {
	ADMIN_OK = 0,
	ADMIN_REFUSED = 1,    /* the worker refused the command, or what was checked is wrong */
	ADMIN_USAGE = 2,      /* wrong usage or configuration */
	ADMIN_NO_OUTCOME = 3, /* nothing came back in time */
	ADMIN_INTERRUPTED =
	    130, /* by SIGINT or SIGTERM, before all was done: as shells say it of SIGINT */
};

/* One line on stderr: "posthorn-admin: ...". */
void terminal_complain(const char *format, ...) _printf_(1, 2);

/* The same line for each line of `problems`. */
void terminal_complain_lines(const char *problems);

/* --help. */
#pragma once

#include "command/command.h"

#include <stdio.h>

/* Of the program; of a family that has several commands; of one command, on stdout. */
void usage_print(FILE *out);
void usage_print_family(const struct subcommand *family);
void usage_print_subcommand(const struct subcommand *row);

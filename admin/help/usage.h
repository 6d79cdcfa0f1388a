/* --help. */
#pragma once

#include "command/command.h"

#include <stdio.h>

/* Prints the help of the program; of a family with several commands; of one command. The latter two
 * print on stdout. */
void usage_print(FILE *out);
void usage_print_family(const struct subcommand *family);
void usage_print_subcommand(const struct subcommand *row);

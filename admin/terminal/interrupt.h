/* Ctrl-C and SIGTERM, for commands that have work to finish first. A second signal ends the program
 * at once, with 128 and its number, as process 1 too. A write that the first interrupts goes on:
 * nothing printed is cut. */
#pragma once

#include <stdbool.h>

void interrupt_catch(void);
bool interrupt_came(void);

/* Ctrl-C and SIGTERM, for commands that have work to finish first. A second signal ends the program
 * at once. */
#pragma once

#include <stdbool.h>

void interrupt_catch(void);
bool interrupt_came(void);

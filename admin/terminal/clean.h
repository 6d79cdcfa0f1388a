/* Text of strangers on an operator's terminal. */
#pragma once

/* Replaces what a terminal would obey by "?": C0 controls, DEL and, in UTF-8, C1 controls. Source: ECMA-48 section 5. */
void terminal_clean(char *text);

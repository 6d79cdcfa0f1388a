/* Text of strangers on an operator's terminal. */
#pragma once

/* Replaces what a terminal would obey (utf8_control) by "?", one for each byte. */
void terminal_clean(char *text);

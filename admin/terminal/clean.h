/* Untrusted text on an operator's terminal. */
#pragma once

/* Replaces control characters (utf8_control) by "?", one for each byte. */
void terminal_clean(char *text);

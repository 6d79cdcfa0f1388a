#include "terminal/clean.h"

static int is_c1(const char *p) {
	return (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] <= 0x9f;
}

void terminal_clean(char *text) {
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (is_c1(p))
			p[0] = p[1] = '?';
}

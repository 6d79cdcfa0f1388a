#include "terminal/clean.h"

#include "base/utf8.h"

#include <string.h>

void terminal_clean(char *text) {
	uint32_t code_point;

	while (*text) {
		size_t len = utf8_control(text, &code_point);

		memset(text, '?', len);
		text += len ? len : 1;
	}
}

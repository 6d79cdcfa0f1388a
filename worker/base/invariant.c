#include "base/invariant.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DETAILS_MAX = 2048 };

void invariant_broken(const char *words, const char *file, int line, const char *details, ...) {
	char text[DETAILS_MAX];
	va_list args;

	va_start(args, details);
	vsnprintf(text, sizeof(text), details, args);
	va_end(args);
	log_error("an invariant is broken: this is a mistake in posthorn, please report it",
		  "invariant=%s file=%s line=%d%s%s", log_quote(words), file, line,
		  text[0] ? " " : "", text);
	abort();
}

#include "base/invariant.h"

#include "base/log.h"

#include <stdlib.h>

void invariant_broken(const char *words, const char *file, int line) {
	log_error("an invariant is broken: this is a mistake in posthorn, please report it",
		  "invariant=%s file=%s line=%d", log_quote(words), file, line);
	abort();
}

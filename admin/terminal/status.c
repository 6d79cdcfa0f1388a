#include "terminal/status.h"

#include "base/memory.h"
#include "terminal/clean.h"

#include <stdarg.h>
#include <stdio.h>

void terminal_complain(const char *format, ...) {
	_cleanup_(x_freep) char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	va_end(args);
	terminal_clean(text);
	fprintf(stderr, "posthorn-admin: %s\n", text);
}

void terminal_complain_lines(const char *problems) {
	while (problems && *problems) {
		size_t len = strcspn(problems, "\n");

		terminal_complain("%.*s", (int)len, problems);
		problems += len + (problems[len] == '\n');
	}
}

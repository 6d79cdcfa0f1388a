#include "terminal/status.h"

#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...) {
	va_list args;

	fputs("posthorn-admin: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void complain_lines(const char *problems) {
	while (problems && *problems) {
		size_t len = strcspn(problems, "\n");

		complain("%.*s", (int)len, problems);
		problems += len + (problems[len] == '\n');
	}
}

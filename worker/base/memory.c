#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>

static void *checked(void *p) {
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *x_malloc(size_t size) {
	return checked(malloc(size ? size : 1));
}

void *x_calloc(size_t count, size_t size) {
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *x_realloc(void *p, size_t size) {
	return checked(realloc(p, size ? size : 1));
}

char *x_strdup(const char *s) {
	return checked(strdup(s));
}

char *x_strndup(const char *s, size_t len) {
	return checked(strndup(s, len));
}

char *x_asprintf(const char *format, ...) {
	va_list args;
	char *s = NULL;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return checked(s);
}

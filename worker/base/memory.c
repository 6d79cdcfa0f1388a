#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>

void out_of_memory(void) {
	fputs("out of memory\n", stderr);
	abort();
}

void *x_checked(void *p) {
	if (!p)
		out_of_memory();
	return p;
}

void *x_malloc(size_t size) {
	return x_checked(malloc(size ? size : 1));
}

void *x_calloc(size_t count, size_t size) {
	return x_checked(calloc(count ? count : 1, size ? size : 1));
}

void *x_realloc(void *p, size_t size) {
	return x_checked(realloc(p, size ? size : 1));
}

char *x_strdup(const char *s) {
	return x_checked(strdup(s));
}

char *x_strndup(const char *s, size_t len) {
	size_t copied = strnlen(s, len);
	char *copy = memcpy(x_malloc(copied + 1), s, copied);

	copy[copied] = '\0';
	return copy;
}

char *x_asprintf(const char *format, ...) {
	va_list args;
	char *s = NULL;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return x_checked(s);
}

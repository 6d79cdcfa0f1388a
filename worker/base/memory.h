/*
 * Ownership by cleanup attributes, and the allocation policy.
 *
 * Every size from outside is bounded before it is allocated, so a failing allocation means that the
 * machine is out of memory, not that a record was hostile. The x_ functions therefore never return
 * NULL: they log and abort. That is safe: a worker may die at any moment without losing anything.
 *
 *     _cleanup_(buffer_freep) struct buffer *b = buffer_new(...);   a local owner
 *     *out = TAKE(b);                                               hands over
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args), nonnull(fmt)))
#define _unused_ __attribute__((unused))

/* Hands the pointer over and leaves NULL behind, so that the cleanup attribute does nothing. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		typeof(p) *_p = &(p);                                                              \
		typeof(p) _v = *_p;                                                                \
		*_p = NULL;                                                                        \
		_v;                                                                                \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) _min_a = (a);                                                            \
		typeof(b) _min_b = (b);                                                            \
		_min_a < _min_b ? _min_a : _min_b;                                                 \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) _max_a = (a);                                                            \
		typeof(b) _max_b = (b);                                                            \
		_max_a > _max_b ? _max_a : _max_b;                                                 \
	})
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/* Defines name##p(), the cleanup function for a local T*, from name(), which takes a T* and
 * accepts NULL. */
#define DEFINE_CLEANUP(T, name)                                                                    \
	static inline void name##p(T **p) {                                                        \
		if (*p)                                                                            \
			name(*p);                                                                  \
	}

void *x_malloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *x_calloc(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *x_realloc(void *p, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
char *x_strdup(const char *s) __attribute__((malloc, returns_nonnull));
/* Of `len` bytes at most. The text need not be terminated: a strndup must be handed one that is,
 * where the address sanitizer checks strings strictly. */
char *x_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *x_asprintf(const char *format, ...) __attribute__((malloc, returns_nonnull)) _printf_(1, 2);

/* The same for what a library allocates: returns `p`. */
void *x_checked(void *p) __attribute__((returns_nonnull));
/* Where a library's call that allocates has failed. Logs and aborts. */
void out_of_memory(void) __attribute__((noreturn));

static inline void x_freep(void *p) {
	free(*(void **)p);
}

#include "base/fault.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct {
	char *step; /* NULL: none */
	atomic_long left;
} armed;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void arm(void) {
	const char *wanted = getenv("POSTHORN_FAULT"), *colon;

	if (!wanted)
		return;
	colon = strchrnul(wanted, ':');
	armed.step = x_strndup(wanted, (size_t)(colon - wanted));
	armed.left = *colon ? strtol(colon + 1, NULL, 10) : 1;
}

void fault_step(const char *step) {
	pthread_once(&once, arm);
	if (armed.step && strcmp(armed.step, step) == 0 && atomic_fetch_sub(&armed.left, 1) == 1)
		_exit(FAULT_EXIT_STATUS);
}

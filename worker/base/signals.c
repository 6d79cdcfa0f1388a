#include "base/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t ending(void) {
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

void signals_block(void) {
	const sigset_t set = ending();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signals_wait(int64_t timeout_ms) {
	const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
					  .tv_nsec = timeout_ms % 1000 * 1000000 };
	const sigset_t set = ending();

	return sigtimedwait(&set, NULL, timeout_ms < 0 ? NULL : &timeout) > 0;
}

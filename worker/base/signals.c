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

static sigset_t heeded(void) {
	sigset_t set = ending();

	sigaddset(&set, SIGHUP);
	return set;
}

void signals_block(void) {
	const sigset_t set = heeded();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Of several that have come, the kernel gives the lowest number first: SIGHUP. */
static enum signal_asked end_first(void) {
	const struct timespec at_once = { 0 };
	const sigset_t set = ending();

	return sigtimedwait(&set, NULL, &at_once) > 0 ? SIGNAL_END : SIGNAL_RELOAD;
}

enum signal_asked signals_wait(int64_t timeout_ms) {
	const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
					  .tv_nsec = timeout_ms % 1000 * 1000000 };
	const sigset_t set = heeded();
	int signal = sigtimedwait(&set, NULL, timeout_ms < 0 ? NULL : &timeout);

	if (signal <= 0)
		return SIGNAL_NONE;
	return signal == SIGHUP ? end_first() : SIGNAL_END;
}

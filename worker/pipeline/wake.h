/* How the pipeline's thread sleeps: on an eventfd that all who have something for it write to. */
#pragma once

#include <poll.h>
#include <stdint.h>
#include <unistd.h>

/* Sleeps until the eventfd is written to, at most `timeout_ms`. */
static inline void wake_wait(int fd, int64_t timeout_ms) {
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	if (poll(&pollfd, 1, timeout_ms > 0 ? (int)timeout_ms : 0) > 0 &&
	    read(fd, &count, sizeof(count)) < 0)
		return; /* another wake-up was read already */
}

/* May be called on any thread. */
static inline void wake_up(int fd) {
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

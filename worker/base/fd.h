/* A file descriptor that its scope owns: _cleanup_(fd_closep) int fd = open(...). */
#pragma once

#include <unistd.h>

/* A negative one is none. */
static inline void fd_closep(int *fd) {
	if (*fd >= 0)
		close(*fd);
}

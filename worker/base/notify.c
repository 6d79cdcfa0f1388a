#include "base/notify.h"

#include "base/fd.h"
#include "base/memory.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* While the manager reads nothing, a few words fill its socket, whoever has sent them. */
enum { WAIT_S = 5 };

static int open_socket(void) {
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	return fd;
}

/* A name that begins with @ is one of the abstract namespace: its first byte is NUL. */
static void tell(const char *state, int flags) {
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = name ? strlen(name) : 0;
	_cleanup_(fd_closep) int fd = -1;

	if (len == 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = open_socket();
	if (fd >= 0)
		(void)!sendto(fd, state, strlen(state), flags | MSG_NOSIGNAL,
			      (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

void notify_ready(void) {
	tell("READY=1", 0);
}

/* The time tells the manager which READY=1 answers this reload. */
void notify_reloading(void) {
	struct timespec now;
	char state[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell(state, 0);
}

void notify_stopping(void) {
	tell("STOPPING=1", 0);
}

void notify_watchdog(void) {
	if (getenv("WATCHDOG_USEC"))
		tell("WATCHDOG=1", MSG_DONTWAIT);
}

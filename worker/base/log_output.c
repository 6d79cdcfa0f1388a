#include "base/log_output.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int own_fd = -1; /* descriptor 2 opened a second time, non-blocking; -1: not possible */
static bool is_journal;

static struct {
	char bytes[LOG_LINE_MAX];
	size_t len;
} rest; /* the unwritten rest of a line that was begun */

/* A program whose stderr leads elsewhere inherits the variable too; so it names the file. */
static bool leads_to_journal(const struct stat *file) {
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];

	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)file->st_dev, (uintmax_t)file->st_ino);
	return stream && strcmp(stream, name) == 0;
}

void log_output_open(void) {
	struct stat file;

	if (fstat(STDERR_FILENO, &file) < 0)
		return;
	is_journal = leads_to_journal(&file);
	if (!S_ISFIFO(file.st_mode) && !isatty(STDERR_FILENO))
		return;
	own_fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool log_output_is_journal(void) {
	return is_journal;
}

/* Returns the bytes written, or -1 when the write would block or fails. */
static ssize_t write_some(const char *bytes, size_t len) {
	struct pollfd pollfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written;

	if (own_fd >= 0)
		return write(own_fd, bytes, len);
	written = send(STDERR_FILENO, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (written >= 0 || errno != ENOTSOCK)
		return written;
	if (poll(&pollfd, 1, 0) <= 0)
		return -1;
	return write(STDERR_FILENO, bytes, MIN(len, (size_t)PIPE_BUF));
}

static size_t write_most(const char *bytes, size_t len) {
	size_t done = 0;

	while (done < len) {
		ssize_t written = write_some(bytes + done, len - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break;
		done += (size_t)written;
	}
	return done;
}

static void keep_rest(const char *bytes, size_t len) {
	rest.len = MIN(len, sizeof(rest.bytes));
	memmove(rest.bytes, bytes, rest.len);
}

bool log_output_write(const char *line, size_t len) {
	size_t done = write_most(rest.bytes, rest.len);

	keep_rest(rest.bytes + done, rest.len - done);
	if (rest.len)
		return false;
	done = write_most(line, len);
	if (done)
		keep_rest(line + done, len - done);
	return done;
}

#include "base/process.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * libcurl and GnuTLS write the secrets of every TLS connection to the file in SSLKEYLOGFILE. With
 * GNUTLS_DEBUG_LEVEL, GnuTLS writes keys to stderr. With QLOGDIR, libcurl writes a file for each
 * QUIC connection.
 */
static const char *const unwanted_variables[] = { "SSLKEYLOGFILE", "GNUTLS_DEBUG_LEVEL",
						  "QLOGDIR" };

static int open_descriptors(void) {
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

static bool take_variables(void) {
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(unwanted_variables); i++) {
		if (!getenv(unwanted_variables[i]))
			continue;
		log_warn("environment variable is ignored: a library would write secrets",
			 "name=%s", unwanted_variables[i]);
		unsetenv(unwanted_variables[i]);
		found = true;
	}
	return found;
}

/* Executes the program's own path, so that the kernel names the process after it. If that fails,
 * the variables are only unset. */
static void execute_again(char **argv) {
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		return;
	path[len] = '\0';
	execv(path, argv);
}

#ifndef POSTHORN_FAULTS
/* Takes the heap, the stacks and the data out of a dump. gdb's gcore heeds it as the kernel does.
 * Source: core(5), "Controlling which mappings are written to the core dump". */
static void filter_dump(void) {
	_cleanup_(fd_closep) int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		log_warn("a tracer's dump of this process may hold secrets", "error=%s",
			 log_quote(strerror(errno)));
}

static void keep_memory_private(void) {
	static const struct rlimit none = { 0, 0 };

	/* Its files in /proc are root's as soon as it is not dumpable. */
	filter_dump();
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}
#endif

static void end_by_signal(int number) {
	_exit(128 + number);
}

/* Process 1 of a container inherits the orphans of others, which would stay as zombies; and it gets
 * only signals that it has a handler for. Source: pid_namespaces(7). */
static void serve_as_process_1(void) {
	const struct sigaction end = { .sa_handler = end_by_signal };

	signal(SIGCHLD, SIG_IGN);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
}

int process_harden(char **argv) {
	int r = open_descriptors();

	if (r < 0)
		return r;
	log_output_open();
	if (take_variables())
		execute_again(argv);
	if (getpid() == 1)
		serve_as_process_1();
#ifndef POSTHORN_FAULTS
	keep_memory_private();
#endif
	return 0;
}

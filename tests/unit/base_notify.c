/* The words to a service manager, as its socket receives them. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/notify.h"
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ROOM = 256, WORDS_MAX = 2000 };

/* A manager's socket in the abstract namespace, which needs no file. */
static int manage(char name[ROOM]) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int len = snprintf(name, ROOM, "@posthorn-notify-%d", (int)getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
			 0);
	return fd;
}

static const char *heard(int fd) {
	static char text[ROOM];
	ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void the_manager_hears_each_word(void **state _unused_) {
	char name[ROOM];
	_cleanup_(fd_closep) int fd = manage(name);
	long long before_us = clock_monotonic_us(), told_us = 0;

	setenv("NOTIFY_SOCKET", name, 1);
	notify_ready();
	assert_string_equal(heard(fd), "READY=1");
	notify_reloading();
	assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%lld", &told_us), 1);
	assert_in_range(told_us, before_us, clock_monotonic_us());
	notify_stopping();
	assert_string_equal(heard(fd), "STOPPING=1");
}

static void the_watchdog_hears_only_where_it_is_wanted(void **state _unused_) {
	char name[ROOM];
	_cleanup_(fd_closep) int fd = manage(name);

	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	notify_watchdog();
	assert_string_equal(heard(fd), "");
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_watchdog();
	assert_string_equal(heard(fd), "WATCHDOG=1");
}

/* Reads, after a while, up to the first word that is not the watchdog's. */
static void *read_late(void *userdata) {
	struct pollfd manager = { .fd = *(int *)userdata, .events = POLLIN };
	const char *word = "";

	poll(NULL, 0, 200);
	while (poll(&manager, 1, 20 * 1000) == 1 && !strcmp(word = heard(manager.fd), "WATCHDOG=1"))
		;
	return x_strdup(word);
}

/* More words than its socket holds: the watchdog's are lost, and the start's is not. */
static void a_busy_manager_hears_that_it_is_ready(void **state _unused_) {
	char name[ROOM];
	_cleanup_(fd_closep) int fd = manage(name);
	_cleanup_(x_freep) char *word = NULL;
	pthread_t thread;

	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	for (int i = 0; i < WORDS_MAX; i++)
		notify_watchdog();
	assert_int_equal(pthread_create(&thread, NULL, read_late, &fd), 0);
	notify_ready();
	pthread_join(thread, (void **)&word);
	assert_string_equal(word, "READY=1");
}

/* Longer than an address may be, and others at which nobody listens. */
static void no_manager_is_no_error(void **state _unused_) {
	static const char *const names[] = { "", "@posthorn-nobody", "/nowhere/notify",
					     "relative" };
	char endless[ROOM];

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_ready();
	}
	setenv("NOTIFY_SOCKET", endless, 1);
	notify_ready();
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manager_hears_each_word),
		cmocka_unit_test(the_watchdog_hears_only_where_it_is_wanted),
		cmocka_unit_test(a_busy_manager_hears_that_it_is_ready),
		cmocka_unit_test(no_manager_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

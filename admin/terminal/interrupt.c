#include "terminal/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t came;

/* The kernel's own end, by the default handler, would not end process 1. Source:
 * pid_namespaces(7). */
static void on_signal(int number) {
	if (came)
		_exit(128 + number);
	came = 1;
}

void interrupt_catch(void) {
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupt_came(void) {
	return came;
}

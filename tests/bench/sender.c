#include "sender.h"

#include "stream.h"

#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { OWN_PORTS = 16 };

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "deliveries", offsetof(struct sender, deliveries) },
	{ "webhooks", offsetof(struct sender, webhooks) },
	{ "hosts", offsetof(struct sender, hosts) },
	{ "connections", offsetof(struct sender, connections) },
	{ "hung", offsetof(struct sender, hung) },
	{ "in-flight", offsetof(struct sender, in_flight) },
	{ "threads", offsetof(struct sender, threads) },
	{ "bytes", offsetof(struct sender, bytes) },
	{ "warm-up", offsetof(struct sender, warm_up) },
};
enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]), PORT = NUMBERS, AUTHORITIES };

static _Noreturn void usage(void) {
	fprintf(stderr, "options, each with a value: --port (again and again), --authorities FILE");
	for (size_t i = 0; i < NUMBERS; i++)
		fprintf(stderr, ", --%s", numbers[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static void add_port(struct sender *sender, unsigned long port) {
	if (sender->port_count == SENDER_PORTS_MAX)
		usage();
	sender->ports[sender->port_count++] = (uint16_t)port;
}

/* In the child: the receiver that was built beside this program. */
static _Noreturn void become_receiver(int input, int output) {
	char path[PATH_MAX] = "", program[PATH_MAX + 32];

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		die("/proc/self/exe");
	snprintf(program, sizeof(program), "%s/bench_receiver", dirname(path));
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(program, program, (char *)NULL);
	die(program);
}

static void start_receiver(struct sender *sender) {
	int commands[2], answers[2], port;
	FILE *from;

	if (pipe(commands) || pipe(answers))
		die("pipe");
	if (fork() == 0) {
		close(commands[1]);
		become_receiver(commands[0], answers[1]);
	}
	dprintf(commands[1], "open %d\n", OWN_PORTS);
	from = fdopen(answers[0], "r");
	for (int i = 0; i < OWN_PORTS; i++) {
		if (!from || fscanf(from, "%d", &port) != 1)
			die("the receiver");
		add_port(sender, (unsigned long)port);
	}
}

struct sender sender_from_arguments(int argc, char **argv) {
	struct sender sender = { .deliveries = 100000,
				 .webhooks = 200,
				 .hosts = 16,
				 .connections = 16,
				 .in_flight = 64,
				 .threads = 1 };
	struct option options[NUMBERS + 3] = { [PORT] = { .name = "port" },
					       [AUTHORITIES] = { .name = "authorities" } };
	int chosen, index;

	for (int i = 0; i < NUMBERS + 2; i++) {
		options[i].has_arg = required_argument;
		if (i < NUMBERS)
			options[i].name = numbers[i].name;
	}
	while ((chosen = getopt_long(argc, argv, "", options, &index)) == 0) {
		if (index == AUTHORITIES)
			sender.authorities = optarg;
		else if (index == PORT)
			add_port(&sender, strtoul(optarg, NULL, 10));
		else
			*(size_t *)((char *)&sender + numbers[index].offset) =
			    strtoul(optarg, NULL, 10);
	}
	if (chosen != -1 || optind < argc || !sender.deliveries || !sender.hosts ||
	    !sender.webhooks)
		usage();
	if (!sender.port_count)
		start_receiver(&sender);
	return sender;
}

void sender_host(size_t number, char out[64]) {
	snprintf(out, 64, "host%zu.bench.test", number);
}

uint16_t sender_port(const struct sender *sender, size_t host) {
	return sender->ports[host % sender->port_count];
}

double sender_cpu_us(void) {
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int64_t sender_now_us(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* getrusage knows it too, but with that of the process that this one was before exec. */
static double peak_memory_mib(void) {
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	unsigned long kib = 0;

	while (status && !kib && fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %lu", &kib);
	if (status)
		fclose(status);
	return (double)kib / 1024;
}

void sender_report(const struct sender *sender, double cpu_before_us, int64_t began_us) {
	printf("cpu_us_per_delivery %.2f\n",
	       (sender_cpu_us() - cpu_before_us) / (double)sender->deliveries);
	printf("wall_us_per_delivery %.2f\n",
	       (double)(sender_now_us() - began_us) / (double)sender->deliveries);
	printf("peak_memory_mib %.1f\n", peak_memory_mib());
}

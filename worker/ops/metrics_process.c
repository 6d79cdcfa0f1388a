#include "ops/metrics_process.h"

#include "base/exposition.h"
#include "trace/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void render_spans(struct buffer *out) {
	struct trace_counts counts = trace_counts();

	exposition_family(out, "posthorn_spans_total", "counter",
			  "Spans for the collector of traces, by what became of them.");
	buffer_printf(out, "posthorn_spans_total{result=\"sent\"} %" PRIu64 "\n", counts.sent);
	buffer_printf(out, "posthorn_spans_total{result=\"dropped\"} %" PRIu64 "\n",
		      counts.dropped);
}

static void render_resources(struct buffer *out) {
	struct rusage usage;
	long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm) {
		if (fscanf(statm, "%*d %ld", &pages) != 1)
			pages = 0;
		fclose(statm);
	}
	getrusage(RUSAGE_SELF, &usage);
	exposition_family(out, "process_cpu_seconds_total", "counter", "User and system CPU time.");
	buffer_printf(out, "process_cpu_seconds_total %.3f\n",
		      (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	exposition_single(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
			  (int64_t)pages * sysconf(_SC_PAGESIZE));
}

void metrics_process_render(struct buffer *out, const char *version) {
	render_spans(out);
	render_resources(out);
	exposition_log_lines(out);
	exposition_family(out, "posthorn_build_info", "gauge", "The running version.");
	buffer_printf(out, "posthorn_build_info{version=\"%s\"} 1\n", version);
}

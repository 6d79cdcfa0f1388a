/*
 * Metrics as text, for Prometheus: version 0.0.4.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#pragma once

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The head of a metric, whose samples follow: `type` is counter, gauge or histogram. */
void exposition_family(struct buffer *out, const char *name, const char *type, const char *help);
/* A metric with one sample and no labels. */
void exposition_single(struct buffer *out, const char *name, const char *type, const char *help,
		       int64_t value);

struct exposition_histogram {
	const double *bounds; /* [bound_count], ascending */
	size_t bound_count;
	const uint64_t *counts; /* [bound_count + 1], each of its bucket alone */
	double sum;
};

void exposition_histogram(struct buffer *out, const char *name, const char *help,
			  const struct exposition_histogram *histogram);

/* posthorn_log_lines_dropped_total, which every program has. */
void exposition_log_lines(struct buffer *out);
/* posthorn_disk_free_bytes and posthorn_disk_size_bytes, of the file system that has the folder;
 * without samples where that is not known. */
void exposition_disk(struct buffer *out, const char *folder);
/* posthorn_certificate_expiry_timestamp_seconds; without a sample where `expires_s` is 0. */
void exposition_certificate(struct buffer *out, const char *help, int64_t expires_s);

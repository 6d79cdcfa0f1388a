/* The jobs that ended: put here by the delivery threads, collected by the pipeline. */
#pragma once

#include "delivery/job_list.h"

#include <pthread.h>

struct outbox {
	pthread_mutex_t mutex;
	struct job_list jobs;
	void (*notify)(void *userdata); /* NULL: none */
	void *userdata;
};

void outbox_init(struct outbox *outbox, void (*notify)(void *userdata), void *userdata);
/* Frees the jobs that were not collected. */
void outbox_destroy(struct outbox *outbox);

/* Takes the jobs and leaves an empty list. Notifies where the outbox was empty before. Any thread.
 */
void outbox_put(struct outbox *outbox, struct job_list *jobs);
/* All jobs so far, in order and linked by `next`; the caller owns them. */
struct job *outbox_take(struct outbox *outbox);

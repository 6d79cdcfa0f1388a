/* Where the delivery threads put the jobs that ended, for the pipeline to collect. */
#pragma once

#include "delivery/job_list.h"

#include <pthread.h>

struct outbox {
	pthread_mutex_t mutex;
	struct job_list jobs;
	void (*notify)(void *userdata);
	void *userdata;
};

void outbox_init(struct outbox *outbox, void (*notify)(void *userdata), void *userdata);
/* Frees what was not collected. */
void outbox_destroy(struct outbox *outbox);

/* Takes the jobs; notifies when the outbox was empty before. */
void outbox_put(struct outbox *outbox, struct job_list *jobs);
struct job *outbox_take(struct outbox *outbox);

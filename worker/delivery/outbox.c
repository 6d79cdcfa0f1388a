#include "delivery/outbox.h"

void outbox_init(struct outbox *outbox, void (*notify)(void *userdata), void *userdata) {
	*outbox = (struct outbox){ .notify = notify, .userdata = userdata };
	pthread_mutex_init(&outbox->mutex, NULL);
}

void outbox_destroy(struct outbox *outbox) {
	job_list_free(&outbox->jobs);
	pthread_mutex_destroy(&outbox->mutex);
}

void outbox_put(struct outbox *outbox, struct job_list *jobs) {
	bool was_empty;

	if (!jobs->head)
		return;
	pthread_mutex_lock(&outbox->mutex);
	was_empty = !outbox->jobs.head;
	job_list_append(&outbox->jobs, jobs);
	pthread_mutex_unlock(&outbox->mutex);
	if (was_empty && outbox->notify)
		outbox->notify(outbox->userdata);
}

struct job *outbox_take(struct outbox *outbox) {
	struct job *jobs;

	pthread_mutex_lock(&outbox->mutex);
	jobs = outbox->jobs.head;
	outbox->jobs = (struct job_list){ 0 };
	pthread_mutex_unlock(&outbox->mutex);
	return jobs;
}

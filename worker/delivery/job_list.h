/* A list of jobs, linked by job.next. The holder of the list owns its jobs. */
#pragma once

#include "delivery/job.h"

struct job_list {
	struct job *head;
	struct job *tail;
	size_t count;
};

static inline void job_list_push(struct job_list *list, struct job *job) {
	job->next = NULL;
	if (list->tail)
		list->tail->next = job;
	else
		list->head = job;
	list->tail = job;
	list->count++;
}

static inline struct job *job_list_pop(struct job_list *list) {
	struct job *job = list->head;

	if (!job)
		return NULL;
	list->head = job->next;
	if (!list->head)
		list->tail = NULL;
	list->count--;
	job->next = NULL;
	return job;
}

/* Moves all of `from` to the end of `to`. */
static inline void job_list_append(struct job_list *to, struct job_list *from) {
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	to->count += from->count;
	*from = (struct job_list){ 0 };
}

/* None of them was attempted. */
static inline void job_list_refuse(struct job_list *list) {
	for (struct job *job = list->head; job; job = job->next)
		job->end = JOB_REFUSED;
}

static inline void job_list_free(struct job_list *list) {
	struct job *job;

	while ((job = job_list_pop(list)))
		job_free(job);
}

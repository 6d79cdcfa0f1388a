/* What is said to a delivery thread, in the order it was said, and how it is woken. */
#pragma once

#include "delivery/job_list.h"

#include <pthread.h>

enum message_kind {
	MESSAGE_JOBS,  /* queue these */
	MESSAGE_DROP,  /* refuse what is queued for a webhook */
	MESSAGE_SWEEP, /* a gate moved: refuse what is queued and would not pass */
	MESSAGE_STOP,  /* refuse everything that is queued, end at the deadline */
};

struct message {
	struct message *next;
	enum message_kind kind;
	struct job_list jobs; /* owned */
	struct uuid webhook_id;
	int64_t deadline_us; /* monotonic */
};

struct inbox {
	pthread_mutex_t mutex;
	struct message *head;
	struct message *tail;
	int event_fd; /* readable while there are messages */
};

/* Returns 0 or a negative errno. */
int inbox_init(struct inbox *inbox) _must_check_;
void inbox_destroy(struct inbox *inbox);

/* Copies the message and takes its jobs. */
void inbox_put(struct inbox *inbox, const struct message *message);

/* Everything said so far, oldest first; each to be freed by the caller. Quiets the event_fd. */
struct message *inbox_take(struct inbox *inbox);

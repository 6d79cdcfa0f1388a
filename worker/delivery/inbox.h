/* Messages to a delivery thread, in order, and the descriptor that wakes it. */
#pragma once

#include "delivery/job_list.h"

#include <pthread.h>

enum message_kind {
	MESSAGE_JOBS,  /* queue these */
	MESSAGE_DROP,  /* refuse the queued jobs of a webhook */
	MESSAGE_SWEEP, /* a gate moved: refuse queued jobs that it does not admit */
	MESSAGE_STOP,  /* refuse all queued jobs, end at the deadline */
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

/* All messages so far, oldest first; the caller owns each. The event_fd is not readable any more.
 */
struct message *inbox_take(struct inbox *inbox);

/* Messages to a delivery thread, in order, and the descriptor that wakes it. */
#pragma once

#include "delivery/job_list.h"

#include <pthread.h>

enum inbox_message_kind {
	INBOX_JOBS,  /* queue these */
	INBOX_DROP,  /* refuse the queued jobs of a webhook */
	INBOX_SWEEP, /* a gate moved: refuse queued jobs that it does not admit */
	INBOX_STOP,  /* refuse all queued jobs, end at the deadline */
};

struct inbox_message {
	struct inbox_message *next;
	enum inbox_message_kind kind;
	struct job_list jobs; /* owned */
	struct uuid webhook_id;
	int64_t deadline_us; /* monotonic */
};

struct inbox {
	pthread_mutex_t mutex;
	struct inbox_message *head;
	struct inbox_message *tail;
	int event_fd; /* readable while there are messages */
};

/* Returns 0 or a negative errno. */
int inbox_init(struct inbox *inbox) _must_check_;
void inbox_destroy(struct inbox *inbox);

/* Copies the message and takes its jobs. */
void inbox_put(struct inbox *inbox, const struct inbox_message *message);

/* All messages so far, oldest first; the caller owns each. The event_fd is not readable any more.
 */
struct inbox_message *inbox_take(struct inbox *inbox);

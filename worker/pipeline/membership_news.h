/* News of the group: kept in its order until they are followed. */
#pragma once

#include "base/memory.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

enum membership_event {
	MEMBERSHIP_ASSIGNED, /* `partitions` are ours now */
	MEMBERSHIP_REVOKED,  /* all are to be given away */
	MEMBERSHIP_STRAY, /* a record came on a way where none should: the inputs are read again */
	MEMBERSHIP_INPUT_LOST, /* the offset that `topic` and `partition` are to go on from is not
				  there */
	MEMBERSHIP_EXPIRED,    /* the session timed out and the consumer is of no use any more */
	MEMBERSHIP_REPLACED,   /* another worker with this worker.id took over (logged) */
	MEMBERSHIP_REFUSED,    /* the consumer failed for good (logged) */
};

struct membership_news {
	enum membership_event event;
	rd_kafka_topic_partition_list_t *partitions; /* owned; NULL where there are none */
	struct membership_news *next;
};

void membership_news_free(struct membership_news *news);
DEFINE_CLEANUP(struct membership_news, membership_news_free)

/* Zeroed: empty. It owns its news. */
struct membership_news_list {
	struct membership_news *first, *last;
};

/* Takes the partitions. */
void membership_news_add(struct membership_news_list *list, enum membership_event event,
			 rd_kafka_topic_partition_list_t *partitions);
/* The oldest, which the caller frees; NULL: none. */
struct membership_news *membership_news_take(struct membership_news_list *list);
/* Whether there are any but those of `event`. */
bool membership_news_has_beside(const struct membership_news_list *list,
				enum membership_event event);
/* Forgets those of `event`. */
void membership_news_drop(struct membership_news_list *list, enum membership_event event);
void membership_news_clear(struct membership_news_list *list);

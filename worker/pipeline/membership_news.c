#include "pipeline/membership_news.h"

void membership_news_free(struct membership_news *news) {
	if (!news)
		return;
	if (news->partitions)
		rd_kafka_topic_partition_list_destroy(news->partitions);
	free(news);
}

static void append(struct membership_news_list *list, struct membership_news *news) {
	if (list->last)
		list->last->next = news;
	else
		list->first = news;
	list->last = news;
}

void membership_news_add(struct membership_news_list *list, enum membership_event event,
			 rd_kafka_topic_partition_list_t *partitions) {
	struct membership_news *news = x_calloc(1, sizeof(*news));

	*news = (struct membership_news){ .event = event, .partitions = partitions };
	append(list, news);
}

struct membership_news *membership_news_take(struct membership_news_list *list) {
	struct membership_news *news = list->first;

	if (!news)
		return NULL;
	list->first = TAKE(news->next);
	if (!list->first)
		list->last = NULL;
	return news;
}

bool membership_news_has_beside(const struct membership_news_list *list,
				enum membership_event event) {
	for (const struct membership_news *news = list->first; news; news = news->next)
		if (news->event != event)
			return true;
	return false;
}

void membership_news_drop(struct membership_news_list *list, enum membership_event event) {
	struct membership_news_list kept = { 0 };
	struct membership_news *news;

	while ((news = membership_news_take(list))) {
		if (news->event == event)
			membership_news_free(news);
		else
			append(&kept, news);
	}
	*list = kept;
}

void membership_news_clear(struct membership_news_list *list) {
	struct membership_news *news;

	while ((news = membership_news_take(list)))
		membership_news_free(news);
}

#include "http/inbox.h"

#include "base/invariant.h"
#include "base/memory.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

int http_inbox_init(struct http_inbox *inbox) {
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return inbox->event_fd < 0 ? -errno : 0;
}

void http_inbox_destroy(struct http_inbox *inbox) {
	struct http_arrival *arrival, *next;

	LL_FOREACH_SAFE(inbox->arrivals, arrival, next) {
		close(arrival->fd);
		free(arrival);
	}
	if (inbox->event_fd >= 0)
		close(inbox->event_fd);
	pthread_mutex_destroy(&inbox->lock);
}

void http_inbox_wake(struct http_inbox *inbox) {
	uint64_t one = 1;
	ssize_t r = write(inbox->event_fd, &one, sizeof(one));

	invariant(r >= 0 || errno == EAGAIN, "the thread of an inbox can be woken");
}

void http_inbox_put_arrival(struct http_inbox *inbox, int fd, const struct in6_addr *address) {
	struct http_arrival *arrival = x_malloc(sizeof(*arrival));

	*arrival = (struct http_arrival){ .fd = fd, .address = *address };
	pthread_mutex_lock(&inbox->lock);
	LL_PREPEND(inbox->arrivals, arrival);
	pthread_mutex_unlock(&inbox->lock);
	http_inbox_wake(inbox);
}

void http_inbox_put_answered(struct http_inbox *inbox, struct http_answered *answered) {
	bool was_empty;

	pthread_mutex_lock(&inbox->lock);
	was_empty = !inbox->answered;
	LL_PREPEND(inbox->answered, answered);
	pthread_mutex_unlock(&inbox->lock);
	if (was_empty)
		http_inbox_wake(inbox);
}

void http_inbox_take(struct http_inbox *inbox, struct http_arrival **arrivals,
		     struct http_answered **answered) {
	uint64_t count;
	ssize_t r = read(inbox->event_fd, &count, sizeof(count));

	invariant(r >= 0 || errno == EAGAIN, "the wakes of an inbox can be read");
	pthread_mutex_lock(&inbox->lock);
	*arrivals = TAKE(inbox->arrivals);
	*answered = TAKE(inbox->answered);
	pthread_mutex_unlock(&inbox->lock);
}

#include "delivery/inbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int inbox_init(struct inbox *inbox) {
	*inbox = (struct inbox){ .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	pthread_mutex_init(&inbox->mutex, NULL);
	return inbox->event_fd < 0 ? -errno : 0;
}

void inbox_destroy(struct inbox *inbox) {
	struct inbox_message *message = inbox->head, *next;

	for (; message; message = next) {
		next = message->next;
		job_list_free(&message->jobs);
		free(message);
	}
	if (inbox->event_fd >= 0)
		close(inbox->event_fd);
	pthread_mutex_destroy(&inbox->mutex);
}

void inbox_put(struct inbox *inbox, const struct inbox_message *message) {
	struct inbox_message *copy = x_malloc(sizeof(*copy));
	bool was_empty;

	*copy = *message;
	copy->next = NULL;
	pthread_mutex_lock(&inbox->mutex);
	was_empty = !inbox->head;
	if (was_empty)
		inbox->head = copy;
	else
		inbox->tail->next = copy;
	inbox->tail = copy;
	/* Under the lock, so that a taker which finds no message finds the event_fd not readable.
	 */
	if (was_empty)
		eventfd_write(inbox->event_fd, 1);
	pthread_mutex_unlock(&inbox->mutex);
}

struct inbox_message *inbox_take(struct inbox *inbox) {
	struct inbox_message *messages;
	eventfd_t ignored;

	pthread_mutex_lock(&inbox->mutex);
	messages = inbox->head;
	inbox->head = inbox->tail = NULL;
	if (messages)
		eventfd_read(inbox->event_fd, &ignored);
	pthread_mutex_unlock(&inbox->mutex);
	return messages;
}

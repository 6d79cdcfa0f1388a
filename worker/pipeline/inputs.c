#include "pipeline/inputs.h"

#include "base/invariant.h"
#include "rdkafka/client.h"

enum {
	RECORDS_IN_A_ROW = 16, /* of one partition, before the next one's */
	STOP_TIMEOUT_MS = 1000,
};

struct input_queue {
	rd_kafka_queue_t *queue;
	rd_kafka_message_t *held; /* owned; before all others. NULL: none */
	bool waits;               /* until inputs_release */
};

struct inputs {
	struct input_queue *queues; /* owned, like what is in them; [count] of [capacity] */
	size_t count, capacity;
	size_t at;                    /* which is served */
	int in_a_row;                 /* records, of that one */
	rd_kafka_message_t *put_back; /* owned; NULL: none */
};

struct inputs *inputs_new(void) {
	return x_calloc(1, sizeof(struct inputs));
}

void inputs_free(struct inputs *inputs) {
	if (!inputs)
		return;
	inputs_close(inputs);
	free(inputs->queues);
	free(inputs);
}

void inputs_close(struct inputs *inputs) {
	if (inputs->put_back)
		rd_kafka_message_destroy(TAKE(inputs->put_back));
	while (inputs->count > 0) {
		struct input_queue *last = &inputs->queues[--inputs->count];

		if (last->held)
			rd_kafka_message_destroy(last->held);
		rd_kafka_queue_destroy(last->queue);
	}
	inputs->at = 0;
	inputs->in_a_row = 0;
}

/* The assignment. */

rd_kafka_resp_err_t inputs_assign_none(rd_kafka_t *consumer) {
	rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
	rd_kafka_resp_err_t err = rd_kafka_assign(consumer, none);

	rd_kafka_topic_partition_list_destroy(none);
	return err;
}

/*
 * Takes the partition's queue, before the assignment: librdkafka leaves a queue alone that the
 * application has taken (rd_kafka_queue_forward).
 */
static void open_queue(struct inputs *inputs, rd_kafka_t *consumer, const char *topic,
		       int32_t partition, int wake_fd) {
	rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(consumer, topic, partition);

	invariant(queue, "a consumer has a queue for each partition");
	if (inputs->count == inputs->capacity) {
		inputs->capacity = MAX(2 * inputs->capacity, (size_t)8);
		inputs->queues =
		    x_realloc(inputs->queues, inputs->capacity * sizeof(*inputs->queues));
	}
	rd_kafka_queue_forward(queue, NULL);
	client_wake_by(queue, wake_fd);
	inputs->queues[inputs->count++] = (struct input_queue){ .queue = queue };
}

static int stop_timeout_ms(void) {
	/* Before 2.1.0 it takes a thousandth. Source: librdkafka, release notes of 2.1.0, #4230. */
	return rd_kafka_version() < 0x02010000 ? STOP_TIMEOUT_MS * 1000 : STOP_TIMEOUT_MS;
}

/*
 * librdkafka stops the fetchers of what is not assigned any more, later; when it is to stop one
 * again before the first stop is done, it aborts (2.0.2, rd_kafka_assignment_partition_stopped:
 * rktp_started). So they are stopped one time for all, and that is waited for: a seek is answered
 * after the stop, and refused by what is stopped.
 */
static rd_kafka_resp_err_t stop_all(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t err = inputs_assign_none(consumer);

	if (!err)
		rd_kafka_error_destroy(rd_kafka_seek_partitions(consumer, list, stop_timeout_ms()));
	return err;
}

rd_kafka_resp_err_t inputs_assign(struct inputs *inputs, rd_kafka_t *consumer,
				  rd_kafka_topic_partition_list_t *list, int wake_fd) {
	rd_kafka_resp_err_t err;

	inputs_close(inputs);
	err = stop_all(consumer, list);
	if (err)
		return err;
	for (int i = 0; i < list->cnt; i++)
		open_queue(inputs, consumer, list->elems[i].topic, list->elems[i].partition,
			   wake_fd);
	return rd_kafka_assign(consumer, list);
}

/* Records. */

static void move_on(struct inputs *inputs) {
	inputs->at = inputs->count > 0 ? (inputs->at + 1) % inputs->count : 0;
	inputs->in_a_row = 0;
}

/* What was put back is still of the partition that is served: the one after it would be left out.
 */
void inputs_turn_over(struct inputs *inputs) {
	if (!inputs->put_back)
		move_on(inputs);
}

void inputs_put_back(struct inputs *inputs, rd_kafka_message_t *message) {
	invariant(!inputs->put_back, "one record is put back at a time");
	inputs->put_back = message;
}

void inputs_hold(struct inputs *inputs, rd_kafka_message_t *message) {
	struct input_queue *served = &inputs->queues[inputs->at];

	invariant(!served->held, "a partition has one record that is held");
	served->held = message;
	served->waits = true;
	move_on(inputs);
}

void inputs_release(struct inputs *inputs) {
	for (size_t i = 0; i < inputs->count; i++)
		inputs->queues[i].waits = false;
}

int inputs_held(const struct inputs *inputs) {
	int held = 0;

	for (size_t i = 0; i < inputs->count; i++)
		held += inputs->queues[i].held != NULL;
	return held;
}

static rd_kafka_message_t *next_of(struct input_queue *queue) {
	if (queue->waits)
		return NULL;
	return queue->held ? TAKE(queue->held) : rd_kafka_consume_queue(queue->queue, 0);
}

rd_kafka_message_t *inputs_next(struct inputs *inputs) {
	if (inputs->put_back)
		return TAKE(inputs->put_back);
	for (size_t looked = 0; looked <= inputs->count && inputs->count > 0; looked++) {
		rd_kafka_message_t *message = inputs->in_a_row < RECORDS_IN_A_ROW
						  ? next_of(&inputs->queues[inputs->at])
						  : NULL;

		if (message) {
			inputs->in_a_row++;
			return message;
		}
		move_on(inputs);
	}
	return NULL;
}

#include "rdkafka/transaction_probe.h"

static const char value[] = "posthorn: may dead letters be written? Aborted; to be ignored";

bool transaction_may_write_letters(struct transaction *t) {
	struct transaction_record record = { .topic = transaction_dead_letters_topic(t),
					     .partition = RD_KAFKA_PARTITION_UA,
					     .value = value,
					     .value_len = sizeof(value) - 1 };
	struct transaction_end end;
	int r = transaction_begin(t);

	if (r == 0)
		r = transaction_produce(t, &record);
	if (r == 0)
		r = transaction_flush(t);
	end = transaction_end(t);
	return !end.may_not_write[TOPIC_DEAD_LETTERS];
}

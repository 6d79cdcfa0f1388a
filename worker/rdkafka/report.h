/* The report of a record that was produced. */
#pragma once

#include <librdkafka/rdkafka.h>

/*
 * Why the brokers may not have the record; 0: they have it. librdkafka takes the answer
 * DUPLICATE_SEQUENCE_NUMBER for a success without an offset. It is one where a batch was sent again
 * that the brokers have had for long; where a broker's death left the producer's numbers behind the
 * brokers', the record is nowhere. Seen with 2.0.2 by its mock brokers, and with 2.16.0 by real
 * ones.
 */
static inline rd_kafka_resp_err_t report_error(const rd_kafka_message_t *report) {
	if (!report->err && report->offset < 0)
		return RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER;
	return report->err;
}

/* The report of a record that was produced. */
#pragma once

#include <librdkafka/rdkafka.h>

/*
 * Why the brokers may not have the record; 0: they have it. librdkafka takes the answer
 * DUPLICATE_SEQUENCE_NUMBER for a success without an offset. It is one where a batch was sent again
 * that the brokers have had for long; where a broker's death left the producer's numbers behind the
 * brokers', the record is nowhere. Source: librdkafka, src/rdkafka_request.c,
 * rd_kafka_handle_Produce_error; 2.0.2 and 2.16.0 do so.
 */
static inline rd_kafka_resp_err_t report_error(const rd_kafka_message_t *report) {
	if (!report->err && report->offset < 0)
		return RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER;
	return report->err;
}

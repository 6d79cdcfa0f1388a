#include "delivery/job.h"

#include "base/packed_text.h"

struct job *job_new(const struct delivery *delivery, struct route *route, int32_t partition,
		    uint32_t epoch) {
	size_t texts =
	    packed_text_size(delivery->tenant_id) + packed_text_size(delivery->command_id) +
	    packed_text_size(delivery->request_id) + packed_text_size(delivery->client_id) +
	    packed_text_size(delivery->traceparent) + packed_text_size(delivery->last_reason) +
	    packed_text_size(delivery->event_type) + packed_text_size(delivery->subject) +
	    packed_text_size(delivery->tracestate);
	struct job *job = x_malloc(sizeof(*job) + texts + delivery->body_len + 1);
	char *end = (char *)(job + 1);

	*job = (struct job){ .route = route_ref(route),
			     .delivery = *delivery,
			     .partition = partition,
			     .epoch = epoch };
	job->delivery.tenant_id = packed_text_add(&end, delivery->tenant_id);
	job->delivery.command_id = packed_text_add(&end, delivery->command_id);
	job->delivery.request_id = packed_text_add(&end, delivery->request_id);
	job->delivery.client_id = packed_text_add(&end, delivery->client_id);
	job->delivery.traceparent = packed_text_add(&end, delivery->traceparent);
	job->delivery.event_type = packed_text_add(&end, delivery->event_type);
	job->delivery.subject = packed_text_add(&end, delivery->subject);
	job->delivery.tracestate = packed_text_add(&end, delivery->tracestate);
	job->delivery.last_reason = packed_text_add(&end, delivery->last_reason);
	if (delivery->body_len)
		memcpy(end, delivery->body, delivery->body_len);
	end[delivery->body_len] = '\0';
	job->delivery.body = end;
	return job;
}

void job_free(struct job *job) {
	if (!job)
		return;
	route_unref(job->route);
	free(job->response);
	free(job->error);
	free(job);
}

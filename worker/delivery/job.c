#include "delivery/engine.h"

static size_t text_size(const char *text) {
	return text ? strlen(text) + 1 : 0;
}

static const char *pack(char **end, const char *text) {
	char *copy = *end;

	if (!text)
		return NULL;
	*end = stpcpy(copy, text) + 1;
	return copy;
}

struct job *job_new(const struct delivery *delivery, struct route *route, int32_t partition,
		    uint32_t epoch) {
	size_t texts = text_size(delivery->tenant_id) + text_size(delivery->command_id) +
		       text_size(delivery->request_id) + text_size(delivery->client_id) +
		       text_size(delivery->traceparent) + text_size(delivery->last_reason);
	struct job *job = x_malloc(sizeof(*job) + texts + delivery->body_len + 1);
	char *end = (char *)(job + 1);

	*job = (struct job){ .route = route_ref(route),
			     .delivery = *delivery,
			     .partition = partition,
			     .epoch = epoch };
	job->delivery.tenant_id = pack(&end, delivery->tenant_id);
	job->delivery.command_id = pack(&end, delivery->command_id);
	job->delivery.request_id = pack(&end, delivery->request_id);
	job->delivery.client_id = pack(&end, delivery->client_id);
	job->delivery.traceparent = pack(&end, delivery->traceparent);
	job->delivery.last_reason = pack(&end, delivery->last_reason);
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
	free(job->error);
	free(job);
}

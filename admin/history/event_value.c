#include "history/event_value.h"

static struct analytic_event without_ids(const struct analytic_event *event) {
	struct analytic_event kept = *event;

	kept.tenant_id = "";
	kept.command_id = NULL;
	if (kept.data.kind != EVENT_DATA_DELIVERY || kept.subject != ANALYTIC_WEBHOOK_EVENT)
		return kept;
	kept.request_id = kept.client_id = NULL;
	kept.data.delivery.event_type = "";
	kept.data.delivery.has_event_id = false;
	kept.data.delivery.subject = NULL;
	return kept;
}

/* Returns whether it fits. */
static bool encode(struct codec *codec, const struct analytic_event *event, struct buffer *out) {
	buffer_clear(out);
	codec_encode_event(codec, event, out);
	return !out->overflowed;
}

bool event_value_encode(struct codec *codec, const struct analytic_event *event,
			struct buffer *out) {
	struct analytic_event kept = without_ids(event);
	struct attempt_response response;

	if (encode(codec, &kept, out))
		return true;
	if (kept.data.kind == EVENT_DATA_DELIVERY && kept.data.delivery.response) {
		response = *kept.data.delivery.response;
		response.body = NULL;
		kept.data.delivery.response = &response;
		if (encode(codec, &kept, out))
			return true;
	}
	kept.data = (struct event_data){ .kind = EVENT_DATA_NONE };
	return encode(codec, &kept, out);
}

static void put_back(struct analytic_event *event, const struct delivery_row *delivery) {
	struct delivery_report *report = &event->data.delivery;

	event->command_id = delivery->command_id;
	event->request_id = delivery->request_id;
	event->client_id = delivery->client_id;
	report->event_type = delivery->event_type;
	report->subject = delivery->subject;
	report->has_event_id = delivery->event_id;
	if (delivery->event_id)
		report->event_id = *delivery->event_id;
}

int event_value_decode(struct codec *codec, struct arena *arena, const struct event_value_row *row,
		       struct analytic_event *out) {
	const char *why;
	int r = codec_decode_event(codec, arena, row->value, row->len, out, &why);

	if (r)
		return r;
	out->tenant_id = row->tenant_id;
	out->command_id = row->command_id;
	if (row->delivery && out->data.kind == EVENT_DATA_DELIVERY)
		put_back(out, row->delivery);
	return 0;
}

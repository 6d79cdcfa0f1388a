/* What a query asks for. */
#pragma once

#include "base/uuid.h"
#include "history/history.h"

struct history_query {
	const char *tenant_id;
	const char *subject;    /* NULL: any; of a credential its credentialId */
	const char *command_id; /* NULL: any */
	bool has_event_id, has_webhook_id, has_status;
	struct uuid event_id; /* of the callback's event */
	struct uuid webhook_id;
	enum history_status status; /* of the delivery, now */
	int32_t http_status;        /* the last one of the delivery, or the event's; 0: any */
	const char *type;           /* of events; NULL: any; "*" stands for any text */
	int64_t from_ms;            /* wall, inclusive; of a delivery's recording, or the event */
	int64_t to_ms;              /* wall, exclusive */
	int64_t before;             /* a cursor; INT64_MAX: from the newest on */
	size_t limit;
};

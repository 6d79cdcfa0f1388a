#include "command/show.h"

#include "avro/json.h"
#include "base/clock.h"
#include "terminal/clean.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <stdio.h>

/* Larger than a record: list --all joins pages. */
enum { SHOWN_MAX = 1 << 30 };

static enum admin_status print_api_json(FILE *stream, const struct event_data *data) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(SHOWN_MAX);

	json_append_api_data(&out, data);
	buffer_append_char(&out, '\n');
	return terminal_print_buffer(stream, "the outcome", &out);
}

char *show_event_types(const struct webhook *webhook) {
	char *types = x_strdup("");

	for (size_t i = 0; i < webhook->event_count; i++) {
		char *longer = x_asprintf("%s%s%s", types, i ? "," : "", webhook->events[i]);

		free(types);
		types = longer;
	}
	return types;
}

static void print_text(const char *label, const char *text) {
	_cleanup_(x_freep) char *shown = x_strdup(text);

	terminal_clean(shown);
	printf("%-10s%s\n", label, shown);
}

/* A line for each value. */
static void print_filter_list(const char *name, const struct text_list *list) {
	for (size_t i = 0; i < list->count; i++) {
		_cleanup_(x_freep) char *text = x_asprintf("%s=%s", name, list->items[i]);

		print_text("filter", text);
	}
}

static void print_filter(const struct webhook_filter *filter) {
	print_filter_list("credentialConfigurationId", &filter->credential_configuration_ids);
	print_filter_list("format", &filter->formats);
	print_filter_list("credentialProfile", &filter->credential_profiles);
	print_filter_list("subject", &filter->subjects);
}

static void print_webhook(const struct webhook *webhook) {
	_cleanup_(x_freep) char *types = show_event_types(webhook);
	char id[UUID_TEXT_SIZE];

	uuid_format(&webhook->id, id);
	printf("id        %s\nevents    %s\nurl       %s\ndisabled  %s\n", id, types, webhook->url,
	       webhook->disabled ? "yes" : "no");
	if (webhook->description)
		print_text("about", webhook->description);
	if (webhook->filter)
		print_filter(webhook->filter);
	if (webhook->rate_limit)
		printf("rate      %d a second\n", webhook->rate_limit);
	for (size_t i = 0; i < webhook->header_count; i++)
		printf("%s%s", i ? "," : "headers   ", webhook->headers[i].name);
	if (webhook->header_count > 0)
		puts("");
	for (size_t i = 0; i < webhook->signature_count; i++)
		printf("%s%s", i ? "," : "signs     ",
		       signature_format_name(webhook->signatures[i]));
	if (webhook->signature_count > 0)
		puts("");
}

static void print_page(const struct webhook_page *page) {
	_cleanup_(table_destroy) struct table table =
	    table_new(4, (const char *const[]){ "ID", "DISABLED", "EVENTS", "URL" });

	for (size_t i = 0; i < page->count; i++) {
		_cleanup_(x_freep) char *types = show_event_types(&page->items[i]);
		char id[UUID_TEXT_SIZE];

		uuid_format(&page->items[i].id, id);
		table_add(&table, (const char *const[]){ id, page->items[i].disabled ? "yes" : "no",
							 types, page->items[i].url });
	}
	table_print(&table);
	if (page->next_cursor)
		printf("more: --cursor %s\n", page->next_cursor);
}

static void print_delivery(const struct delivery_report *delivery) {
	char id[UUID_TEXT_SIZE], webhook[UUID_TEXT_SIZE];

	uuid_format(&delivery->delivery_id, id);
	uuid_format(&delivery->webhook_id, webhook);
	printf("delivery  %s\nwebhook   %s\nevent     %s\n", id, webhook, delivery->event_type);
}

static void print_signing_key(const struct signing_key_report *key) {
	char created[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(key->created_at_ms, created);
	printf("kid       %s\ncreated   %s\n", key->kid, created);
}

static void print_secret(const struct webhook_secret *secret) {
	char until[CLOCK_ISO8601_SIZE] = "none";

	if (secret->secret) {
		puts(secret->secret);
		return;
	}
	if (secret->overlap_until_ms)
		clock_format_iso8601(secret->overlap_until_ms, until);
	printf("epoch    %d\noverlap  %s\n", secret->epoch, until);
}

static enum admin_status print_for_people(const struct event_data *data) {
	char id[UUID_TEXT_SIZE];

	switch (data->kind) {
	case EVENT_DATA_NONE:
		puts("done");
		break;
	case EVENT_DATA_WEBHOOK:
		print_webhook(&data->webhook);
		break;
	case EVENT_DATA_WEBHOOK_PAGE:
		print_page(&data->page);
		break;
	case EVENT_DATA_CREDENTIAL_ISSUED:
		printf("credential  %s\ndeliveries  %d\n", data->credential_issued.credential_id,
		       data->credential_issued.deliveries);
		break;
	case EVENT_DATA_DELIVERY:
		print_delivery(&data->delivery);
		break;
	case EVENT_DATA_SIGNING_KEY:
		print_signing_key(&data->signing_key);
		break;
	case EVENT_DATA_PUBLISHED:
		uuid_format(&data->published.event_id, id);
		printf("event       %s\ndeliveries  %d\n", id, data->published.deliveries);
		break;
	case EVENT_DATA_SECRET:
		print_secret(&data->secret);
		break;
	case EVENT_DATA_RECOVERED:
		printf("deliveries due again  %d\n", data->recovered);
		break;
	case EVENT_DATA_PROBLEM:
		return print_api_json(stdout, data);
	}
	return ADMIN_OK;
}

enum admin_status show_outcome(const struct analytic_event *event, bool json) {
	if (event->step == ANALYTIC_FAIL) {
		(void)!print_api_json(stderr, &event->data);
		return ADMIN_REFUSED;
	}
	return json ? print_api_json(stdout, &event->data) : print_for_people(&event->data);
}

enum admin_status show_page(const struct webhook_page *page, bool json) {
	const struct event_data data = { .kind = EVENT_DATA_WEBHOOK_PAGE, .page = *page };

	if (json)
		return print_api_json(stdout, &data);
	print_page(page);
	return ADMIN_OK;
}

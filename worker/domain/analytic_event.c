#include "domain/analytic_event.h"

#include "base/invariant.h"

#include <string.h>

#define OF_A_COMMAND(subject)                                                                      \
	{                                                                                          \
		[ANALYTIC_START] = subject "_START",                                               \
		[ANALYTIC_SUCCESS] = subject "_SUCCESS",                                           \
		[ANALYTIC_FAIL] = subject "_FAIL",                                                 \
	}

/* NULL: the pair does not exist. */
static const char *const types[ANALYTIC_SUBJECT_COUNT][ANALYTIC_STEP_NONE + 1] = {
	[ANALYTIC_WEBHOOK_CREATE] = OF_A_COMMAND("WEBHOOK_CREATE"),
	[ANALYTIC_WEBHOOK_RETRIEVE_LIST] = OF_A_COMMAND("WEBHOOK_RETRIEVE_LIST"),
	[ANALYTIC_WEBHOOK_RETRIEVE] = OF_A_COMMAND("WEBHOOK_RETRIEVE"),
	[ANALYTIC_WEBHOOK_UPDATE] = OF_A_COMMAND("WEBHOOK_UPDATE"),
	[ANALYTIC_WEBHOOK_DELETE] = OF_A_COMMAND("WEBHOOK_DELETE"),
	[ANALYTIC_WEBHOOK_TEST] = OF_A_COMMAND("WEBHOOK_TEST"),
	[ANALYTIC_WEBHOOK_KEY_ROTATE] = OF_A_COMMAND("WEBHOOK_KEY_ROTATE"),
	[ANALYTIC_WEBHOOK_RECOVER] = OF_A_COMMAND("WEBHOOK_RECOVER"),
	[ANALYTIC_WEBHOOK_SECRET_RETRIEVE] = OF_A_COMMAND("WEBHOOK_SECRET_RETRIEVE"),
	[ANALYTIC_WEBHOOK_SECRET_ROTATE] = OF_A_COMMAND("WEBHOOK_SECRET_ROTATE"),
	[ANALYTIC_WEBHOOK_DELIVERY_RESEND] = OF_A_COMMAND("WEBHOOK_DELIVERY_RESEND"),
	[ANALYTIC_WEBHOOK_COMMAND] = {
		[ANALYTIC_START] = "WEBHOOK_COMMAND_START",
		[ANALYTIC_FAIL] = "WEBHOOK_COMMAND_FAIL",
	},
	[ANALYTIC_OPENID_CREDENTIAL] = OF_A_COMMAND("OPENID_CREDENTIAL"),
	[ANALYTIC_WEBHOOK_EVENT_PUBLISH] = OF_A_COMMAND("WEBHOOK_EVENT_PUBLISH"),
	[ANALYTIC_WEBHOOK_EVENT] = {
		[ANALYTIC_RECEIVE] = "WEBHOOK_EVENT_RECEIVE",
		[ANALYTIC_PROCESS_SUCCESS] = "WEBHOOK_EVENT_PROCESS_SUCCESS",
		[ANALYTIC_PROCESS_FAIL] = "WEBHOOK_EVENT_PROCESS_FAIL",
		[ANALYTIC_RETRY] = "WEBHOOK_EVENT_RETRY",
		[ANALYTIC_RESEND] = "WEBHOOK_EVENT_RESEND",
	},
	[ANALYTIC_WEBHOOK_DISABLED] = { [ANALYTIC_STEP_NONE] = "WEBHOOK_DISABLED" },
};

const char *analytic_event_type(enum analytic_subject subject, enum analytic_step step) {
	invariant_with(types[subject][step], "an event's subject has its step",
		       "subject=%d step=%d", (int)subject, (int)step);
	return types[subject][step];
}

bool analytic_event_type_exists(enum analytic_subject subject, enum analytic_step step) {
	return types[subject][step] != NULL;
}

struct delivery_report delivery_report_of_first_edition(const struct delivery_report *report) {
	struct delivery_report former = *report;

	former.has_event_id = false;
	former.subject = NULL;
	former.attempted_at_ms = 0;
	former.response = NULL;
	return former;
}

const char *analytic_event_category(enum analytic_subject subject) {
	return subject == ANALYTIC_OPENID_CREDENTIAL ? "openid" : "webhook";
}

int analytic_event_type_parse(const char *type, enum analytic_subject *subject,
			      enum analytic_step *step) {
	for (int i = 0; i < ANALYTIC_SUBJECT_COUNT; i++) {
		for (int j = 0; j <= ANALYTIC_STEP_NONE; j++) {
			if (!types[i][j] || strcmp(types[i][j], type) != 0)
				continue;
			*subject = (enum analytic_subject)i;
			*step = (enum analytic_step)j;
			return 0;
		}
	}
	return 1;
}

#include "domain/command.h"

static const char *const names[OPERATION_COUNT + 1] = {
	[OPERATION_CREATE_WEBHOOK] = "CreateWebhook",
	[OPERATION_RETRIEVE_WEBHOOKS] = "RetrieveWebhooks",
	[OPERATION_RETRIEVE_WEBHOOK] = "RetrieveWebhook",
	[OPERATION_UPDATE_WEBHOOK] = "UpdateWebhook",
	[OPERATION_DELETE_WEBHOOK] = "DeleteWebhook",
	[OPERATION_TEST_WEBHOOK] = "TestWebhook",
	[OPERATION_ROTATE_SIGNING_KEY] = "RotateSigningKey",
	[OPERATION_RECOVER_DELIVERIES] = "RecoverDeliveries",
	[OPERATION_RETRIEVE_SECRET] = "RetrieveSecret",
	[OPERATION_ROTATE_SECRET] = "RotateSecret",
	[OPERATION_RESEND_DELIVERY] = "ResendDelivery",
	[OPERATION_UNKNOWN] = "unknown",
};

const char *operation_name(enum operation operation) {
	return names[operation];
}

bool operation_is_read(enum operation operation) {
	return operation == OPERATION_RETRIEVE_WEBHOOK ||
	       operation == OPERATION_RETRIEVE_WEBHOOKS || operation == OPERATION_RETRIEVE_SECRET;
}

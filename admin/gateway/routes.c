#include "gateway/routes.h"

#include "domain/command.h"
#include "gateway/serve.h"

#define STATIC(path) { "GET", path, ROUTE_PUBLIC, ROUTE_NO_BODY, serve_static, 0 }

/* A word stands before a {name} that would match it. */
const struct route routes_table[] = {
	{ "GET", "/v1/webhooks/jwks", ROUTE_PUBLIC, ROUTE_NO_BODY, serve_jwks, 0 },
	{ "POST", "/v1/webhooks/jwks/rotate", ROUTE_TENANT, ROUTE_MAYBE_JSON, serve_command,
	  OPERATION_ROTATE_SIGNING_KEY },
	{ "GET", "/v1/tenants/{tenantId}/webhooks/jwks", ROUTE_PUBLIC, ROUTE_NO_BODY,
	  serve_tenant_jwks, 0 },
	{ "GET", "/v1/webhooks", ROUTE_TENANT, ROUTE_NO_BODY, serve_command,
	  OPERATION_RETRIEVE_WEBHOOKS },
	{ "POST", "/v1/webhooks", ROUTE_TENANT, ROUTE_JSON, serve_command,
	  OPERATION_CREATE_WEBHOOK },
	{ "GET", "/v1/webhooks/{id}", ROUTE_TENANT, ROUTE_NO_BODY, serve_command,
	  OPERATION_RETRIEVE_WEBHOOK },
	{ "PUT", "/v1/webhooks/{id}", ROUTE_TENANT, ROUTE_JSON, serve_command,
	  OPERATION_UPDATE_WEBHOOK },
	{ "DELETE", "/v1/webhooks/{id}", ROUTE_TENANT, ROUTE_NO_BODY, serve_command,
	  OPERATION_DELETE_WEBHOOK },
	{ "POST", "/v1/webhooks/{id}/test", ROUTE_TENANT, ROUTE_MAYBE_JSON, serve_command,
	  OPERATION_TEST_WEBHOOK },
	{ "POST", "/v1/webhooks/{id}/recover", ROUTE_TENANT, ROUTE_JSON, serve_command,
	  OPERATION_RECOVER_DELIVERIES },
	{ "GET", "/v1/webhooks/{id}/secret", ROUTE_TENANT, ROUTE_NO_BODY, serve_command,
	  OPERATION_RETRIEVE_SECRET },
	{ "POST", "/v1/webhooks/{id}/secret/rotate", ROUTE_TENANT, ROUTE_MAYBE_JSON, serve_command,
	  OPERATION_ROTATE_SECRET },
	{ "GET", "/v1/webhooks/{id}/deliveries", ROUTE_TENANT, ROUTE_NO_BODY, serve_deliveries, 0 },
	{ "GET", "/v1/webhooks/{id}/statistics", ROUTE_TENANT, ROUTE_NO_BODY, serve_statistics, 0 },
	{ "GET", "/v1/deliveries", ROUTE_TENANT, ROUTE_NO_BODY, serve_history_deliveries, 0 },
	{ "GET", "/v1/deliveries/{id}", ROUTE_TENANT, ROUTE_NO_BODY, serve_history_delivery, 0 },
	{ "POST", "/v1/deliveries/{id}/resend", ROUTE_TENANT, ROUTE_MAYBE_JSON, serve_command,
	  OPERATION_RESEND_DELIVERY },
	{ "POST", "/v1/events", ROUTE_TENANT, ROUTE_JSON, serve_command, OPERATION_UNKNOWN },
	{ "GET", "/v1/events", ROUTE_TENANT, ROUTE_NO_BODY, serve_events, 0 },
	STATIC("/openapi.json"),
	STATIC("/"),
	STATIC("/page.css"),
	STATIC("/page.js"),
	STATIC("/icon.svg"),
	STATIC("/verify/node.mjs"),
	STATIC("/verify/verify.py"),
	STATIC("/verify/verify.go"),
	STATIC("/verify/Verify.java"),
	{ 0 },
};

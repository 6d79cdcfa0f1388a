/* The handlers of routes. Each answers at once, or waits for an outcome. */
#pragma once

struct exchange;

void serve_command(struct exchange *exchange); /* `detail` of the route: enum operation;
						OPERATION_UNKNOWN publishes an event */
void serve_jwks(struct exchange *exchange);
void serve_tenant_jwks(struct exchange *exchange);
void serve_events(struct exchange *exchange);
void serve_history_deliveries(struct exchange *exchange); /* of the tenant */
void serve_history_delivery(struct exchange *exchange);   /* one of them */
void serve_statistics(struct exchange *exchange);         /* of a webhook's attempts */
void serve_deliveries(struct exchange *exchange);         /* of a webhook, now */
void serve_static(struct exchange *exchange);             /* one of static_files */

/*
 * The handler of credential issuances: one delivery to each webhook of the tenant that subscribes
 * to the event, all in one transaction.
 */
#pragma once

#include "domain/effects.h"
#include "domain/handler_context.h"

/* Handles a CredentialIssuanceCommand. Returns 0, or the negative errno of the registry. */
int handle_issuance(const struct handler_context *context, const struct issuance *issuance,
		    struct effects *out) _must_check_;

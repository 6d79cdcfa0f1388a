/*
 * A dispatcher over a fake engine and a fake replica, in virtual time, driven by scripts. A row is
 * a name and a script: steps with a `;` between them, each a verb and its words.
 *
 * An endpoint is a letter. "A3" is delivery 3 of endpoint A, "A3-9" are seven of them, "A3@500" is
 * due in 500 ms. Each capital letter is a tenant with a webhook and a key; its small letter is a
 * second webhook of that tenant. Partition 0 has A to M, partition 1 has N to Z.
 *
 * Before the first other step:
 *     limits M E        in flight: M of all, E of an endpoint (else 64 and 4)
 *     notify N          endpoint.failing.notify.after is N ms (else: never)
 *     bodies N          bytes of the bodies from now on (at any time)
 * Time:
 *     +N                N ms pass
 *     step N            the wall clock alone is set forward by N ms (back: -N)
 *     slow N            each reading of the monotonic clock takes N ms
 * Commits, each followed by dispatcher_submit:
 *     put D...          the replica has them, the dispatcher is not told
 *     add D...          recorded, whole
 *     add-brief D...    recorded, without texts
 *     resend D...       asked for now
 *     ok D...           the attempt succeeded at once; `late` after two seconds
 *     fail D...         it failed with 500, and is due again 10 s later; `503`, `429`, `internal`
 *     wait N D...       it failed with 429 and Retry-After of N ms
 *     gone D...         it was answered with 410
 *     refused D...      the engine did not make the attempt
 *     move, disable, enable, delete A...   its webhook; `note A N`: failing since N ms ago;
 *                       `told A N`: WebhookFailing told of what began at N, 0: no more;
 *                       `rate A N`: its rate limit
 *     keys A...         the tenant's signing key; `unkey A`: the tenant has none
 * Partitions:
 *     activate P E, suspend P, forget P; `activate P E N`: its last transaction is N ms ahead
 * Else:
 *     refill            once
 *     broken N          1: every look-up of the replica fails; 0: none
 *     commit-reports    all reports: their webhooks keep them; `end-reports N`: of N, without that
 *     end-cancels       all cancellations are committed
 * Expectations:
 *     sent D...         the engine was given these since the last `sent`, in order, and they have
 *                       not ended; `!` is a probe, `+` goes to the second url,
 *                       `*` is signed with a later key than the first
 *     dropped A...      and these endpoints were dropped since the last `dropped`
 *     due N             dispatcher_next_due_ms, from now; `never`, or `now` for what is past
 *     memory N, open N, known N            the metrics: in memory, open breakers, endpoints
 *     gate P E, pending N, tenant A N      the gate; of the last activate; of the tenant
 *     waiting N         dispatcher_waiting; what a `sent` has named is in flight
 *     reports R...      "A:failing", "A:gone", "A:well"
 *     report-url U      the url of the only report
 *     cancels R...      "A1-3:deleted", "A1:disabled"
 *     cancels-most N R...                  of those, with a limit of N
 *     loaded N          bytes of bodies that the replica was asked for since the last `loaded`
 *     refill-fails, activate-fails P E, cancels-fail   return -EIO
 */
#pragma once

#include "unit.h"

struct dispatch_row {
	const char *name, *script;
};

/* A cmocka test; *state is a struct dispatch_row. */
void dispatch_row_run(void **state);

/* The main of a program whose table of rows is `rows`: each is a test of its name. */
#define DISPATCH_ROWS_MAIN(rows)                                                                   \
	int main(void) {                                                                           \
		static struct CMUnitTest tests[sizeof(rows) / sizeof((rows)[0])];                  \
		for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                      \
			tests[i] =                                                                 \
			    (struct CMUnitTest){ .name = (rows)[i].name,                           \
						 .test_func = dispatch_row_run,                    \
						 .initial_state = (void *)(uintptr_t)&(rows)[i] }; \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}

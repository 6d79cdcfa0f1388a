/* Changes of webhooks and keys: routes, rescans and cancellations. */
#include "dispatch_script.h"

static const struct dispatch_row rows[] = {
	/* clang-format off */
	{ "another url drops what the engine has queued",
	  "put A1-9; activate 0 1; refill; ok A1; refill; move A; dropped A" },
	{ "another url without anything in memory drops nothing",
	  "add A1; refill; ok A1; move A; dropped ; due never" },
	{ "another url begins with a window of one",
	  "put A1-9; activate 0 1; refill; ok A1; refill; sent A2-3; move A; refused A2-3; "
	  "refill; sent A2+" },
	{ "what was dropped goes to the new url",
	  "put A1; activate 0 1; refill; sent A1; move A; refused A1; refill; sent A1+" },
	{ "an attempt in flight at the change counts for its delivery",
	  "put A1; activate 0 1; refill; move A; ok A1; memory 0; refill; due never" },
	{ "a webhook that is not known changes nothing",
	  "move Z; due never; known 0" },
	{ "a deleted webhook's deliveries are cancelled",
	  "put A1-3@500; activate 0 1; refill; delete A; refill; cancels A1-3:deleted" },
	{ "a disabled webhook's deliveries are cancelled",
	  "put A1-3@500; activate 0 1; refill; disable A; refill; cancels A1-3:disabled" },
	{ "deliveries in memory are not cancelled",
	  "put A1-3; activate 0 1; refill; sent A1; delete A; refill; cancels A2-3:deleted" },
	{ "a refused one is cancelled then",
	  "put A1; activate 0 1; refill; delete A; refill; cancels ; refused A1; refill; "
	  "cancels A1:deleted" },
	{ "cancellations that were not committed are listed again",
	  "put A1-2@500; activate 0 1; refill; delete A; refill; cancels A1-2:deleted; "
	  "cancels A1-2:deleted; end-cancels; cancels ; due never; known 0" },
	{ "cancellations are listed up to a limit",
	  "put A1-2@500 B1-2@500; activate 0 1; refill; delete A; disable B; refill; "
	  "cancels-most 3 A1-2:deleted B1:disabled" },
	{ "cancellations that take long to read are listed in part",
	  "put A1-9@500; activate 0 1; refill; delete A; refill; slow 20; cancels A1-3:deleted" },
	{ "an error of the replica is returned",
	  "put A1@500; activate 0 1; refill; delete A; refill; broken 1; cancels-fail; "
	  "broken 0; cancels A1:deleted" },
	{ "a webhook that is enabled in time is delivered to",
	  "put A1; activate 0 1; disable A; refill; enable A; cancels ; refill; sent A1" },
	{ "a delivery of the commit that disables its webhook is cancelled",
	  "add A1; refill; sent A1; ok A1; disable A; add A2; sent ; refill; "
	  "cancels A2:disabled" },
	{ "a delivery that fails after its webhook was deleted is cancelled",
	  "put A1; activate 0 1; refill; delete A; fail A1; refill; cancels A1:deleted" },
	{ "a cancelled endpoint is sent nothing",
	  "put A1@500; activate 0 1; disable A; refill; add A2; sent ; refill; sent ; "
	  "cancels A2:disabled A1:disabled" },
	{ "another endpoint is not cancelled",
	  "put A1@500 B1@500; activate 0 1; refill; delete A; refill; cancels A1:deleted; "
	  "due 500" },
	{ "other keys drop what the engine has queued, of the whole tenant",
	  "put A1 a1 B1; activate 0 1; refill; keys A; dropped A a" },
	{ "other keys sign from then on",
	  "put A1 B1; activate 0 1; refill; sent A1 B1; keys A; refused A1 B1; refill; "
	  "sent A1* B1" },
	{ "keys of several tenants are changed at once",
	  "put A1 B1 C1; activate 0 1; refill; keys C A; dropped A C" },
	{ "other keys leave the window and the breaker",
	  "put A1-9; activate 0 1; refill; ok A1; refill; sent A2-3; keys A; refused A2-3; "
	  "refill; sent A2-3*" },
	{ "keys of a tenant without endpoints change nothing",
	  "put A1; activate 0 1; refill; keys B; dropped " },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)

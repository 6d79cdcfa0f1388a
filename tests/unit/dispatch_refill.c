/* Refills from the replica: what is due, what is scarce, and what bounds one. */
#include "dispatch_script.h"

static const struct dispatch_row rows[] = {
	/* clang-format off */
	{ "without endpoints nothing is due",
	  "due never; refill; sent " },
	{ "what is due first is sent first",
	  "put A1@-10 B1@-30 C1@-20; activate 0 1; refill; sent B1 C1 A1" },
	{ "what is not due waits",
	  "put A1@1 B1; activate 0 1; refill; sent B1; due 1" },
	{ "the deliveries of an endpoint go in the order of their due times",
	  "put A1-2@-5 A3@-9; activate 0 1; refill; sent A3; ok A3; refill; sent A1-2" },
	{ "a window larger than what is due ends with the next due time",
	  "put A1-2 A3@700; activate 0 1; refill; ok A1; refill; sent A2; due 700" },
	{ "large bodies are read 8 MiB at a time",
	  "limits 400 64; bodies 1000000; put A1-40; activate 0 1; refill; ok A1; refill; "
	  "ok A2-3; refill; ok A4-7; refill; ok A8-15; loaded 15000000; refill; loaded 9000000" },
	{ "what bytes cut off is read when half has come back",
	  "limits 400 64; bodies 5000000; put A1-9; activate 0 1; refill; ok A1; refill; "
	  "ok A2-3; refill; sent A4-5; due never; ok A4; due now; refill; sent A6" },
	{ "a refill that takes long is continued by the next one",
	  "put A1@-4 B1@-3 C1@-2 D1@-1; activate 0 1; slow 4; refill; sent A1 B1 C1; due now; "
	  "refill; sent D1" },
	{ "a lane that takes long does not stop the next one",
	  "put A1-2 B1-2 C1-2; activate 0 1; refill; fail A1; late B1 C1; slow 20; refill; "
	  "memory 2; refill; memory 3" },
	{ "prompt endpoints have as long as they waited for it",
	  "put A1-2 B1-2 C1-2; activate 0 1; refill; ok A1 B1 C1; memory 0; +16; slow 6; refill; "
	  "memory 3" },
	{ "but a quarter of a second at most",
	  "put A1-2 B1-2 C1-2; activate 0 1; refill; ok A1 B1 C1; +900; slow 150; refill; "
	  "memory 2; refill; memory 3" },
	{ "others have not, however long they waited",
	  "put A1@-4 B1@-3 C1@-2 D1@-1; activate 0 1; +900; slow 4; refill; sent A1 B1 C1" },
	{ "an error of the replica is returned",
	  "put A1; activate 0 1; broken 1; refill-fails; sent ; broken 0; refill; sent A1" },
	{ "an error while an endpoint is rescanned is returned",
	  "put A1@500; activate 0 1; broken 1; refill-fails; broken 0; refill; due 500" },
	{ "a delivery far ahead of its schedule is due now",
	  "add A1; refill; fail A1; step -86400000; refill; sent A1; due never" },
	{ "a delivery that was asked to wait while the clock was ahead is due now",
	  "add A1; refill; sent A1; step 3600000; 503 A1; refill; +5000; step -3600000; refill; "
	  "sent A1" },
	{ "so it is where others of its endpoint are due",
	  "add A1; refill; sent A1; step 3600000; 503 A1; refill; step -3600000; put A2-3; "
	  "refill; refill; sent A2; ok A2; refill; sent A3; ok A3; +60000; refill; sent A1" },
	{ "after a step back an endpoint that asked to wait has its pause",
	  "add A1; refill; sent A1; wait 20000 A1; step -3600000; refill; refill; sent ; "
	  "due 20000; +20000; refill; sent A1" },
	{ "a step forward leaves a Retry-After alone",
	  "add A1; refill; sent A1; wait 50000 A1; step 20000; refill; refill; sent ; due 50000" },
	{ "a partition that was written ahead of the clock has no delivery that was asked to wait",
	  "add A1; refill; sent A1; wait 3600000 A1; suspend 0; forget 0; activate 0 2 3600000; "
	  "refill; sent A1" },
	{ "else its deliveries wait as they were asked to",
	  "add A1; refill; sent A1; wait 3600000 A1; suspend 0; forget 0; activate 0 2 1000; "
	  "refill; sent ; due 3600000" },
	{ "until it is as late as a clock was, no delivery counts as asked to wait",
	  "add A1; refill; sent A1; step 3600000; refill; step -3600000; refill; +3599999; "
	  "wait 7200000 A1; move A; refill; refill; sent A1+" },
	{ "from then on deliveries wait as they were asked to",
	  "add A1; refill; sent A1; step 3600000; refill; step -3600000; refill; +3600000; "
	  "wait 7200000 A1; move A; refill; refill; sent ; due 7200000" },
	{ "a clock that is set forward makes waiting deliveries due",
	  "add A1; refill; sent A1; fail A1; due 10000; step 20000; refill; sent A1" },
	{ "a clock that is set moves a hold with it",
	  "put A1-2; activate 0 1; refill; wait 5000 A1; step 3600000; refill; sent ; "
	  "due 5000; +5000; refill; sent A2" },
	{ "a clock that drifts by a second moves nothing",
	  "put A1-2; activate 0 1; refill; wait 5000 A1; step 1000; refill; due 4000" },
	{ "a rate limit gives its endpoint so many a second, whatever its window",
	  "limits 400 64; rate A 10; put A1-9; activate 0 1; refill; sent A1; ok A1; refill; "
	  "sent ; due 100; +100; refill; sent A2; ok A2; refill; due 100; +50; refill; sent ; +50; "
	  "refill; sent A3" },
	{ "and holds no place for what waits",
	  "limits 400 64; rate A 10; put A1-9; activate 0 1; refill; ok A1; refill; memory 0" },
	{ "a tenth of a second's attempts may begin at once",
	  "limits 400 64; put A1-40; activate 0 1; refill; ok A1; refill; ok A2-3; refill; "
	  "ok A4-7; rate A 50; move A; refill; refill; sent A8+; ok A8; refill; ok A9-10; refill; "
	  "+1000; refill; memory 4" },
	{ "what a late turn owes to those that wait is made up for, of a second at most",
	  "limits 400 64; rate A 10; put A1-40; activate 0 1; refill; ok A1; refill; due 100; "
	  "+300; refill; sent A2-3; ok A2-3; refill; sent A4; ok A4; refill; due 100; +9000; "
	  "refill; ok A5-8; refill; ok A9-14; refill; ok A15; refill; sent ; due 100" },
	{ "nothing is owed to one that rested",
	  "rate A 10; add A1; refill; sent A1; ok A1; +9000; refill; add A2-3; refill; sent A2; "
	  "due 100" },
	{ "what is recorded keeps to it too",
	  "rate A 10; add A1; refill; sent A1; ok A1; add A2; refill; sent ; due 100; +100; "
	  "refill; sent A2" },
	{ "others are not kept waiting by it",
	  "rate A 1; put A1-2 B1; activate 0 1; refill; sent A1 B1; ok A1; refill; sent ; "
	  "due 1000" },
	{ "a tenant without a key is asked again after a minute",
	  "put A1; unkey A; activate 0 1; refill; sent ; due 60000; keys A; +60000; refill; "
	  "sent A1*" },
	{ "a tenant without a key does not keep another waiting",
	  "put A1 B1; unkey A; activate 0 1; refill; sent B1" },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)

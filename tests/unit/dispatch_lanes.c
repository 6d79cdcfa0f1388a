/* The three lanes of memory: what each holds, and what it leaves to the others. */
#include "dispatch_script.h"

static const struct dispatch_row rows[] = {
	/* clang-format off */
	{ "unproven endpoints have half of what may be in flight",
	  "limits 8 4; put A1@-9 B1@-8 C1@-7 D1@-6 E1@-5 F1@-4; activate 0 1; refill; "
	  "sent A1 B1 C1 D1; memory 4; due never" },
	{ "room in a lane is for the one that is due first",
	  "limits 8 4; put A1@-9 B1@-8 C1@-7 D1@-6 F1@-4 E1@-5; activate 0 1; refill; "
	  "sent A1 B1 C1 D1; ok D1; due now; refill; sent E1" },
	{ "failing endpoints have a quarter",
	  "limits 8 4; add A1 B1 C1 D1; refill; fail A1 B1 C1 D1; +10000; refill; memory 2; "
	  "due never" },
	{ "failing endpoints leave room for new ones",
	  "limits 8 4; add A1 B1 C1; refill; fail A1 B1 C1; +10000; refill; memory 2; "
	  "add D1 E1 F1 G1 H1; refill; memory 6" },
	{ "prompt endpoints have four times what may be in flight",
	  "limits 2 2; add B1; refill; ok B1; add C1; refill; ok C1; add D1; refill; ok D1; "
	  "put A1-30; activate 0 1; refill; ok A1; refill; ok A2-3; refill; ok A4-7; refill; "
	  "memory 4; add B2-4; memory 6; add C2-4; memory 8; add D2; memory 8" },
	{ "a prompt endpoint is not kept by full lanes of others",
	  "limits 4 1; add A1; refill; sent A1; ok A1; add B1@-3 C1@-2 D1@-1; refill; "
	  "sent B1 C1; add A2; sent A2" },
	{ "an endpoint takes its deliveries along into its new lane",
	  "limits 8 4; put A1-9; activate 0 1; refill; late A1; refill; sent A2-3; fail A2; "
	  "add B1; refill; sent B1 A4; fail B1; +10000; refill; memory 2" },
	{ "one delivery is in memory however large it is",
	  "limits 8 4; bodies 40000000; add A1@-2 B1@-1; refill; sent A1; memory 1; due never" },
	{ "bytes fill the unproven lane at 32 MiB",
	  "limits 400 4; bodies 12000000; add A1@-4 B1@-3 C1@-2 D1@-1; refill; sent A1 B1 C1; "
	  "memory 3" },
	{ "bytes fill the failing lane at 16 MiB",
	  "limits 400 4; bodies 9000000; add A1 B1 C1; refill; memory 3; fail A1 B1 C1; "
	  "+10000; refill; memory 2" },
	{ "in a scarce lane a window is no more than may be in flight",
	  "limits 2 2; put A1-30; activate 0 1; refill; ok A1; refill; ok A2-3; refill; "
	  "sent A4-7; ok A4-7; refill; sent A8-11; memory 4" },
	{ "a quick success proves an endpoint",
	  "limits 2 1; add A1; refill; sent A1; add B1; refill; sent ; ok A1; refill; sent B1; "
	  "add A2; sent A2" },
	{ "a slow success does not",
	  "limits 2 1; add A1; refill; sent A1; late A1; add B1; refill; sent B1; add A2; "
	  "sent ; ok B1; refill; sent A2" },
	{ "a slow success ends a proof",
	  "limits 2 1; add A1; refill; ok A1; add A2; sent A2; late A2; add B1; refill; "
	  "sent B1; add A3; sent " },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)

/* Breakers, probes, holds, and the reports that go to webhooks. */
#include "dispatch_script.h"

/* A has failed three times in a row, and one probe is due in a second. */
#define OPENED "put A1-9; activate 0 1; refill; fail A1; refill; fail A2; refill; fail A3; open 1; "

static const struct dispatch_row rows[] = {
	/* clang-format off */
	{ "two failures do not open a breaker",
	  "put A1-9; activate 0 1; refill; fail A1; refill; fail A2; open 0; refill; sent A3" },
	{ "three failures in a row open it",
	  OPENED "due 1000" },
	{ "a success between them does not count them together",
	  "put A1-9; activate 0 1; refill; fail A1; refill; fail A2; refill; ok A3; refill; "
	  "fail A4; open 0" },
	{ "an open breaker lets one probe through",
	  OPENED "+999; refill; sent ; +1; refill; sent A4!; memory 1; due never" },
	{ "a probe that fails holds for another interval",
	  OPENED "+1000; refill; sent A4!; fail A4; due 1000; +1000; refill; sent A5!" },
	{ "a probe that succeeds closes the breaker",
	  OPENED "+1000; refill; ok A4; open 0; refill; sent A5-6" },
	{ "a recorded delivery waits while its endpoint is held",
	  "add A1; refill; wait 5000 A1; add A2; sent ; due 5000; +5000; refill; sent A2" },
	{ "an open breaker gives back what the engine has queued",
	  "put A1-9; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "fail A4-5; dropped ; fail A6; dropped A; open 1" },
	{ "attempts under way when it opens keep the probe waiting",
	  "put A1-9; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "fail A4-6; +1000; refill; sent ; refused A7; refill; sent A7!" },
	{ "Retry-After holds the endpoint",
	  "put A1-9; activate 0 1; refill; wait 5000 A1; due 5000; +4999; refill; sent ; +1; "
	  "refill; sent A2" },
	{ "Retry-After gives back what the engine has queued",
	  "put A1-9; activate 0 1; refill; late A1; refill; sent A2-3; wait 5000 A2; dropped A" },
	{ "Retry-After narrows the window to one",
	  "put A1-9; activate 0 1; refill; late A1; refill; sent A2-3; late A2; wait 5000 A3; "
	  "+5000; refill; sent A4" },
	{ "Retry-After of nothing halves the window",
	  "put A1-9; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "late A4-6; wait 0 A7; due now; refill; sent A8-9" },
	{ "a success during a hold does not end it",
	  "put A1-9; activate 0 1; refill; late A1; refill; wait 5000 A2; late A3; due 5000" },
	{ "one whose proxy fails is held, and no failure is counted",
	  "put A1-9; activate 0 1; refill; late A1; refill; sent A2-3; held 2000 A2-3; open 0; "
	  "due 2000; +1999; refill; sent ; +1; refill; sent A2; ok A2; refill; sent A3-4" },
	{ "one that is asked for goes past a hold, which goes on",
	  "put A1-3; activate 0 1; refill; wait 5000 A1; resend A1; sent A1; ok A1; refill; sent ; "
	  "due 5000; +5000; refill; sent A2-3" },
	{ "it lets no other past the hold",
	  "put A1-3; activate 0 1; refill; wait 5000 A1; resend A1; refill; sent A1; wait 7000 A1; "
	  "due 7000" },
	{ "of those that are asked for a held endpoint gets one at a time",
	  "put A1-9; activate 0 1; refill; wait 5000 A1; resend A1-3; sent A1; refill; sent ; "
	  "resend A4; sent ; ok A1; resend A4; sent A4" },
	{ "it is a probe where the breaker is open, and closes it",
	  OPENED "resend A9; sent A9!; ok A9; open 0; refill; sent A4-5" },
	{ "one that is asked for goes past those that are due before it",
	  "put A1-9; activate 0 1; refill; sent A1; ok A1; resend A9; sent A9" },
	{ "but not where the window is full",
	  "put A1-9; activate 0 1; refill; sent A1; resend A9; sent ; late A1; refill; sent A2-3" },
	{ "nor to an endpoint that is gone",
	  "put A1-9; activate 0 1; refill; gone A1; resend A2; sent ; due never" },
	{ "nor beyond its rate",
	  "rate A 1; put A1-9; activate 0 1; refill; ok A1; refill; resend A9; sent " },
	{ "nor a second time while it is in memory",
	  "put A1; activate 0 1; refill; resend A1; sent A1; ok A1; refill; due never" },
	{ "a held endpoint does not hold another",
	  "put A1-2 B1-2; activate 0 1; refill; sent A1 B1; wait 5000 A1; ok B1; refill; "
	  "sent B2" },
	{ "an endpoint that is gone is held until its webhook knows",
	  "put A1-9; activate 0 1; refill; gone A1; due never; reports A:gone; end-reports 1; "
	  "due now; reports " },
	{ "an endpoint that is gone gives back what the engine has queued",
	  "put A1-9; activate 0 1; refill; late A1; refill; gone A2; dropped A" },
	{ "a change of its url frees an endpoint that is gone",
	  "put A1-9; activate 0 1; refill; gone A1; move A; due now; refill; sent A2+" },
	{ "single failures are not reported",
	  "put A1-9; activate 0 1; refill; fail A1; reports ; refill; fail A2; reports " },
	{ "an open breaker is reported once",
	  OPENED "reports A:failing; commit-reports; reports ; +1000; refill; fail A4; reports " },
	{ "a report that was not committed is made again after the next attempt",
	  OPENED "reports A:failing; suspend 0; reports ; activate 0 1; +1000; refill; fail A4; "
	  "reports A:failing" },
	{ "a breaker that closes is reported",
	  OPENED "commit-reports; +1000; refill; ok A4; reports A:well" },
	{ "what fails for too long is reported again",
	  OPENED "commit-reports; +60000; refill; fail A4; reports A:failing" },
	{ "its deliveries are cancelled once that is committed",
	  OPENED "commit-reports; +60000; refill; fail A4; commit-reports; refill; "
		 "cancels A5-9:disabled A1-4:disabled" },
	{ "one millisecond less is not too long",
	  OPENED "commit-reports; +59999; refill; fail A4; reports " },
	{ "reports are ended oldest first",
	  "limits 64 1; put A1-3 B1-3; activate 0 1; refill; gone B1; gone A1; "
	  "reports B:gone A:gone; end-reports 1; reports A:gone" },
	{ "a report is of where the attempt went, though the webhook moved since",
	  "put A1-9; activate 0 1; refill; move A; gone A1; reports A:gone; "
	  "report-url https://first.example/" },
	{ "an attempt to an earlier url says nothing of the new one",
	  "put A1-9; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "move A; refill; fail A4-7; open 0" },
	{ "its tenant is to be told of what fails for a while",
	  "notify 5000; " OPENED "commit-reports; +4999; refill; fail A4; reports ; +1000; refill; "
	  "fail A5; reports A:failing" },
	{ "that is asked for again after each such time",
	  "notify 5000; " OPENED "commit-reports; +5000; refill; fail A4; commit-reports; +1000; "
	  "refill; fail A5; reports ; +4000; refill; fail A6; reports A:failing" },
	{ "a request that was not committed is made again after the next attempt",
	  "notify 5000; " OPENED "commit-reports; +5000; refill; fail A4; reports A:failing; "
	  "suspend 0; activate 0 1; +1000; refill; fail A5; reports A:failing" },
	{ "once it is told it is not asked for, and the first success is reported",
	  "notify 5000; " OPENED "commit-reports; told A 1; +10000; refill; fail A4; reports ; "
	  "+1000; refill; ok A5; reports A:well" },
	{ "also where the webhook was changed meanwhile",
	  "notify 5000; " OPENED "commit-reports; told A 1; move A; refill; fail A4; reports ; "
	  "refill; ok A5; reports A:well" },
	{ "a fault of the worker's is no success",
	  "told A 1; put A1-9; activate 0 1; refill; internal A1; reports ; refill; ok A2; "
	  "reports A:well" },
	{ "a success that was told is not reported again",
	  "told A 1; put A1-9; activate 0 1; refill; ok A1; reports A:well; commit-reports; "
	  "told A 0; refill; ok A2; reports " },
	{ "what an earlier worker found goes on with a probe",
	  "note A 5000; put A1-9; activate 0 1; refill; sent A1!; open 1; memory 1" },
	{ "a success after that closes and is reported",
	  "note A 5000; put A1-9; activate 0 1; refill; ok A1; open 0; reports A:well" },
	{ "failing since is counted from the earlier worker's time",
	  "note A 59999; put A1-9; activate 0 1; refill; fail A1; reports ; +1000; refill; "
	  "fail A2; reports A:failing" },
	{ "a change of the webhook closes the breaker",
	  OPENED "move A; open 0; reports ; refill; sent A4+" },
	{ "a note of the webhook's own health changes nothing else",
	  "put A1-9; activate 0 1; refill; ok A1; refill; sent A2-3; note A 5; dropped ; "
	  "ok A2; refill; sent A4" },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)

/* Failures of attempts and their reasons: docs/deliveries.md row by row, against real receivers on
 * loopback. */
#include "base/clock.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

static const struct tls_server_options tls_good = { 0 },
				       tls_expired = { .certificate = CERTIFICATE_EXPIRED },
				       tls_another_name = { .certificate =
								CERTIFICATE_OF_ANOTHER_NAME },
				       tls_nobody = { .certificate = CERTIFICATE_OF_NOBODY },
				       tls_1_1 = { .version = TLS1_1_VERSION },
				       tls_1_2_client = { .version = TLS1_2_VERSION,
							  .wants_certificate = true },
				       tls_1_3_client = { .version = TLS1_3_VERSION,
							  .wants_certificate = true };

#define OK_LINE "HTTP/1.1 200 OK\r\n"

enum { NO_RECEIVER = -1 };

static const struct row {
	const char *name;
	const char *host; /* NULL: 127.0.0.1 */
	int behaviour;    /* enum behaviour, or NO_RECEIVER */
	const struct tls_server_options *tls;
	bool is_https;
	const char *answer;
	enum attempt_reason reason;
	const char *words; /* in what an operator reads; NULL: there was an answer */
} rows[] = {
	/* Before there is a connection. */
	{ "no such name", "none.test", NO_RECEIVER, NULL, false, NULL, ATTEMPT_DNS, "none.test" },
	{ "a name that resolves too slowly", "slow.test", NO_RECEIVER, NULL, false, NULL,
	  ATTEMPT_TIMEOUT, "Resolving timed out" },
	{ "a name of a private address", "inside.test", NO_RECEIVER, NULL, false, NULL,
	  ATTEMPT_ADDRESS_REFUSED, "private" },
	{ "nobody listens", NULL, NO_RECEIVER, NULL, false, NULL, ATTEMPT_CONNECT,
	  "connect to 127.0.0.1" },
	/* The handshake. */
	{ "silence in the handshake", NULL, BEHAVE_SILENT, NULL, true, NULL, ATTEMPT_TIMEOUT,
	  "timed out" },
	{ "closed in the handshake", NULL, BEHAVE_CLOSE_AT_ONCE, NULL, true, NULL, ATTEMPT_TLS,
	  "" },
	{ "reset in the handshake", NULL, BEHAVE_RESET_AT_ONCE, NULL, true, NULL, ATTEMPT_TLS,
	  "reset" },
	{ "no TLS", NULL, BEHAVE_SPEAK_FIRST, NULL, true, "HTTP/1.1 400 No\r\n\r\n", ATTEMPT_TLS,
	  "wrong version number" },
	{ "an old version", NULL, BEHAVE_ANSWER, &tls_1_1, true, NULL, ATTEMPT_TLS,
	  "alert protocol_version" },
	{ "a certificate of nobody", NULL, BEHAVE_ANSWER, &tls_nobody, true, NULL, ATTEMPT_TLS,
	  "alert unknown_ca sent" },
	{ "an expired certificate", NULL, BEHAVE_ANSWER, &tls_expired, true, NULL, ATTEMPT_TLS,
	  "certificate has expired" },
	{ "a certificate of another name", NULL, BEHAVE_ANSWER, &tls_another_name, true, NULL,
	  ATTEMPT_TLS, "subject name" },
	{ "an alert in the handshake", NULL, BEHAVE_ANSWER, &tls_1_2_client, true, NULL,
	  ATTEMPT_TLS, "alert handshake_failure received" },
	{ "an alert after the handshake", NULL, BEHAVE_ANSWER, &tls_1_3_client, true, NULL,
	  ATTEMPT_TLS, "alert certificate_required received" },
	{ "no TLS any more after the handshake", NULL, BEHAVE_GARBAGE_IN_TLS, &tls_good, true, NULL,
	  ATTEMPT_TLS, "alert" },
	/* No answer. */
	{ "closed, http", NULL, BEHAVE_ANSWER_AND_CLOSE, NULL, false, "", ATTEMPT_CONNECT,
	  "Empty reply" },
	{ "closed, https", NULL, BEHAVE_ANSWER_AND_CLOSE, &tls_good, true, "", ATTEMPT_CONNECT,
	  "Empty reply" },
	{ "reset, http", NULL, BEHAVE_ANSWER_AND_RESET, NULL, false, "", ATTEMPT_CONNECT, "reset" },
	{ "reset, https", NULL, BEHAVE_ANSWER_AND_RESET, &tls_good, true, "", ATTEMPT_CONNECT, "" },
	{ "closed before all was sent", NULL, BEHAVE_CLOSE_IN_BODY, NULL, false, NULL,
	  ATTEMPT_CONNECT, "" },
	{ "silence", NULL, BEHAVE_HANG, NULL, false, NULL, ATTEMPT_TIMEOUT, "0 bytes received" },
	{ "silence, https", NULL, BEHAVE_HANG, &tls_good, true, NULL, ATTEMPT_TIMEOUT,
	  "0 bytes received" },
	/* An answer that is none. */
	{ "not HTTP", NULL, BEHAVE_ANSWER_AND_CLOSE, NULL, false, "220 mail.example ESMTP\r\n",
	  ATTEMPT_PROTOCOL, "" },
	{ "headers without end", NULL, BEHAVE_ENDLESS_HEADERS, NULL, false, NULL, ATTEMPT_PROTOCOL,
	  "beyond the limits" },
	{ "a header line without end", NULL, BEHAVE_ENDLESS_LINE, NULL, false, NULL,
	  ATTEMPT_PROTOCOL, "" },
	{ "closed in the headers", NULL, BEHAVE_ANSWER_AND_CLOSE, NULL, false, OK_LINE "x: y\r\n",
	  ATTEMPT_PROTOCOL, "ended within the headers" },
	{ "closed in the headers, https", NULL, BEHAVE_ANSWER_AND_CLOSE, &tls_good, true,
	  OK_LINE "x: y\r\n", ATTEMPT_PROTOCOL, "" },
	{ "reset in the headers", NULL, BEHAVE_ANSWER_AND_RESET, NULL, false, OK_LINE "x: y\r\n",
	  ATTEMPT_PROTOCOL, "reset" },
	{ "reset in the headers, https", NULL, BEHAVE_ANSWER_AND_RESET, &tls_good, true,
	  OK_LINE "x: y\r\n", ATTEMPT_PROTOCOL, "" },
	{ "another protocol", NULL, BEHAVE_ANSWER, NULL, false,
	  "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", ATTEMPT_PROTOCOL, "" },
	{ "an interim answer alone", NULL, BEHAVE_ANSWER, NULL, false,
	  "HTTP/1.1 103 Early Hints\r\n\r\n", ATTEMPT_TIMEOUT, "timed out" },
	{ "headers that stop", NULL, BEHAVE_ANSWER, NULL, false, OK_LINE "x: y\r\n",
	  ATTEMPT_TIMEOUT, "timed out" },
	/* An answer: nothing behind its headers changes its result. */
	{ "a redirect", NULL, BEHAVE_ANSWER, NULL, false,
	  "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS, NULL },
	{ "a body without end", NULL, BEHAVE_ENDLESS_BODY, NULL, false, OK_LINE "\r\n", ATTEMPT_OK,
	  NULL },
	{ "reset in the body", NULL, BEHAVE_ANSWER_AND_RESET, NULL, false,
	  OK_LINE "content-length: 9\r\n\r\n1", ATTEMPT_OK, NULL },
	{ "reset in the body, https", NULL, BEHAVE_ANSWER_AND_RESET, &tls_good, true,
	  OK_LINE "content-length: 9\r\n\r\n1", ATTEMPT_OK, NULL },
};

static struct receiver *receiver_of(const struct row *row) {
	if (row->behaviour == NO_RECEIVER)
		return NULL;
	return receiver_new(&(struct receiver_options){
	    .behaviour = (enum behaviour)row->behaviour, .answer = row->answer, .tls = row->tls });
}

/* Returns whether it is as the row says, and prints it where it is not. */
static bool check_row(struct fixture *f, const struct row *row) {
	struct receiver *receiver = receiver_of(row);
	_cleanup_(x_freep) char *url = x_asprintf(
	    "http%s://%s:%u/", row->is_https ? "s" : "", row->host ? row->host : "127.0.0.1",
	    receiver ? receiver_port(receiver) : receiver_unused_port());
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);
	struct job *job;
	bool ok;

	submit(f, route, 1);
	job = next_ended(f);
	ok = job->result.reason == row->reason && !job->error == !row->words &&
	     (!row->words || strstr(job->error, row->words));
	if (!ok)
		print_error("%s: reason %d, error %s\n", row->name, job->result.reason,
			    job->error ? job->error : "none");
	job_free(job);
	if (receiver)
		receiver_free(receiver);
	return ok;
}

static void check_rows(struct fixture *f, bool are_of_time) {
	bool ok = true;

	f->config.endpoint_ca_file = tls_authority_file();
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((rows[i].reason == ATTEMPT_TIMEOUT) == are_of_time)
			ok &= check_row(f, &rows[i]);
	assert_true(ok);
}

/* However slow the machine is, none of them is a matter of time. */
static void failures_have_their_reason(void **state) {
	struct fixture *f = *state;

	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms = 30 * 1000;
	check_rows(f, false);
}

static void failures_of_time_are_timeouts(void **state) {
	check_rows(*state, true);
}

/* Connecting that takes too long, where a listener takes no more connections. */
static void a_connect_that_takes_too_long_is_a_timeout(void **state) {
	struct fixture *f = *state;
	_cleanup_(x_freep) char *url = x_asprintf("http://127.0.0.1:%u/", receiver_full_port());
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);
	struct job *job;

	f->config.delivery_connect_timeout_ms = TIMEOUT_MS / 2;
	start(f);
	submit(f, route, 1);
	job = next_ended(f);
	assert_int_equal(job->result.reason, ATTEMPT_TIMEOUT);
	/* libcurl 7.88: "... Timeout was reached" or "Connection timeout after 750 ms"; 8.14:
	 * "Connection timed out after ...". */
	assert_true(strcasestr(job->error, "timeout") ||
		    strstr(job->error, "Connection timed out"));
	job_free(job);
}

#define REASON_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		REASON_TEST(failures_have_their_reason),
		REASON_TEST(failures_of_time_are_timeouts),
		REASON_TEST(a_connect_that_takes_too_long_is_a_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

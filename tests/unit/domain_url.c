/* Endpoint urls: the accepted ones with their normal forms, the refused ones with their reasons. */
#include "base/buffer.h"
#include "domain/url.h"
#include "unit.h"

/* 127.0.0.0/8, 10.1.0.0/16 and fd00::/8. */
static struct network allowed[] = {
	{ .address = { .s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127 } }, .prefix_bits = 104 },
	{ .address = { .s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1 } },
	  .prefix_bits = 112 },
	{ .address = { .s6_addr = { 0xfd } }, .prefix_bits = 8 },
};
static const struct network_list allowed_networks = { .items = allowed,
						      .count = ARRAY_LEN(allowed) };
static const struct network_list no_networks = { 0 };

static const struct url_policy strict = { .allow_networks = &no_networks };
static const struct url_policy private = { .allow_http = true,
					   .allow_networks = &allowed_networks };

struct accepted {
	const char *text;
	const char *url;
};

static const struct accepted accepted_everywhere[] = {
	{ "https://example.com/hook", "https://example.com/hook" },
	{ "https://example.com", "https://example.com/" },
	{ "https://example.com/", "https://example.com/" },
	{ "HTTPS://EXAMPLE.COM/Hook", "https://example.com/Hook" },
	{ "hTtPs://Example.Com", "https://example.com/" },
	/* a dot that ends the name */
	{ "https://example.com./", "https://example.com./" },
	{ "https://EXAMPLE.com.:443/hook", "https://example.com./hook" },
	{ "https://example.com.:8443/hook?a=1", "https://example.com.:8443/hook?a=1" },
	{ "https://svc.namespace.svc.cluster.local.", "https://svc.namespace.svc.cluster.local./" },
	{ "https://localhost./", "https://localhost./" },
	{ "https://b\xc3\xbc"
	  "cher.example./",
	  "https://xn--bcher-kva.example./" },
	{ "https://"
	  "\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xe3\x80\x82/",
	  "https://xn--r8jz45g.xn--zckzah./" },
	/* ports */
	{ "https://example.com:443/hook", "https://example.com/hook" },
	{ "https://example.com:0443/hook", "https://example.com/hook" },
	{ "https://example.com:/hook", "https://example.com/hook" },
	{ "https://example.com:8443/hook", "https://example.com:8443/hook" },
	{ "https://example.com:80/hook", "https://example.com:80/hook" },
	{ "https://example.com:1/", "https://example.com:1/" },
	{ "https://example.com:65535/", "https://example.com:65535/" },
	{ "https://example.com:08443", "https://example.com:8443/" },
	{ "https://example.com:8443?a=1", "https://example.com:8443/?a=1" },
	/* queries */
	{ "https://example.com?a=1", "https://example.com/?a=1" },
	{ "https://example.com/?", "https://example.com/" },
	{ "https://example.com?", "https://example.com/" },
	{ "https://example.com/hook?", "https://example.com/hook" },
	{ "https://example.com/hook?a=1&b=2", "https://example.com/hook?a=1&b=2" },
	{ "https://example.com/hook?a=/b?c", "https://example.com/hook?a=/b?c" },
	{ "https://example.com/hook?a=b c", "https://example.com/hook?a=b%20c" },
	{ "https://example.com/hook?a=b+c", "https://example.com/hook?a=b+c" },
	{ "https://example.com/hook?a=../b/./c", "https://example.com/hook?a=../b/./c" },
	{ "https://example.com/hook?a='{}|^`", "https://example.com/hook?a=%27%7B%7D%7C%5E%60" },
	{ "https://example.com/hook?a[]=1", "https://example.com/hook?a%5B%5D=1" },
	{ "https://example.com/hook?%61%3d%2f", "https://example.com/hook?a%3D%2F" },
	{ "https://example.com/hook?a=ü", "https://example.com/hook?a=%C3%BC" },
	{ "https://example.com/hook?https://evil.example",
	  "https://example.com/hook?https://evil.example" },
	/* paths */
	{ "https://example.com/a/./b", "https://example.com/a/b" },
	{ "https://example.com/a/../b", "https://example.com/b" },
	{ "https://example.com/../../b", "https://example.com/b" },
	{ "https://example.com/a/b/..", "https://example.com/a/" },
	{ "https://example.com/a/b/.", "https://example.com/a/b/" },
	{ "https://example.com/a/b/../..", "https://example.com/" },
	{ "https://example.com/..", "https://example.com/" },
	{ "https://example.com/.", "https://example.com/" },
	{ "https://example.com/a/b/c/./../../g", "https://example.com/a/g" },
	{ "https://example.com/mid/content=5/../6", "https://example.com/mid/6" },
	{ "https://example.com/a/%2e%2E/b", "https://example.com/b" },
	{ "https://example.com/a/%2e/b", "https://example.com/a/b" },
	{ "https://example.com/a/.%2e/b", "https://example.com/b" },
	{ "https://example.com/a/...", "https://example.com/a/..." },
	{ "https://example.com/.a/..b", "https://example.com/.a/..b" },
	{ "https://example.com//a//b", "https://example.com//a//b" },
	{ "https://example.com//a//../b", "https://example.com//a/b" },
	{ "https://example.com//", "https://example.com//" },
	{ "https://example.com//evil.example/", "https://example.com//evil.example/" },
	{ "https://example.com/%7euser", "https://example.com/~user" },
	{ "https://example.com/%7Euser/%41%62", "https://example.com/~user/Ab" },
	{ "https://example.com/a%2fb", "https://example.com/a%2Fb" },
	{ "https://example.com/a%c3%bc", "https://example.com/a%C3%BC" },
	{ "https://example.com/ü", "https://example.com/%C3%BC" },
	{ "https://example.com/a b", "https://example.com/a%20b" },
	{ "https://example.com/a%20b", "https://example.com/a%20b" },
	{ "https://example.com/it's", "https://example.com/it%27s" },
	{ "https://example.com/it%27s", "https://example.com/it%27s" },
	{ "https://example.com/{id}|^`", "https://example.com/%7Bid%7D%7C%5E%60" },
	{ "https://example.com/<a>\"b\"", "https://example.com/%3Ca%3E%22b%22" },
	{ "https://example.com/a\\b", "https://example.com/a%5Cb" },
	{ "https://example.com/[a]", "https://example.com/%5Ba%5D" },
	{ "https://example.com/!$&()*+,;=:@", "https://example.com/!$&()*+,;=:@" },
	{ "https://example.com/user@host", "https://example.com/user@host" },
	{ "https://example.com/a:b", "https://example.com/a:b" },
	{ "https://example.com/%00", "https://example.com/%00" },
	/* names */
	{ "https://localhost/hook", "https://localhost/hook" },
	{ "https://hooks.example.co.uk/", "https://hooks.example.co.uk/" },
	{ "https://my_service/hook", "https://my_service/hook" },
	{ "https://r3---sn.example.com/", "https://r3---sn.example.com/" },
	{ "https://1and1.example/", "https://1and1.example/" },
	{ "https://1.2.3.com/", "https://1.2.3.com/" },
	{ "https://bücher.example/", "https://xn--bcher-kva.example/" },
	{ "https://BÜCHER.example/", "https://xn--bcher-kva.example/" },
	{ "https://bu\xcc\x88"
	  "cher.example/",
	  "https://xn--bcher-kva.example/" },
	{ "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/" },
	{ "https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/" },
	{ "https://faß.example/", "https://xn--fa-hia.example/" },
	{ "https://ExAmPlE。com/", "https://example.com/" },
	{ "https://ｅｘａｍｐｌｅ.com/", "https://example.com/" },
	{ "https://例え.テスト/フック",
	  "https://xn--r8jz45g.xn--zckzah/%E3%83%95%E3%83%83%E3%82%AF" },
};

/* Only with endpoint.allow.http and endpoint.allow.networks. */
static const struct accepted accepted_privately[] = {
	{ "http://example.com/hook", "http://example.com/hook" },
	{ "http://example.com:80/hook", "http://example.com/hook" },
	{ "http://example.com:443/hook", "http://example.com:443/hook" },
	{ "http://localhost:8080", "http://localhost:8080/" },
	{ "http://127.0.0.1:9000/hook", "http://127.0.0.1:9000/hook" },
	{ "https://127.1.2.3/", "https://127.1.2.3/" },
	{ "http://127.1/", "http://127.0.0.1/" },
	{ "http://0x7f000001/", "http://127.0.0.1/" },
	{ "http://0X7F.1/", "http://127.0.0.1/" },
	{ "http://2130706433/", "http://127.0.0.1/" },
	{ "http://0177.0.0.01/", "http://127.0.0.1/" },
	{ "http://１２７.0.0.1/", "http://127.0.0.1/" },
	{ "http://127。0。0。1/", "http://127.0.0.1/" },
	{ "http://10.1.255.255/", "http://10.1.255.255/" },
	{ "http://[fd00::1]/hook", "http://[fd00::1]/hook" },
	{ "http://[FD00:0:0:0:0:0:0:1]:80/hook", "http://[fd00::1]/hook" },
	{ "http://[fd00::1]:8080?a=1", "http://[fd00::1]:8080/?a=1" },
	{ "http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/" },
};

struct refused {
	const char *text;
	const char *why;
};

#define ABSOLUTE "Must be an absolute https url"
#define ADDRESS "Must name its host: an IP address is allowed only inside endpoint.allow.networks"
#define NAME "Must have a valid host name"
#define USER_INFO "Must not have user info"
#define FRAGMENT "Must not have a fragment"
#define PORT "Must have a port between 1 and 65535"
#define PORT_TEXT "Must have a port that is a number"
#define IPV6 "Must have a valid IPv6 address between brackets"
#define IDNA "Must have a host name that IDNA accepts"
#define CONTROL "Must not contain control characters"
#define SPACE "Must not begin or end with a space"
#define BROKEN "Must not have a broken percent-encoding"
#define ENCODED_HOST "Must not have a percent-encoded host"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct refused refused_strictly[] = {
	{ "http://example.com/hook", ABSOLUTE },
	{ "http://127.0.0.1/", ABSOLUTE },
	{ "https://127.0.0.1/", ADDRESS },
	{ "https://8.8.8.8/", ADDRESS },
	{ "https://127.1/", ADDRESS },
	{ "https://0x7f000001/", ADDRESS },
	{ "https://0x7F.0.0.1/", ADDRESS },
	{ "https://2130706433/", ADDRESS },
	{ "https://017700000001/", ADDRESS },
	{ "https://0/", ADDRESS },
	{ "https://1/", ADDRESS },
	{ "https://１２７.0.0.1/", ADDRESS },
	{ "https://127。0。0。1/", ADDRESS },
	{ "https://[::1]/", ADDRESS },
	{ "https://[::]/", ADDRESS },
	{ "https://[2001:db8::1]:8443/", ADDRESS },
	{ "https://[::ffff:127.0.0.1]/", ADDRESS },
	{ "https://[fd00::1]/", ADDRESS },
};

static const struct refused refused_everywhere[] = {
	/* not a url of ours */
	{ "", ABSOLUTE },
	{ "hook", ABSOLUTE },
	{ "/hook", ABSOLUTE },
	{ "//example.com/hook", ABSOLUTE },
	{ "example.com/hook", ABSOLUTE },
	{ "https:example.com", ABSOLUTE },
	{ "https:/example.com", ABSOLUTE },
	{ "https:\\\\example.com", ABSOLUTE },
	{ "https//example.com", ABSOLUTE },
	{ "https :// example.com", ABSOLUTE },
	{ "httpss://example.com", ABSOLUTE },
	{ "ftp://example.com/", ABSOLUTE },
	{ "file:///etc/passwd", ABSOLUTE },
	{ "javascript:alert(1)", ABSOLUTE },
	{ "data:text/plain,hello", ABSOLUTE },
	{ "wss://example.com/", ABSOLUTE },
	{ "https", ABSOLUTE },
	{ "https:", ABSOLUTE },
	/* no host */
	{ "https://", "Must have a host" },
	{ "https:///hook", "Must have a host" },
	{ "https://?a=1", "Must have a host" },
	{ "https://:443/", "Must have a host" },
	/* user info */
	{ "https://user@example.com/", USER_INFO },
	{ "https://user:secret@example.com/", USER_INFO },
	{ "https://@example.com/", USER_INFO },
	{ "https://:@example.com/", USER_INFO },
	{ "https://example.com@evil.example/", USER_INFO },
	{ "https://example.com\\@evil.example/", USER_INFO },
	{ "https://user%40example.com@evil.example/", USER_INFO },
	/* fragments */
	{ "https://example.com/#", FRAGMENT },
	{ "https://example.com/hook#part", FRAGMENT },
	{ "https://example.com#@evil.example/", FRAGMENT },
	{ "https://example.com/?a=1#b", FRAGMENT },
	/* ports */
	{ "https://example.com:0/", PORT },
	{ "https://example.com:00000/", PORT },
	{ "https://example.com:65536/", PORT },
	{ "https://example.com:99999999999999999999/", PORT },
	{ "https://example.com:-1/", PORT_TEXT },
	{ "https://example.com:+443/", PORT_TEXT },
	{ "https://example.com:http/", PORT_TEXT },
	{ "https://example.com:44 3/", PORT_TEXT },
	{ "https://example.com:443:443/", PORT_TEXT },
	{ "https://example.com:４４３/", PORT_TEXT },
	{ "https://::1/", "Must have a host" },
	{ "https://2001:db8::1/", ADDRESS },
	/* characters */
	{ " https://example.com/", SPACE },
	{ "https://example.com/ ", SPACE },
	{ "https://example.com/a\nb", CONTROL },
	{ "https://example.com/a\r\nHost: evil.example", CONTROL },
	{ "https://exam\tple.com/", CONTROL },
	{ "\thttps://example.com/", CONTROL },
	{ "https://example.com/\x7f", CONTROL },
	{ "https://example.com/\x01", CONTROL },
	{ "https://example.com/%", BROKEN },
	{ "https://example.com/%2", BROKEN },
	{ "https://example.com/%zz", BROKEN },
	{ "https://example.com/100%/a", BROKEN },
	{ "https://example.com/?a=%g0", BROKEN },
	/* hosts */
	{ "https://exa mple.com/", NAME },
	{ "https://example.com\\evil/", NAME },
	{ "https://example.com../", NAME },
	{ "https://example..com./", NAME },
	{ "https://-example.com./", NAME },
	{ "https://1.2.3.256./", NAME },
	{ "https://127.0.0.1./", NAME },
	{ "https://127.1./", NAME },
	{ "https://0x7f.1./", NAME },
	{ "https://2130706433./", NAME },
	{ "https://\xe3\x80\x82/", NAME },
	{ "https://example.com..:443/", NAME },
	{ "https://.example.com/", NAME },
	{ "https://a..com/", NAME },
	{ "https://./", NAME },
	{ "https://../", NAME },
	{ "https://-a.com/", NAME },
	{ "https://a-.com/", NAME },
	{ "https://*.example.com/", NAME },
	{ "https://exam!ple.com/", NAME },
	{ "https://example.com;evil/", NAME },
	{ "https://a,b/", NAME },
	{ "https://{host}/", NAME },
	{ "https://<host>/", NAME },
	{ "https://a'b/", NAME },
	{ "https://" A63 "a.com/", NAME },
	{ "https://" A63 "." A63 "." A63 "." A63 "/", NAME },
	{ "https://" A63 "." A63 "." A63 "." A63 "./", NAME },
	{ "https://ex%61mple.com/", ENCODED_HOST },
	{ "https://%31%32%37.0.0.1/", ENCODED_HOST },
	{ "https://example.com%2fevil/", ENCODED_HOST },
	{ "https://example.com%00.evil.example/", ENCODED_HOST },
	{ "https://xn--a.example/", IDNA },
	{ "https://xn--.example/", IDNA },
	{ "https://xn--bcher-kva-.example/", IDNA },
	{ "https://\xe2\x80\x8b.example/", NAME }, /* a zero width space, which maps to nothing */
	{ "https://\xef\xbf\xbd.example/", IDNA }, /* replacement character */
	{ "https://\xcc\x88"
	  "a.example/",
	  IDNA }, /* begins with a combining mark */
	{ "https://☃.example/", IDNA },
	/* numbers that are neither name nor address */
	{ "https://1.2.3.256/", NAME },
	{ "https://1.2.3.4.5/", NAME },
	{ "https://256.256.256.256/", NAME },
	{ "https://4294967296/", NAME },
	{ "https://0x100000000/", NAME },
	{ "https://example.1/", NAME },
	{ "https://example.0x1/", NAME },
	{ "https://08.0.0.1/", NAME },
	/* addresses in brackets */
	{ "https://[::1/", NAME },
	{ "https://[::1]a/", NAME },
	{ "https://[]/", IPV6 },
	{ "https://[::1%25eth0]/", IPV6 },
	{ "https://[fe80::1%eth0]/", IPV6 },
	{ "https://[v1.fe80::a]/", IPV6 },
	{ "https://[127.0.0.1]/", IPV6 },
	{ "https://[example.com]/", IPV6 },
	{ "https://[1:2:3]/", IPV6 },
	/* outside of what is allowed in either policy */
	{ "https://10.0.0.1/", ADDRESS },
	{ "https://169.254.169.254/latest/meta-data", ADDRESS },
	{ "https://[fe80::1]/", ADDRESS },
	{ "https://[::ffff:10.0.0.1]/", ADDRESS },
};

static void check_accepted(const struct accepted *row, const struct url_policy *policy) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *why = NULL;
	char *url = NULL, *again = NULL;

	if (url_normalise(arena, row->text, policy, &url, &why))
		fail_msg("%s: refused: %s", row->text, why);
	if (strcmp(url, row->url) != 0)
		fail_msg("%s: is %s, not %s", row->text, url, row->url);
	if (url_normalise(arena, url, policy, &again, &why))
		fail_msg("%s: its own result %s is refused: %s", row->text, url, why);
	if (strcmp(again, url) != 0)
		fail_msg("%s: %s becomes %s the second time", row->text, url, again);
}

static void check_refused(const struct refused *row, const struct url_policy *policy) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *why = NULL;
	char *url = NULL;
	int r = url_normalise(arena, row->text, policy, &url, &why);

	if (r != URL_E_REFUSED)
		fail_msg("%s: %d, accepted as %s", row->text, r, url);
	if (strcmp(why, row->why) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", row->text, why, row->why);
}

static void accepts(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(accepted_everywhere); i++) {
		check_accepted(&accepted_everywhere[i], &strict);
		check_accepted(&accepted_everywhere[i], &private);
	}
}

static void accepts_what_the_policy_opens(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(accepted_privately); i++)
		check_accepted(&accepted_privately[i], &private);
}

static void refuses_what_the_policy_does_not_open(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused_strictly); i++)
		check_refused(&refused_strictly[i], &strict);
}

static void refuses(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused_everywhere); i++) {
		check_refused(&refused_everywhere[i], &strict);
		check_refused(&refused_everywhere[i], &private);
	}
}

/* "https://example.com/" and `count` times `unit`. */
static char *long_url(struct arena *arena, const char *unit, size_t count) {
	struct buffer text = BUFFER_INIT(64 * 1024);
	char *out;

	buffer_append_string(&text, "https://example.com/");
	while (count--)
		buffer_append_string(&text, unit);
	out = arena_strdup(arena, text.data);
	buffer_destroy(&text);
	return out;
}

static void bounds_the_length(void **state _unused_) {
	static const size_t head = sizeof("https://example.com/") - 1;
	static const char why_too_long[] = "Must be at most 2048 bytes, also after normalisation";
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *longest = long_url(arena, "a", URL_MAX - head);

	check_accepted(&(struct accepted){ longest, longest }, &strict);
	check_refused(&(struct refused){ long_url(arena, "a", URL_MAX - head + 1), why_too_long },
		      &strict);
	check_refused(&(struct refused){ long_url(arena, "a", 50000), why_too_long }, &strict);
	check_refused(&(struct refused){ long_url(arena, "ü", 400), why_too_long }, &strict);
	/* Short enough afterwards is not enough. */
	check_refused(&(struct refused){ long_url(arena, "./", URL_MAX), why_too_long }, &strict);
}

static void a_policy_without_networks_allows_no_address(void **state _unused_) {
	check_refused(&(struct refused){ "https://127.0.0.1/", ADDRESS },
		      &(struct url_policy){ 0 });
}

struct split {
	const char *url, *scheme, *host;
	uint16_t port;
	const char *authority, *path, *query;
};

static const struct split splits[] = {
	{ "https://example.com/", "https", "example.com", 443, "example.com", "/", NULL },
	{ "https://example.com:8443/a/b?c=d", "https", "example.com", 8443, "example.com:8443",
	  "/a/b", "?c=d" },
	{ "https://example.com.:8443/", "https", "example.com.", 8443, "example.com.:8443", "/",
	  NULL },
	{ "http://example.com/?a=/?b", "http", "example.com", 80, "example.com", "/", "?a=/?b" },
	{ "http://[fd00::1]/hook", "http", "fd00::1", 80, "[fd00::1]", "/hook", NULL },
	{ "https://[fd00::1]:444/hook", "https", "fd00::1", 444, "[fd00::1]:444", "/hook", NULL },
	{ "https://example.com//a:b@c", "https", "example.com", 443, "example.com", "//a:b@c",
	  NULL },
};

static void splits_a_normalised_url(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		const struct split *row = &splits[i];
		struct url_parts parts;

		url_split(arena, row->url, &parts);
		assert_string_equal(parts.scheme, row->scheme);
		assert_string_equal(parts.host, row->host);
		assert_int_equal(parts.port, row->port);
		assert_string_equal(parts.authority, row->authority);
		assert_string_equal(parts.path, row->path);
		assert_int_equal(!parts.query, !row->query);
		if (row->query)
			assert_string_equal(parts.query, row->query);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(accepts_what_the_policy_opens),
		cmocka_unit_test(refuses_what_the_policy_does_not_open),
		cmocka_unit_test(refuses),
		cmocka_unit_test(bounds_the_length),
		cmocka_unit_test(a_policy_without_networks_allows_no_address),
		cmocka_unit_test(splits_a_normalised_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

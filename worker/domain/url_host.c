#include "domain/url_host.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <idn2.h>

/* Source: RFC 1035 section 2.3.4; 253 is 255 without the root's dot and the first label's length.
 */
enum { HOST_NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63 };

static const char ADDRESS_REFUSED[] =
    "Must name its host: an IP address is allowed only inside endpoint.allow.networks";
static const char NAME_REFUSED[] = "Must have a valid host name";

static int refuse_host(const char **why, const char *rule) {
	*why = rule;
	return URL_E_REFUSED;
}

static bool is_allowed(const struct url_policy *policy, const struct in6_addr *address) {
	return policy->allow_networks && network_list_contains(policy->allow_networks, address);
}

static struct in6_addr mapped(const struct in_addr *address) {
	struct in6_addr out = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&out.s6_addr[12], address, sizeof(*address));
	return out;
}

/* Refuses a zone id, which is local to one machine, and IPvFuture. Formats as RFC 5952 says. */
static int normalise_ipv6(struct arena *arena, const char *host, const struct url_policy *policy,
			  char **out, const char **why) {
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len = strlen(host);

	if (len < 2 || host[len - 1] != ']')
		return refuse_host(why, NAME_REFUSED);
	if (inet_pton(AF_INET6, arena_strndup(arena, host + 1, len - 2), &address) != 1)
		return refuse_host(why, "Must have a valid IPv6 address between brackets");
	if (!is_allowed(policy, &address))
		return refuse_host(why, ADDRESS_REFUSED);
	inet_ntop(AF_INET6, &address, text, sizeof(text));
	*out = arena_printf(arena, "[%s]", text);
	return 0;
}

static bool needs_idna(const char *host) {
	for (const char *p = host; *p; p++)
		if (*p & 0x80)
			return true;
	return strcasestr(host, "xn--") != NULL;
}

static char *lower_case(struct arena *arena, const char *host) {
	char *out = arena_strdup(arena, host);

	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

/* Returns NULL where IDNA refuses the host. Plain ASCII labels are not given to IDNA, which
 * would refuse good names ("r3---sn.example"). */
static char *to_ascii(struct arena *arena, const char *host) {
	uint8_t *ascii = NULL;
	char *out;

	if (!needs_idna(host))
		return lower_case(arena, host);
	if (idn2_lookup_u8((const uint8_t *)host, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return NULL;
	out = lower_case(arena, (const char *)ascii);
	idn2_free(ascii);
	return out;
}

/* Letters, digits and hyphens inside (RFC 1123 section 2.1), and the underscore, which private
 * networks use. */
static bool is_label(const char *label, size_t len) {
	if (len == 0 || len > LABEL_MAX_LEN || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!islower((unsigned char)label[i]) && !isdigit((unsigned char)label[i]) &&
		    label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* The length without the root's dot, which may end a name. Source: RFC 3986 section 3.2.2. */
static size_t relative_len(const char *host) {
	size_t len = strlen(host);

	return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

static bool is_name(const char *host) {
	const char *end = host + relative_len(host);

	if (end - host > HOST_NAME_MAX_LEN)
		return false;
	for (const char *label = host;;) {
		size_t len = MIN(strcspn(label, "."), (size_t)(end - label));

		if (!is_label(label, len))
			return false;
		label += len;
		if (label == end)
			return true;
		label++;
	}
}

/* The host as libcurl would use it: it rewrites every number form of an IPv4 address (127.1,
 * 0x7f000001, 017700000001) to four decimals. NULL where libcurl refuses it. */
static char *as_curl_reads_it(struct arena *arena, const char *host) {
	CURLU *handle = x_checked(curl_url());
	char *read = NULL, *out = NULL;

	if (curl_url_set(handle, CURLUPART_URL, arena_printf(arena, "https://%s/", host), 0) ==
		CURLUE_OK &&
	    curl_url_get(handle, CURLUPART_HOST, &read, 0) == CURLUE_OK)
		out = arena_strdup(arena, read);
	curl_free(read);
	curl_url_cleanup(handle);
	return out;
}

/* Whether the last label is a number: such a name is a malformed address ("1.2.3.256"). Source:
 * WHATWG URL, "ends in a number". */
static bool ends_in_a_number(const char *host) {
	const char *dot = strrchr(host, '.'), *label = dot ? dot + 1 : host;

	if (label[strspn(label, "0123456789")] == '\0')
		return true;
	return label[0] == '0' && label[1] == 'x' &&
	       label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
}

static int normalise_name(struct arena *arena, const char *name, const struct url_policy *policy,
			  char **out, const char **why) {
	const char *relative = arena_strndup(arena, name, relative_len(name)),
		   *read = as_curl_reads_it(arena, name);
	struct in6_addr address;
	struct in_addr ipv4;

	/* An address with a dot behind it is refused: libcurl would read it as something else. */
	if (!read || (strlen(relative) < strlen(name) && ends_in_a_number(relative)))
		return refuse_host(why, NAME_REFUSED);
	if (inet_pton(AF_INET, read, &ipv4) != 1) {
		if (ends_in_a_number(relative) || strcmp(read, name) != 0)
			return refuse_host(why, NAME_REFUSED);
		*out = arena_strdup(arena, name);
		return 0;
	}
	address = mapped(&ipv4);
	if (!is_allowed(policy, &address))
		return refuse_host(why, ADDRESS_REFUSED);
	*out = arena_strdup(arena, read);
	return 0;
}

int url_host_normalise(struct arena *arena, const char *host, const struct url_policy *policy,
		       char **out, const char **why) {
	const char *name;

	if (!*host)
		return refuse_host(why, "Must have a host");
	if (*host == '[')
		return normalise_ipv6(arena, host, policy, out, why);
	if (strchr(host, '%'))
		return refuse_host(why, "Must not have a percent-encoded host");
	name = to_ascii(arena, host);
	if (!name)
		return refuse_host(why, "Must have a host name that IDNA accepts");
	if (!is_name(name))
		return refuse_host(why, NAME_REFUSED);
	return normalise_name(arena, name, policy, out, why);
}

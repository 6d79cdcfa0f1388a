/* Blocks of addresses, against a model that knows them as numbers of 128 bits. */
#include "base/network.h"
#include "fuzz.h"
#include "network_model.h"

#include <arpa/inet.h>
#include <errno.h>

static void check_parse(const char *text, struct network *out, bool *is_network) {
	struct model_network model;
	int wanted = model_parse(text, &model), r = network_parse(text, out);

	CHECK(r == wanted);
	*is_network = r == 0;
	if (r)
		return;
	CHECK(out->prefix_bits == model.bits);
	CHECK(model_number(out->address.s6_addr) == model.number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *first = fuzz_take_line(&input), *second = fuzz_take_line(&input);
	struct network networks[2] = { 0 };
	bool is_first, is_second;
	struct network_list list = { .items = networks };
	struct in6_addr address = { 0 };

	check_parse(first, &networks[0], &is_first);
	check_parse(second, &networks[is_first], &is_second);
	list.count = (size_t)is_first + is_second;
	memcpy(&address, input.at, MIN((size_t)(input.end - input.at), sizeof(address)));
	CHECK(network_list_contains(&list, &address) == model_contains(&list, &address));
	/* The networks' own first addresses lie at the borders. */
	for (size_t i = 0; i < list.count; i++)
		CHECK(network_list_contains(&list, &networks[i].address) ==
		      model_contains(&list, &networks[i].address));
	return 0;
}

#include "pipeline/lease.h"

void lease_init(struct lease *lease, int64_t session_us) {
	*lease = (struct lease){ .session_us = session_us };
}

static bool is_proof(struct lease *lease, enum lease_proof proof, int64_t sent_us, int64_t now_us) {
	if (proof == LEASE_SYNC || now_us < lease->until_us)
		return true;
	if (lease->answered_us > 0)
		return sent_us >= lease->answered_us;
	if (sent_us >= lease->until_us)
		lease->answered_us = now_us;
	return false;
}

bool lease_answered(struct lease *lease, enum lease_proof proof, int64_t sent_us, int64_t now_us) {
	int64_t until_us = sent_us + lease->session_us;

	if (!is_proof(lease, proof, sent_us, now_us) || until_us <= lease->until_us)
		return false;
	lease->until_us = until_us;
	lease->answered_us = 0;
	return true;
}

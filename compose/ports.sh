# shellcheck shell=bash
# The ports of this machine; sourced by the programs that start servers on them.

# port_is_used PORT [STATES]: whether there is a socket on it, outgoing ones included; of these TCP
# states alone, a pattern for those of /proc/net/tcp.
port_is_used() {
	local hex
	printf -v hex '%04X' "$1"
	grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F:]+ ${2:-..} " /proc/net/tcp /proc/net/tcp6
}

# choose_ports COUNT: the first of a row of free ports, below those of outgoing connections.
choose_ports() {
	local first n
	while :; do
		first=$((20000 + RANDOM % 12000))
		for ((n = 0; n < $1; n++)); do
			! port_is_used $((first + n)) || continue 2
		done
		echo "$first"
		return
	done
}

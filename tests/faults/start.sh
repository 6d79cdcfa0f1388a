# What the programs here that break things have in common; sourced by run and recovery.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
# shellcheck source=../../compose/install.sh
source "$root/compose/install.sh"

# start_harness MODULE [ARGUMENT...]: installs and builds what is missing, then becomes the module. POSTHORN_BIN names another build, which must
# have POSTHORN_FAULTS.
start_harness() {
	local module=$1
	shift
	if [[ " $* " != *" --help "* ]]; then
		need_build && need_kafka && need_tests && need_faults
		if [[ -z ${POSTHORN_BIN-} ]]; then
			cd "$root"
			cmake --preset debug >/dev/null && cmake --build --preset debug --parallel "$(nproc)" >/dev/null
			export POSTHORN_BIN=$root/build/debug/bin
		fi
	fi
	python_environment "$root/build/.venv" "$root/tests/requirements.txt"
	# librdkafka tells on stderr of every connection that a killed broker ended.
	PYTHONPATH=$here:$here/../e2e exec "$root/build/.venv/bin/python" -m "$module" "$@" 2> >(grep --line-buffered -v '^%[0-7]|' >&2)
}

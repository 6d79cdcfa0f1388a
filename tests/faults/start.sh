# What the programs here that break things have in common; sourced by run and recovery.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
# shellcheck source=../../compose/install.sh
source "$root/compose/install.sh"

# start_harness MODULE [--preset NAME] [ARGUMENT...]: installs and builds what is missing, then becomes the module. The preset (debug) must have
# POSTHORN_FAULTS; so must another build, which POSTHORN_BIN names.
start_harness() {
	local module=$1 preset=debug
	shift
	if [[ ${1-} == --preset ]]; then
		preset=$2
		shift 2
		unset POSTHORN_BIN
	fi
	if [[ " $* " != *" --help "* ]]; then
		need_build && need_kafka && need_tests && need_faults
		if [[ -z ${POSTHORN_BIN-} ]]; then
			cd "$root"
			cmake --preset "$preset" >/dev/null && cmake --build --preset "$preset" --parallel "$(nproc)" >/dev/null
			export POSTHORN_BIN=$root/build/$preset/bin
		fi
	fi
	python_environment "$root/build/.venv" "$root/tests/requirements.txt"
	# librdkafka tells on stderr of every connection that a killed broker ended.
	PYTHONPATH=$here:$here/../e2e exec "$root/build/.venv/bin/python" -m "$module" "$@" 2> >(grep --line-buffered -v '^%[0-7]|' >&2)
}

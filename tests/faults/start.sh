# The common part of the programs here; sourced by all of them.

# shellcheck source=../../compose/install.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../compose/install.sh"

# become MODULE [ARGUMENT...]
become() {
	PYTHONPATH=$root/tests/faults:$root/tests/e2e exec "$python" -m "$@"
}

# start_harness MODULE [--preset NAME] [ARGUMENT...]: installs and builds what is missing, then
# becomes the module. The preset (debug) must have POSTHORN_FAULTS; so must another build, which
# POSTHORN_BIN names.
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
			build_programs "$preset"
			export POSTHORN_BIN=$root/build/$preset/bin
		fi
	fi
	python_environment
	# librdkafka reports on stderr every connection that a killed broker ended.
	become "$module" "$@" 2> >(grep --line-buffered -v '^%[0-7]|' >&2)
}

# shellcheck shell=bash
# What the programs for people have in common; sourced by all of them. Sets
#
#     root            the repository's folder
#     python          Python with the packages of tests/requirements.txt, after python_environment
#
# and defines
#
#     need_build      installs what compiles posthorn
#     need_kafka      what runs the real Kafka of compose/kafka
#     need_tests      what runs the tests and the demo's receiver
#     need_e2e        what tests/e2e needs besides: a browser for the page, interpreters of the code
#                     that the page offers to copy, proxies before the gateway, gdb for a core, and
#                     Prometheus
#     need_bench      what benches need besides: a generator of HTTP load
#     need_peers      what the worker in Go is built with, to which one bench compares
#     need_go         a Go that is new enough, in PATH
#     need_fuzz       what fuzzing needs besides: clang, with its libFuzzer
#     need_faults     what fault runs need besides: workers with a clock of their own
#     need_released   what release 0.1.0 is built with besides
#     need_package    what tests/package needs: roots of Debian, and what boots them
#     need_prometheus what tests/prometheus needs: promtool
#     need_image      what tests/image needs: roots of Debian, and what builds and runs images
#     build_programs  builds a preset into build/PRESET
#     python_environment
#
# Each is silent when all goes well. This is the one place that names Debian packages for people's
# scripts; for the libraries alone CMake names them too (worker/cmake/dependencies.cmake).

# shellcheck disable=SC2034 # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
python=$root/build/.venv/bin/python

# command=package: a command that comes from elsewhere is as good.
build_commands=(gcc=gcc make=make cmake=cmake pkg-config=pkg-config)
build_packages=(libc6-dev librdkafka-dev libavro-dev libcurl4-openssl-dev libssl-dev libsodium-dev libsqlite3-dev libjansson-dev
	libidn2-dev uthash-dev libcmocka-dev)
kafka_commands=(java=default-jre-headless mvn=maven openssl=openssl)
test_commands=(git=git python3=python3 openssl=openssl curl=curl jq=jq kcat=kcat groff=groff-base zsh=zsh)
e2e_commands=(chromium=chromium chromedriver=chromium-driver javac=default-jdk-headless node=nodejs npm=npm
	/usr/sbin/haproxy=haproxy /usr/sbin/nginx=nginx-light gcore=gdb)

need_build() {
	install_missing "$(missing_commands "${build_commands[@]}") $(missing_packages "${build_packages[@]}")"
}

need_kafka() {
	install_missing "$(missing_commands "${kafka_commands[@]}")"
}

need_tests() {
	local missing
	missing=$(missing_commands "${test_commands[@]}")
	# Debian ships Python without ensurepip, which `python3 -m venv` needs.
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=' python3-venv'
	install_missing "$missing"
}

need_e2e() {
	install_missing "$(missing_commands "${e2e_commands[@]}" "cargo=$(cargo_package)")" && need_prometheus && need_go
}

# Debian 12 has a newer Rust beside its own, for browsers.
cargo_package() {
	grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release && echo cargo-web || echo cargo
}

need_bench() {
	install_missing "$(missing_commands wrk=wrk)"
}

need_sinks() {
	install_missing "$(missing_packages postgresql)"
}

need_peers() {
	need_go
}

# A Go that all programs in Go can be built with; tests/bench/peers/go/go.mod wants the newest. An
# older one, from 1.21 on, fetches the one that GOTOOLCHAIN names, as it fetches modules, and checks
# it against Go's checksum database.
need_go() {
	install_missing "$(missing_commands go=golang-go)" || return
	go_is_at_least 1.26 && return
	go_is_at_least 1.21 || install_backported_go || return
	export GOTOOLCHAIN=go1.27.3
}

# Debian 12's own Go is older than that; the one of its backports is not. They are a source for
# this call alone: the machine's stay as they are.
install_backported_go() {
	local uri sources options
	# shellcheck disable=SC2016 # apt's own substitution
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
	if [[ ! $uri ]]; then
		echo "missing: a Go of 1.21 or newer; this one is $(go env GOVERSION)" >&2
		return 1
	fi
	echo "installing golang-go of Debian 12's backports" >&2
	sources=$(mktemp --suffix=.list) && chmod 644 "$sources" && echo "deb $uri bookworm-backports main" >"$sources" || return
	options=(-o "Dir::Etc::sourcelist=$sources" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0)
	as_root apt-get "${options[@]}" update &&
		as_root apt-get "${options[@]}" install -y --no-install-recommends -t bookworm-backports golang-go
	rm "$sources"
	go_is_at_least 1.21
}

go_is_at_least() {
	local version
	version=$(go env GOVERSION) && printf '%s\n' "$1" "${version#go}" | sort --version-sort --check=silent
}

need_fuzz() {
	# The runtime's package has the compiler's version in its name: whether it is there shows
	# when it is linked.
	echo 'int LLVMFuzzerTestOneInput(const char *data, long size) { return data && size < 0; }' |
		clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null && return
	install_missing 'clang libclang-rt-dev'
}

need_faults() {
	install_missing "$(missing_packages libfaketime)"
}

need_released() {
	install_missing "$(missing_packages libmicrohttpd-dev)"
}

need_package() {
	install_missing "$(missing_commands /usr/sbin/debootstrap=debootstrap systemd-nspawn=systemd-container)"
}

need_prometheus() {
	install_missing "$(missing_commands promtool=prometheus)"
}

need_image() {
	install_missing "$(missing_commands /usr/sbin/debootstrap=debootstrap buildah=buildah podman=podman runc=runc \
		/usr/lib/podman/netavark=netavark /usr/lib/podman/aardvark-dns=aardvark-dns /usr/sbin/iptables=iptables)"
}

# build_programs PRESET [ARGUMENT...]: the arguments go on to CMake's configuration.
build_programs() {
	local preset=$1
	shift
	(cd "$root" && quietly cmake --preset "$preset" "$@" &&
		quietly nice cmake --build --preset "$preset" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}")
}

# A virtual environment with exactly the packages of tests/requirements.txt; made again when the
# file changes.
python_environment() {
	local folder=$root/build/.venv requirements=$root/tests/requirements.txt
	cmp -s "$requirements" "$folder/requirements.txt" && return
	echo "installing Python packages into $folder" >&2
	rm -rf "$folder"
	mkdir -p "$(dirname "$folder")"
	python3 -m venv "$folder" &&
		"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" &&
		cp "$requirements" "$folder/requirements.txt"
}

missing_commands() {
	local pair
	for pair; do
		command -v "${pair%%=*}" >/dev/null || echo "${pair#*=}"
	done
}

missing_packages() {
	# Elsewhere than on Debian CMake says which libraries are missing.
	command -v dpkg-query >/dev/null || return 0
	local package
	for package; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
	done
}

install_missing() {
	local packages
	read -r -d '' -a packages <<<"$1" || true
	((${#packages[@]})) || return 0
	if ! command -v apt-get >/dev/null; then
		echo "missing, and there is no apt-get to install them: ${packages[*]}" >&2
		return 1
	fi
	echo "installing ${packages[*]}" >&2
	as_root apt-get update && as_root apt-get install -y --no-install-recommends "${packages[@]}"
}

# quietly COMMAND...: shows its output only when it fails.
quietly() {
	local log
	log=$("$@" 2>&1 </dev/null) && return
	printf '%s\n' "$log" >&2
	return 1
}

as_root() {
	local prefix=()
	((EUID == 0)) || prefix=(sudo)
	quietly "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive "$@"
}

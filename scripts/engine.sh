# Functions shared by the scripts here that need a container engine. Sourced,
# never run. After engine_find, $engine is the command line of a client that
# reaches an engine and $engine_how says how it was found.

say() { printf '%s\n' "$*" >&2; }

# bounded SECONDS COMMAND...: a hung engine must not hang the build.
bounded() {
	if command -v timeout >/dev/null 2>&1; then
		timeout "$@"
	else
		shift
		"$@"
	fi
}

# detached LOG PIDFILE COMMAND...: starts a daemon that keeps no descriptor of
# the caller open, which would keep a caller waiting that reads ours to the end,
# nor dies with its terminal. It works in /, since Podman starts nothing once the
# directory is gone that it was started in.
detached() {
	detached_log=$1 detached_pid=$2
	shift 2
	(
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
		done
		if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
		cd /
		exec nohup "$@" </dev/null >"$detached_log" 2>&1
	) &
	echo $! >"$detached_pid"
}

# legacy_iptables prefers the older tables where the kernel lacks the newer
# ones, for daemons that the calling script starts.
legacy_iptables() {
	command -v iptables-legacy >/dev/null 2>&1 || return 0
	if iptables -t nat -L -n >/dev/null 2>&1; then return 0; fi
	iptables-legacy -t nat -L -n >/dev/null 2>&1 || return 0
	shims=$(mktemp -d)
	for tool in iptables ip6tables; do
		ln -s "$(command -v "$tool-legacy")" "$shims/$tool"
	done
	PATH=$shims:$PATH
	export PATH
}

# answers COMMAND...: is there an engine behind this client?
answers() {
	command -v "$1" >/dev/null 2>&1 || return 1
	case $1 in
	*docker) engine_version=$(bounded 15 "$@" version --format '{{.Server.Version}}' 2>/dev/null) ;;
	*) engine_version=$(bounded 15 "$@" info --format '{{.Version.Version}}' 2>/dev/null) ;;
	esac
	[ -n "${engine_version:-}" ]
}

current_context() { docker context ls --format '{{if .Current}}{{.Name}}{{end}}' | tr -d '\n'; }

# docker_sockets lists the sockets that engines other than the default one use.
docker_sockets() {
	runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
	for socket in \
		"$runtime/docker.sock" \
		"${HOME:+$HOME/.docker/run/docker.sock}" \
		"${HOME:+$HOME/.docker/desktop/docker.sock}" \
		"${HOME:+${COLIMA_HOME:-$HOME/.colima}/${COLIMA_PROFILE:-default}/docker.sock}" \
		"${HOME:+$HOME/.config/colima/${COLIMA_PROFILE:-default}/docker.sock}" \
		"${HOME:+$HOME/.orbstack/run/docker.sock}" \
		"${HOME:+$HOME/.rd/docker.sock}" \
		"${HOME:+$HOME/.lima/docker/sock/docker.sock}" \
		"$runtime/podman/podman.sock" \
		/run/podman/podman.sock; do
		if [ -n "$socket" ] && [ -S "$socket" ]; then printf '%s\n' "$socket"; fi
	done
}

# engine_chosen reports whether the user said which engine to use. Then no
# other one is tried, and none is started.
engine_chosen() { [ -n "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ]; }

# engine_find looks for an engine in the order in which drone does.
engine_find() {
	if answers docker; then
		engine=docker
		if [ -n "${DOCKER_HOST:-}" ]; then
			engine_how="Docker $engine_version at DOCKER_HOST $DOCKER_HOST"
		else
			engine_how="Docker $engine_version in context ${DOCKER_CONTEXT:-$(current_context)}"
		fi
		return 0
	fi
	if engine_chosen; then return 1; fi
	for socket in $(docker_sockets); do
		if answers docker --host "unix://$socket"; then
			engine="docker --host unix://$socket"
			engine_how="Docker client with the engine $engine_version at $socket"
			return 0
		fi
		if answers podman --url "unix://$socket"; then
			# shellcheck disable=SC2034 # for the sourcing script
			engine="podman --url unix://$socket"
			# shellcheck disable=SC2034 # for the sourcing script
			engine_how="Podman $engine_version at $socket"
			return 0
		fi
	done
	return 1
}

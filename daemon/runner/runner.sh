#!/bin/sh
# Runs one FFmpeg so that it needs nobody: runner.sh RUN_DIR LOCK LOG MARKER COMMAND...
#
# The part that was called ends as soon as FFmpeg's pid is on record: with 0, with 75 where the
# stream's lock is held, with 74 (or the shell's 2) where the run directory or the log cannot be
# written. What stays is one shell: it holds the lock (which FFmpeg inherits) and the FIFO `alive`
# (which FFmpeg does not), waits, and leaves FFmpeg's exit status in `exit`. Whoever has the FIFO's
# other end learns of the death by end of file, when the status is already in place.
#
# All of it is functions, read whole before they run, so that an upgrade may replace this file.

starttime() { # PID: sets $start to field 22 of /proc/PID/stat, counted after the last ')'
	start=0
	read -r stat <"/proc/$1/stat" || return 0
	# shellcheck disable=SC2086 # to be split into its fields
	set -- ${stat##*) }
	start=${20}
}

record() { # NAME TEXT: whole or not at all
	printf '%s\n' "$2" >"$run/$1.new" && mv -f "$run/$1.new" "$run/$1"
}

attend() {
	trap '' HUP INT TERM QUIT
	read -r self _ </proc/self/stat
	starttime "$self"
	own=$start
	(
		# What is ignored here would be ignored in FFmpeg too, until it has handlers of its own.
		trap - HUP INT TERM QUIT
		export STREAMBRO_RUN="$marker"
		exec setsid "$@" </dev/null >/dev/null 2>&7 3>>"$run/progress" 7>&- 9>&-
	) &
	child=$!
	# Nothing may be forked before this is read: the shell would reap a child that ended at once.
	starttime "$child"
	if ! record pids "$self $own $child $start" 2>/dev/null; then
		kill -KILL "$child"
		wait "$child"
		exit 74
	fi
	exec >/dev/null 7>&-
	wait "$child"
	record exit "$?"
}

main() {
	run=$1 lock=$2 log=$3 marker=$4
	shift 4
	[ -p "$run/alive" ] || mkfifo -m 600 "$run/alive" || exit 74
	exec 8>>"$lock" 9<>"$run/alive" 7>>"$log" || exit 74
	flock -n 8 || exit 75
	# Lasts until the part that stays behind lets go of its standard output.
	: "$(attend "$@" &)"
	[ -f "$run/pids" ] || exit 74
}

main "$@"
exit

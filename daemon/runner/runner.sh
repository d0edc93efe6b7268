#!/bin/sh
# Runs one FFmpeg so that it needs nobody: runner.sh RUN_DIR LOCK LOG MARKER COMMAND...
#
# The part that was called ends as soon as FFmpeg's pid is on record: with 0, with 75 where the
# stream's lock is held, with 74 where the run directory cannot be written or there is no lock. What
# stays is one shell: it holds the lock (which FFmpeg inherits) and the FIFO `alive`
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

record() { # NAME TEXT: whole or not at all, into the room that was set aside for it if there is none
	printf '%-3s\n' "$2" 1<>"$run/$1.new" && mv -f "$run/$1.new" "$run/$1"
}

attend() {
	trap '' HUP INT TERM QUIT
	read -r self _ </proc/self/stat
	starttime "$self"
	own=$start
	(
		# What is ignored here would be ignored in FFmpeg too, until it has handlers of its own.
		trap - HUP INT TERM QUIT
		# Nobody may be there to empty its log and its progress: the kernel bounds them. Past the bound
		# a write fails, as on a full disk; without the trap FFmpeg would be killed.
		trap '' XFSZ
		ulimit -S -f "$most" 2>/dev/null || :
		# Where memory runs out, this one is to die before the daemon and before its own shell.
		{ read -r oom </proc/self/oom_score_adj && [ "$oom" -ge 200 ] || echo 200 >/proc/self/oom_score_adj; } 2>/dev/null || :
		# It holds the stream's key: a crash must not write its memory anywhere.
		ulimit -c 0 2>/dev/null || :
		export STREAMBRO_RUN="$marker"
		exec setsid "$@" </dev/null >/dev/null 2>&7 3>>"$run/progress" 7>&- 9>&-
	) &
	child=$!
	# Nothing may be forked before this is read: the shell would reap a child that ended at once.
	starttime "$child"
	if ! { printf '?  \n' >"$run/exit.new" && record pids "$self $own $child $start"; } 2>/dev/null; then
		kill -KILL "$child"
		wait "$child"
		exit 74
	fi
	exec >/dev/null 7>&- 6<&-
	wait "$child"
	record exit "$?"
}

main() {
	run=$1 lock=$2 log=$3 marker=$4
	shift 4
	most=${STREAMBRO_MOST_BLOCKS:-262144} # of 512 bytes
	unset STREAMBRO_MOST_BLOCKS
	[ -p "$run/alive" ] || mkfifo -m 600 "$run/alive" || exit 74
	exec 9<>"$run/alive" || exit 74
	# A state directory that takes nothing, full or read-only, keeps no stream off the air.
	{ command exec 8>>"$lock" || command exec 8<"$lock" || exit 74; } 2>/dev/null
	{ command exec 7>>"$log" || exec 7>/dev/null; } 2>/dev/null
	flock -n 8 || exit 75
	# Lasts until the part that stays behind lets go of its standard output.
	: "$(attend "$@" &)"
	[ -f "$run/pids" ] || exit 74
}

main "$@"
exit

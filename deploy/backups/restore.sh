#!/usr/bin/env bash
# Restore the platform onto empty hosts: object storage first, then PostgreSQL at a chosen second.
#
#   TIME='2026-11-30 03:00:00+01:00' restore.sh    as it was at that second
#   restore.sh                                     as late as the repository knows
#
#   OVERWRITE=yes    PostgreSQL's directory and Redis may hold something: it is replaced
#   REHEARSAL=yes    the restored server hands no log to the repository, which stays the production's, and tells
#                    no other system by webhooks

# shellcheck source=deploy/backups/settings.sh
source "$(dirname "$0")/settings.sh"

: "${PGBACKREST_PG1_PATH:=/var/lib/postgresql/data}"
: "${START_DATABASE:?the command that starts PostgreSQL and waits until it answers}"
: "${REDIS_CLI:?redis-cli with the address of the platform\'s Redis}"
read -ra redis_cli <<<"$REDIS_CLI"
target=() at="the end of the log" archive=preserve
if [[ ${REHEARSAL:-} == yes ]]; then
  archive=off
  export ARCHIVE_MODE=off # for compose.yaml, whose command line is stronger than what pgBackRest writes
fi

check_time() {
  [[ -n ${TIME:-} ]] || return 0
  local wanted first
  wanted=$(date -u -d "$TIME" +%s) || fail "TIME='$TIME' is no time; write it as 2026-11-30 03:00:00+01:00"
  ((wanted <= $(date +%s))) || fail "TIME is in the future."
  # Without a backup from before, pgBackRest would restore the newest one and say nothing.
  first=$("${on_stopped_database[@]}" pgbackrest --stanza="$STANZA" --output=json info |
    grep -o '"stop":[0-9]\+' | cut -d: -f2 | sort -n | head -n 1) || true
  [[ -n $first ]] || fail "The repository holds no backup."
  ((wanted >= first)) || fail "The first backup is of $(date -u -d "@$first" '+%F %T+00'), later than TIME."
  at=$(date -u -d "$TIME" '+%F %T+00')
  target=(--type=time "--target=$at" --target-action=promote)
}

check_nothing_is_lost() {
  if [[ -n ${PLATFORM_URL:-} ]] && curl -fsk -m 3 -o /dev/null "$PLATFORM_URL/health"; then
    fail "The platform answers at $PLATFORM_URL: stop web, workers and cron first."
  fi
  # shellcheck disable=SC2016  # it is expanded over there
  "${on_stopped_database[@]}" sh -c 'test ! -e "$1/postmaster.pid"' - "$PGBACKREST_PG1_PATH" ||
    fail "PostgreSQL runs in $PGBACKREST_PG1_PATH (or crashed there): stop it first."
  [[ ${OVERWRITE:-} != yes ]] || return 0
  # shellcheck disable=SC2016
  "${on_stopped_database[@]}" sh -c 'test -z "$(ls -A "$1" 2>/dev/null)"' - "$PGBACKREST_PG1_PATH" ||
    fail "$PGBACKREST_PG1_PATH is not empty. Keep a copy of it, then give OVERWRITE=yes."
  [[ $("${redis_cli[@]}" dbsize | tr -dc 0-9) == 0 ]] ||
    fail "Redis is not empty: it knows a later time than PostgreSQL will. OVERWRITE=yes empties it."
}

# Nothing is replaced or deleted: only what is missing is copied.
objects() {
  local day since=${TIME:+$(date -u -d "$TIME" +%F)}
  rclone_ copy "${copy_options[@]}" --ignore-existing "$OBJECTS_COPY/live" "$OBJECTS"
  [[ -n $since ]] || return 0
  while read -r day; do # deleted since then, and perhaps needed at that second
    if [[ ! ${day%/} < $since ]]; then
      rclone_ copy "${copy_options[@]}" --ignore-existing "$OBJECTS_COPY/removed/${day%/}" "$OBJECTS"
    fi
  done < <(rclone_ lsf --dirs-only "$OBJECTS_COPY/removed" 2>/dev/null)
}

# Only if the store of the data keys is lost: what is left of it knows best which keys were destroyed. For the same
# reason nothing comes back of removed/.
keys() {
  if [[ -z ${DATA_KEYS:-} || -n $(rclone_ lsf "$DATA_KEYS" 2>/dev/null || true) ]]; then return 0; fi
  rclone_ copy "${key_options[@]}" "$DATA_KEYS_COPY/live" "$DATA_KEYS"
  say "data keys are back"
}

database() {
  "${on_stopped_database[@]}" mkdir -p -m 700 "$PGBACKREST_PG1_PATH" # an empty server has none yet
  "${on_stopped_database[@]}" pgbackrest --stanza="$STANZA" --archive-mode=$archive "${target[@]}" restore
  bash -c "$START_DATABASE" 7>&- 8>&- 9>&- # it goes on running, without the locks
  [[ $archive == preserve ]] || check_archives_nothing
  while true; do # it answers before it has read the log to its end
    case $("${on_database[@]}" psql -XtAc "SELECT pg_is_in_recovery()" postgres) in
      f) break ;;
      t) sleep 1 ;;
      *) fail "PostgreSQL ended while it read its log: its own messages say why." ;;
    esac
  done
}

check_archives_nothing() {
  local mode
  mode=$("${on_database[@]}" psql -XtAc "SHOW archive_mode" postgres)
  [[ $mode == off ]] || fail "archive_mode is '$mode', so this server writes into the production's repository. Stop it now."
}

settle() {
  "${manage[@]}" migrate --verbosity 0
  [[ ${REHEARSAL:-} != yes ]] || "${manage[@]}" switch_webhooks_off
  "${manage[@]}" erase_again
  "${manage[@]}" verify_recordings --mend
}

lock database 8
lock objects 9
if [[ -n ${DATA_KEYS:-} ]]; then
  lock keys 7
  check_keys_lie_apart
fi
check_time
check_nothing_is_lost
say "restore to $at"
objects
say "object storage is back"
keys
"${redis_cli[@]}" flushall >/dev/null
database
say "PostgreSQL is back"
settle || fail "PostgreSQL and object storage do not agree in everything: read the lines above, then start the platform."
say "restored to $at: start web, workers and cron"

#!/usr/bin/env bash
# Back up PostgreSQL with pgBackRest, and object storage with rclone.
#
#   backup.sh full       PostgreSQL as a whole: once a week
#   backup.sh diff       what differs since: once a day (whole, if there is no backup yet)
#   backup.sh objects    recordings and all other files that are new: every five minutes
#   backup.sh keys       data keys of the encryption at rest, if there are any: after the objects
#   backup.sh            diff, objects, keys
#
# PostgreSQL hands over its log by itself (postgresql.conf), so any second since the first backup can be restored.

# shellcheck source=deploy/backups/settings.sh
source "$(dirname "$0")/settings.sh"

database() {
  lock database 8
  pgbackrest_ stanza-create
  pgbackrest_ check # the log arrives in the repository
  pgbackrest_ --type="$1" backup
  note_success database
}

# An empty bucket is one that is new, or not restored yet: to follow it would empty the copy.
check_holds() {
  local held
  held=$(rclone_ lsf "$1")
  [[ -z $held ]] || return 0
  [[ -z $(rclone_ lsf "$2/live" 2>/dev/null || true) ]] ||
    fail "$1 is empty and its copy is not: restore first, or move $2/live away."
}

# Lets $2/live follow $1. What was deleted lies in $2/removed/DAY for $3 days. Then come options for rclone.
follow() {
  local store=$1 copy=$2 today first day
  check_holds "$store" "$copy"
  today=$(date -u +%F)
  first=$(date -u -d "$3 days ago" +%F)
  rclone_ sync "${@:4}" --backup-dir "$copy/removed/$today" "$store" "$copy/live"
  while read -r day; do
    day=${day%/}
    if [[ $day < $first ]]; then rclone_ purge "$copy/removed/$day"; fi
  done < <(rclone_ lsf --dirs-only "$copy/removed" 2>/dev/null)
}

# Deleted files are kept as long as the backups of PostgreSQL that name them.
objects() {
  lock objects 9
  follow "$OBJECTS" "$OBJECTS_COPY" "$KEEP_DAYS" "${copy_options[@]}" --delete-excluded
  note_success objects
}

# A key that was destroyed is kept for ERASURE_BACKUP_DAYS at most, in case it was deleted by mistake.
keys() {
  if [[ -z ${DATA_KEYS:-} ]]; then return 0; fi
  lock keys 7
  check_keys_lie_apart
  follow "$DATA_KEYS" "$DATA_KEYS_COPY" "$((ERASURE_BACKUP_DAYS - 1))" "${key_options[@]}"
  note_success keys
}

case ${1:-all} in
  full | diff) database "$1" ;;
  objects) objects ;;
  keys) keys ;;
  all)
    database diff
    objects
    keys
    ;;
  *) fail "usage: backup.sh [full|diff|objects|keys]" ;;
esac
say "backup ${1:-all}: done"

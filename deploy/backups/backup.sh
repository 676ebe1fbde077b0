#!/usr/bin/env bash
# Back up PostgreSQL with pgBackRest, and object storage with rclone.
#
#   backup.sh full       PostgreSQL as a whole: once a week
#   backup.sh diff       what differs since: once a day (whole, if there is no backup yet)
#   backup.sh objects    recordings and all other files that are new: every five minutes
#   backup.sh            diff, then objects
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
check_objects() {
  local held
  held=$(rclone_ lsf "$OBJECTS")
  [[ -z $held ]] || return 0
  [[ -z $(rclone_ lsf "$OBJECTS_COPY/live" 2>/dev/null || true) ]] ||
    fail "$OBJECTS is empty and its copy is not: restore first, or move $OBJECTS_COPY/live away."
}

# What was deleted from the platform lies in removed/DAY for KEEP_DAYS, as long as the backups that name it.
objects() {
  local today first day
  lock objects 9
  check_objects
  today=$(date -u +%F)
  first=$(date -u -d "$KEEP_DAYS days ago" +%F)
  rclone_ sync "${copy_options[@]}" --backup-dir "$OBJECTS_COPY/removed/$today" "$OBJECTS" "$OBJECTS_COPY/live"
  while read -r day; do
    day=${day%/}
    if [[ $day < $first ]]; then rclone_ purge "$OBJECTS_COPY/removed/$day"; fi
  done < <(rclone_ lsf --dirs-only "$OBJECTS_COPY/removed" 2>/dev/null)
  note_success objects
}

case ${1:-all} in
  full | diff) database "$1" ;;
  objects) objects ;;
  all)
    database diff
    objects
    ;;
  *) fail "usage: backup.sh [full|diff|objects]" ;;
esac
say "backup ${1:-all}: done"

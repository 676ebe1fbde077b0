# shellcheck shell=bash disable=SC2034  # the scripts that source it use what is set here
# What backup.sh and restore.sh share: their settings, and how they reach each part. It is sourced, not run.

set -euo pipefail
unset AWS_CA_BUNDLE # rclone of Debian 12 fails with it; RCLONE_CA_CERT does the same

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
settings=${BACKUPS_ENV:-$here/backups.env}
if [[ -r $settings ]]; then
  set -a
  # shellcheck source=/dev/null
  source "$settings"
  set +a
fi

: "${STANZA:=interviews}"
: "${OBJECTS:?the bucket or directory of the platform, as rclone names it (docs/backups.md)}"
: "${OBJECTS_COPY:?where its copies go, as rclone names it}"
: "${KEEP_DAYS:=28}"
: "${ERASURE_BACKUP_DAYS:=30}"
: "${RCLONE:=rclone}"
: "${LOCK_DIR:=/tmp}"

# Each of these begins a command line: of the database's host, of it while PostgreSQL is stopped, of the platform.
read -ra on_database <<<"${ON_DATABASE:-}"
read -ra on_stopped_database <<<"${ON_STOPPED_DATABASE:-${ON_DATABASE:-}}"
read -ra manage <<<"${MANAGE:-python manage.py}"
read -ra rclone <<<"$RCLONE"

say() { printf '%s %s\n' "$(date -u +%T)" "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

pgbackrest_() { "${on_database[@]}" pgbackrest --stanza="$STANZA" "$@"; }
rclone_() { "${rclone[@]}" "$@" </dev/null; } # in a container it would read the list that a loop reads

# Nobody else copies `$1` (database, objects or keys) until this script ends. The lock is open as the number `$2`.
lock() {
  eval "exec $2>\"\$LOCK_DIR/interviews-backup-$1\""
  flock --nonblock "$2" || fail "A backup or a restore of $1 is under way: wait for its end."
}

# Copies `$1` to `$2`. A name always has the same content, so its size tells whether it is there.
# Exports are left out: they hold recordings as they were said, whatever is encrypted, and can be made again.
copy_options=(--size-only --transfers 8 --checkers 16 --stats-one-line --stats 0 --retries 3 --exclude "/exports/**")

# Keys that were wrapped anew have their length of before, so their content is compared.
key_options=(--checksum --transfers 8 --checkers 16 --stats-one-line --stats 0 --retries 3)

check_keys_lie_apart() {
  : "${DATA_KEYS_COPY:?where the copies of the data keys go, as rclone names it}"
  [[ $ERASURE_BACKUP_DAYS =~ ^[1-9][0-9]*$ ]] || fail "ERASURE_BACKUP_DAYS: write a number of days, 1 or more."
  [[ ${DATA_KEYS%/}/ != "${OBJECTS%/}"/* ]] || fail "DATA_KEYS lies in OBJECTS: data keys need a store of their own."
  [[ ${DATA_KEYS_COPY%/}/ != "${OBJECTS_COPY%/}"/* ]] ||
    fail "DATA_KEYS_COPY lies in OBJECTS_COPY: copies of data keys lie apart from what they encrypt."
}

# Notes for Prometheus' node exporter that a backup of the kind `$1` has just succeeded.
note_success() {
  [[ -n ${METRICS_DIR:-} ]] || return 0
  mkdir -p "$METRICS_DIR"
  local file="$METRICS_DIR/interview_backup_$1.prom"
  printf 'interview_backup_last_success_timestamp_seconds{kind="%s"} %s\n' "$1" "$(date +%s)" >"$file.new"
  mv "$file.new" "$file"
}

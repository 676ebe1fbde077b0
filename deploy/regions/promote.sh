#!/usr/bin/env bash
# In the standby set: take over from the region that is gone. End follow.sh first, and cut the region off.
#
#   ON_DATABASE  begins a command on PostgreSQL's host
#   MANAGE       runs manage.py with the settings of the standby set

set -euo pipefail
read -ra on_database <<<"${ON_DATABASE:-}"
read -ra manage <<<"${MANAGE:-python manage.py}"

[[ ${FENCED:-} == yes ]] || {
  echo "Cut the region off first, so that it serves nobody any more; then give FENCED=yes." >&2
  exit 1
}
"${on_database[@]}" psql -XtAqc "SELECT 'log received until ' || coalesce(pg_last_xact_replay_timestamp()::text, '-')" postgres
[[ $("${on_database[@]}" psql -XtAqc "SELECT pg_promote(true, 60)" postgres) == t ]] || {
  echo "PostgreSQL was not promoted." >&2
  exit 1
}
"${manage[@]}" erase_again
# What was acknowledged and has not come over is asked of the candidates' browsers.
"${manage[@]}" verify_recordings --hours 24 --names-only --mend || true
echo "promoted: start web, workers and cron, then lead the region's names here"

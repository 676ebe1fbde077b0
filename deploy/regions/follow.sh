#!/usr/bin/env bash
# In the standby set: copy what is new in the region's object storage, again and again, until it is ended.
#
#   OBJECTS          the region's bucket, as rclone names it
#   OBJECTS_STANDBY  the bucket of the standby set
#   EVERY_S          seconds between two copies (5)
#   MAX_DELETE       it ends before it deletes more than these in one copy (1000): give more if that is meant
#
# A storage that replicates its buckets by itself does this better: then this script is not needed.

set -uo pipefail
unset AWS_CA_BUNDLE # rclone of Debian 12 fails with it; RCLONE_CA_CERT does the same
: "${OBJECTS:?}" "${OBJECTS_STANDBY:?}"

while true; do
  # An empty bucket is one that is new, or not restored yet.
  if [[ -z $(rclone lsf --retries 1 --timeout 10s --contimeout 3s --log-level ERROR "$OBJECTS") ]]; then
    echo "$OBJECTS is empty or not reached: nothing is copied" >&2
    sleep "${EVERY_S:-5}"
    continue
  fi
  # What is deleted here is deleted there: nobody who was erased stays.
  rclone sync --max-delete "${MAX_DELETE:-1000}" --size-only --transfers 16 --checkers 16 --retries 1 --timeout 10s --contimeout 3s \
    --log-level ERROR "$OBJECTS" "$OBJECTS_STANDBY"
  case $? in
    0) ;;
    7) echo "more than MAX_DELETE objects are gone from $OBJECTS: nothing is copied any more" >&2; exit 7 ;;
    *) echo "a copy failed; the next one goes on" >&2 ;;
  esac
  sleep "${EVERY_S:-5}"
done

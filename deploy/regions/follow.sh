#!/usr/bin/env bash
# In the standby set: copy what is new in the region's object storage, again and again, until it is ended.
#
#   OBJECTS          the region's bucket, as rclone names it
#   OBJECTS_STANDBY  the bucket of the standby set
#   EVERY_S          seconds between two copies (5)
#
# A storage that replicates its buckets by itself does this better: then this script is not needed.

set -uo pipefail
unset AWS_CA_BUNDLE # rclone of Debian 12 fails with it; RCLONE_CA_CERT does the same
: "${OBJECTS:?}" "${OBJECTS_STANDBY:?}"

while true; do
  # What is deleted here is deleted there: nobody who was erased stays.
  rclone sync --size-only --transfers 16 --checkers 16 --retries 1 --timeout 10s --contimeout 3s \
    --log-level ERROR "$OBJECTS" "$OBJECTS_STANDBY" || echo "a copy failed; the next one goes on" >&2
  sleep "${EVERY_S:-5}"
done

#!/bin/sh
# As PostgreSQL's public image does: makes the cluster at the first start, with POSTGRES_USER, _PASSWORD and _DB.
set -eu
PATH=/usr/lib/postgresql/15/bin:$PATH
# PostgreSQL wants a name for its user; the public image has libnss-wrapper for that, too.
printf 'postgres:x:%s:%s::/tmp:/bin/sh\n' "$(id -u)" "$(id -g)" > /tmp/passwd
export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/etc/group
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  postgres --single -D "$PGDATA" postgres <<END
CREATE DATABASE "$POSTGRES_DB"
END
fi
[ $# -eq 0 ] || shift # the word `postgres`; what follows are its options
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"

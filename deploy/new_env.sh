#!/bin/sh
# Write deploy/.env, which only its owner can read: sh deploy/new_env.sh interviews.example.com
set -eu
[ $# -eq 1 ] || { echo "usage: sh deploy/new_env.sh HOST" >&2; exit 2; }
file=$(dirname "$0")/.env
[ ! -e "$file" ] || { echo "$file is there already; its keys open what is stored" >&2; exit 1; }

random() { # 50 letters and digits
  LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom | dd bs=1 count=50 2>/dev/null
}

umask 077
cat > "$file" <<END
SITE_HOST=$1
SECRET_KEY=$(random)
TOKEN_KEYS=$(random)
AUDIT_KEYS=$(random)
STORES_PASSWORD=$(random)
OWNER_PASSWORD=$(random)
END

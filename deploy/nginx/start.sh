#!/bin/sh
# Renders the templates into EDGE_RUN_DIR and becomes nginx. `start.sh -t` only checks the result.
# Needs envsubst (Debian package gettext-base; nginx's own image has it).
set -eu
EDGE_FOLDER=$(cd "$(dirname "$0")" && pwd)
export EDGE_FOLDER

names='${EDGE_FOLDER}'
while IFS='=' read -r name value; do
  case $name in EDGE_*) ;; *) continue ;; esac
  eval "[ -n \"\${$name+set}\" ]" || export "$name=$value"
  names="$names \${$name}"
done < "$EDGE_FOLDER/edge.env"

# For WebSockets a process never counts as failed: nginx forgets a failure when a later request has ended, which for
# a socket is an hour later. Until then a process that is back would get one socket in fail_timeout.
EDGE_SOCKET_SERVERS=$(echo "$EDGE_WEB_SERVERS" | sed 's/ max_fails=[0-9]*//g; s/ *;/ max_fails=0;/g')
# For requests it does, but where all have failed they are asked all the same, as `backup`.
EDGE_LAST_SERVERS=$(echo "$EDGE_SOCKET_SERVERS" | sed 's/;/ backup;/g')

EDGE_OPEN_FILES=$(ulimit -Hn) # more than that only a privileged process gets
[ "$EDGE_OPEN_FILES" != unlimited ] || EDGE_OPEN_FILES=1048576

export EDGE_SOCKET_SERVERS EDGE_LAST_SERVERS EDGE_OPEN_FILES
names="$names \${EDGE_SOCKET_SERVERS} \${EDGE_LAST_SERVERS} \${EDGE_OPEN_FILES}"

mkdir -p "$EDGE_RUN_DIR/conf.d" "$EDGE_RUN_DIR/files"
ln -sfn "$EDGE_STATIC_ROOT" "$EDGE_RUN_DIR/files/static"
for template in "$EDGE_FOLDER"/templates/*.template; do
  file=$(basename "$template" .template)
  [ "$file" = nginx.conf ] || file=conf.d/$file
  envsubst "$names" < "$template" > "$EDGE_RUN_DIR/$file"
done

exec nginx -e stderr -c "$EDGE_RUN_DIR/nginx.conf" -g 'daemon off;' "$@"

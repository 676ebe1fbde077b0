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

mkdir -p "$EDGE_RUN_DIR/conf.d" "$EDGE_RUN_DIR/files"
ln -sfn "$EDGE_STATIC_ROOT" "$EDGE_RUN_DIR/files/static"
for template in "$EDGE_FOLDER"/templates/*.template; do
  file=$(basename "$template" .template)
  [ "$file" = nginx.conf ] || file=conf.d/$file
  envsubst "$names" < "$template" > "$EDGE_RUN_DIR/$file"
done

exec nginx -e stderr -c "$EDGE_RUN_DIR/nginx.conf" -g 'daemon off;' "$@"

#!/bin/sh
# Makes Elasticsearch and Kibana ready for the platform's lines. It may be run again.
#
#   ELASTICSEARCH=https://es.example.com:9200 ELASTICSEARCH_USERNAME=elastic ELASTICSEARCH_PASSWORD=… install.sh
#
# KIBANA=https://… has it import the searches and the dashboard, too, by the same user. CURL_OPTIONS, such as
# "--cacert /etc/ca.pem", go to curl.
set -eu
here=$(dirname "$0")
: "${ELASTICSEARCH:?the address of Elasticsearch}"

account() {
  [ -z "${ELASTICSEARCH_USERNAME:-}" ] || printf 'user = "%s:%s"\n' "$ELASTICSEARCH_USERNAME" "${ELASTICSEARCH_PASSWORD:-}"
}

request() { # the account by standard input: arguments can be seen by others
  # shellcheck disable=SC2086 # several options
  account | curl --config - --fail --silent --show-error ${CURL_OPTIONS:-} "$@" >/dev/null
}

put() {
  request --request PUT "$ELASTICSEARCH/$1" --header "Content-Type: application/json" --data "@$here/$2"
  echo "$1"
}

put _ilm/policy/logs-interview_platform ilm-policy.json
put _index_template/logs-interview_platform index-template.json

if [ -n "${KIBANA:-}" ]; then
  request --request POST "$KIBANA/api/saved_objects/_import?overwrite=true" --header "kbn-xsrf: true" \
    --form "file=@$here/../kibana/saved-objects.ndjson"
  echo "saved objects"
fi

#!/bin/sh
# Makes Elasticsearch and Kibana ready for the platform's lines. It may be run again.
#
#   ELASTICSEARCH=https://elastic:secret@es.example.com:9200 KIBANA=https://elastic:secret@kb.example.com:5601 install.sh
#
# KIBANA may be left out. CURL_OPTIONS, such as "--cacert /etc/ca.pem", go to curl.
set -eu
here=$(dirname "$0")
: "${ELASTICSEARCH:?the address of Elasticsearch, with user and password}"

put() {
  # shellcheck disable=SC2086  several options
  curl --fail --silent --show-error ${CURL_OPTIONS:-} --request PUT "$ELASTICSEARCH/$1" \
    --header "Content-Type: application/json" --data "@$here/$2" >/dev/null
  echo "$1"
}

put _ilm/policy/logs-interview_platform ilm-policy.json
put _index_template/logs-interview_platform index-template.json

if [ -n "${KIBANA:-}" ]; then
  # shellcheck disable=SC2086
  curl --fail --silent --show-error ${CURL_OPTIONS:-} --request POST \
    "$KIBANA/api/saved_objects/_import?overwrite=true" --header "kbn-xsrf: true" \
    --form "file=@$here/../kibana/saved-objects.ndjson" >/dev/null
  echo "saved objects"
fi

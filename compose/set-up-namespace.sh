#!/bin/sh
# Makes the namespace, its retention and its search attributes what they should be. May run again.
# Takes TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, RETENTION and SEARCH_ATTRIBUTES.
set -eu

# Runs a command until it works, for two minutes: a server says that it is well a little before it is, and a new
# namespace is known to all of its parts only some seconds after it was made.
patiently() {
  attempts=120
  until output=$("$@" 2>&1); do
    attempts=$((attempts - 1))
    if [ "$attempts" -eq 0 ]; then
      echo "Gave up on: $*" >&2
      echo "$output" >&2
      exit 1
    fi
    sleep 1
  done
}

operator() {
  temporal operator "$@" --namespace "$TEMPORAL_NAMESPACE"
}

patiently operator cluster health
if ! operator namespace describe >/dev/null 2>&1; then
  operator namespace create --retention "$RETENTION"
fi
patiently operator namespace update --retention "$RETENTION"

for name in $SEARCH_ATTRIBUTES; do
  patiently operator search-attribute create --name "$name" --type Keyword
done
echo "Namespace $TEMPORAL_NAMESPACE: $RETENTION of history, search attributes $SEARCH_ATTRIBUTES"

#!/bin/sh
# Checks what is here: rules and settings by promtool, and that the dashboard and the rules name only
# figures that webox has. Give it the text of /metrics, as a file, for the last.
#
#   check.sh METRICS
set -eu
here=$(dirname "$0")
metrics=$1

promtool check config --syntax-only "$here/prometheus.yml"
promtool check rules "$here/alerts.yml"
promtool test rules "$here/alerts_test.yml"
promtool check metrics <"$metrics"

# Whatever looks like one of our names must be one that was told.
grep -ohE '\b(webox|http_server|process)_[a-zA-Z_]+' "$here/dashboard.json" "$here/alerts.yml" |
    sort -u | while read -r name; do
    grep -q "^$name" "$metrics" || {
        echo "no figure is called $name" >&2
        exit 1
    }
done

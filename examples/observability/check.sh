#!/bin/sh
# Checks what is here, given the text of /metrics as a file: settings, rules and figures by promtool, and
# that the dashboard and the rules name only figures that webox has.
#
#   check.sh METRICS
set -eu
here=$(dirname "$0")
metrics=$1

promtool check config --syntax-only "$here/prometheus.yml"
promtool check rules "$here/alerts.yml"
promtool test rules "$here/alerts_test.yml"
promtool check metrics <"$metrics"

# Whatever looks like one of our names must be one that was told, or that the table of them has: what
# nobody has waited for yet is not told.
table="$here/../../docs/monitoring.md"
grep -ohE '\b(webox|http_server|process)_[a-zA-Z_]+' "$here/dashboard.json" "$here/alerts.yml" |
    sed -E 's/_(bucket|sum|count)$//' | sort -u | while read -r name; do
    grep -q "^$name" "$metrics" || grep -q "\`$name\`" "$table" || {
        echo "no figure is called $name" >&2
        exit 1
    }
done

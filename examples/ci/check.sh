#!/bin/sh
# Clients as code, for any CI system.
#
#   check.sh FOLDER          validate the files and play their rehearsals: no store, no network
#   check.sh FOLDER plan     also compare them with the store: plan.json and plan.md are written,
#                            and it ends with 2 when there is something to apply
#   check.sh FOLDER apply    apply plan.json, exactly as it was looked at
#
# WEBOX names the program, WEBOX_DB the store (only `plan` and `apply` need one).
set -eu

webox=${WEBOX:-webox}
folder=${1:-assistants}
step=${2:-check}

case $step in
check | plan | apply) ;;
*)
    echo "usage: $0 FOLDER [check|plan|apply]" >&2
    exit 64
    ;;
esac

if [ "$step" = apply ]; then
    exec "$webox" apply --plan plan.json
fi

"$webox" validate "$folder"
"$webox" test "$folder"

if [ "$step" = plan ]; then
    code=0
    "$webox" plan "$folder" --prune --detailed-exitcode --out plan.json -o markdown >plan.md || code=$?
    case $code in
    0) echo "nothing to apply" ;;
    2) cat plan.md ;;
    esac
    exit "$code"
fi

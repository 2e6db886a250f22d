#!/usr/bin/env bash
# What a call takes of a phone assistant, and how fast it answers: the peer's, or webox's own in the
# same way. Starts the stub providers and the assistant, calls it, and stops both.
#
# usage: measure.sh CALLS SECONDS [pipecat|webox] [options of pipecat.py]
#
# PYTHON is the interpreter that requirements.txt was installed for, WEBOX the binary, RAMP the
# seconds within which the calls begin, STUBS_PORT and PORT where they listen. Linux only: figures
# are from /proc.
set -euo pipefail

if (($# < 2)) || ((${2:-0} < 20)); then
    echo "usage: measure.sh CALLS SECONDS [pipecat|webox] [options], 20 seconds at least" >&2
    exit 64
fi
readonly CALLS=$1 LENGTH=$2 PEER=${3:-pipecat}
shift $(($# < 3 ? $# : 3))

here=$(cd "$(dirname "$0")" && pwd)
readonly here PYTHON=${PYTHON:-python3} WEBOX=${WEBOX:-$here/../../target/release/webox}
readonly RAMP=${RAMP:-5} STUBS_PORT=${STUBS_PORT:-9100} PORT=${PORT:-9200}
readonly NUMBER=+33123456789
# Whoever plays Twilio signs with this one; it opens nothing.
readonly TOKEN=00000000000000000000000000000000
# A call ends when no other question fits into it: at most so long before its time.
readonly ENDS_EARLY=6

ticks_a_second=$(getconf CLK_TCK)
page_kb=$(($(getconf PAGESIZE) / 1024))
readonly ticks_a_second page_kb

folder=$(mktemp -d)
started=()
finish() {
    local status=$?
    ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
    wait
    if ((status != 0)); then
        tail -n 20 "$folder"/*.log >&2 || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
# A signal ends it by the same way.
trap 'exit 130' INT TERM

# Waits until a port answers, for half a minute: Python imports a lot.
answers() {
    local name=$1 port=$2
    for _ in {1..150}; do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        sleep 0.2
    done
    echo "$name does not answer on port $port" >&2
    return 1
}

# A port that answers already is somebody else's, who would be measured instead.
for port in "$STUBS_PORT" "$PORT"; do
    if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        echo "port $port is taken: set STUBS_PORT and PORT" >&2
        exit 69
    fi
done

# Nothing of the user's settings has a part in this.
readonly CLEAN=(env -i PATH="$PATH" HOME="$folder" TWILIO_AUTH_TOKEN="$TOKEN")
readonly PROVIDERS=(OPENAI_BASE_URL="http://127.0.0.1:$STUBS_PORT/v1" OPENAI_API_KEY=sk-stub)

"${CLEAN[@]}" "$PYTHON" "$here/stubs.py" --port "$STUBS_PORT" >"$folder/stubs.log" 2>&1 &
started+=($!)
answers "stubs.py" "$STUBS_PORT"

case $PEER in
pipecat)
    "${CLEAN[@]}" "${PROVIDERS[@]}" PYTHONDONTWRITEBYTECODE=1 \
        "$PYTHON" "$here/pipecat.py" --port "$PORT" "$@" >"$folder/peer.log" 2>&1 &
    ;;
webox)
    printf '[limits]\ncalls_to_a_number = 1000000\ncalls_of_an_account = 1000000\n' >"$folder/settings.toml"
    readonly STORE=(--db "$folder/webox.db" --config "$folder/settings.toml")
    "${CLEAN[@]}" "$WEBOX" apply --yes --quiet "${STORE[@]}" "$here/webox.toml" >"$folder/apply.log" 2>&1
    "${CLEAN[@]}" "${PROVIDERS[@]}" "$WEBOX" serve --listen "127.0.0.1:$PORT" \
        --public-url "http://127.0.0.1:$PORT" "${STORE[@]}" >"$folder/peer.log" 2>&1 &
    ;;
*)
    echo "$PEER is no peer: pipecat or webox" >&2
    exit 64
    ;;
esac
readonly PEER_PID=$!
started+=("$PEER_PID")
answers "$PEER" "$PORT"

# Processor time of all threads in ticks, memory in kB, and the moment in milliseconds.
look() {
    local stat fields statm
    stat=$(<"/proc/$PEER_PID/stat")
    # The program's name may hold spaces; what follows its bracket does not.
    read -ra fields <<<"${stat##*) }"
    read -ra statm <"/proc/$PEER_PID/statm"
    ticks=$((fields[11] + fields[12]))
    kb=$((statm[1] * page_kb))
    now=${EPOCHREALTIME/[.,]/}
    now=$((now / 1000))
}

bench() {
    "${CLEAN[@]}" "$WEBOX" bench --line stream --url "http://127.0.0.1:$PORT" --number "$NUMBER" "$@"
}

calculate() { awk "BEGIN { printf \"$1\", $2 }"; }

# Of one processor in percent, between two looks.
percent() { echo "$1 * 100000 / $ticks_a_second / $2"; }

sleep 2
look
cold_kb=$kb

# The first call finds nothing loaded, and no provider connected.
bench --calls 1 --for 5s >"$folder/first.log" 2>&1
sleep 3
look
idle_kb=$kb idle_ticks=$ticks idle_from=$now
sleep 5
look
idle_ticks=$((ticks - idle_ticks)) idle_time=$((now - idle_from))

look
begun=$now begun_ticks=$ticks most_kb=$kb
all_up=$((begun + (RAMP + 1) * 1000)) first_ends=$((begun + (LENGTH - ENDS_EARLY) * 1000))
steady_from=0 steady_ticks=0 steady_end=0 steady_end_ticks=0
bench --calls "$CALLS" --for "${LENGTH}s" --ramp "${RAMP}s" >"$folder/bench.txt" 2>"$folder/bench.log" &
calling=$!
started+=("$calling")
while kill -0 "$calling" 2>/dev/null; do
    look
    ((kb <= most_kb)) || most_kb=$kb
    # While all calls are up, and none has ended.
    if ((now >= all_up && steady_from == 0)); then
        steady_from=$now steady_ticks=$ticks
    fi
    if ((now <= first_ends)); then
        steady_end=$now steady_end_ticks=$ticks
    fi
    sleep 0.25
done
status=0
wait "$calling" || status=$?
look
run_ticks=$((ticks - begun_ticks)) run_time=$((now - begun))
started=("${started[@]:0:2}")

cat "$folder/bench.txt"
echo
echo "$PEER, $CALLS at a time"
calculate "idle       %.1f MB before the first call, %.1f MB after it, %.2f %% of a core\n" \
    "$cold_kb / 1024, $idle_kb / 1024, $(percent "$idle_ticks" "$idle_time")"
calculate "run        %.1f %% of a core on average over %.1f s, %.1f MB at most\n" \
    "$(percent "$run_ticks" "$run_time"), $run_time / 1000, $most_kb / 1024"
steady_time=$((steady_end - steady_from))
if ((steady_from > 0 && steady_time >= 2000)); then
    calculate "core %% a call  %.2f   (all calls up, %.1f s)\n" \
        "$(percent "$((steady_end_ticks - steady_ticks))" "$steady_time") / $CALLS, $steady_time / 1000"
else
    echo "core % a call  unknown: all calls were up for less than two seconds, take more SECONDS"
fi
calculate "MB a call      %.2f   (at most, less idle after the first call; %.2f less idle before it)\n" \
    "($most_kb - $idle_kb) / 1024 / $CALLS, ($most_kb - $cold_kb) / 1024 / $CALLS"
exit "$status"

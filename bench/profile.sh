#!/bin/bash
# Where the agents' reactor threads spend their time under each load, by library: a table for docs/bench/profile.md.
# As root, after 'make publish' and 'dotnet build bench/EdgeMesh.Bench -c Release'. Needs linux-perf, which it installs.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v perf > /dev/null || apt-get install -y -q linux-perf > /dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# With symbols, or perf cannot tell our code from the runtime's.
dotnet publish src/EdgeMesh.App -c Release -r "${RID:-linux-x64}" -o "$work/app" -nologo -v q -p:StripSymbols=false > /dev/null
EDGEMESH="$work/app/edgemesh" bench/EdgeMesh.Bench/bin/Release/net10.0/edgemesh-bench \
    --rounds 1 --seconds 6 --only "across two NATs, mesh, direct" > "$work/report" 2> "$work/progress" &
bench=$!

record() { # name, what the load's command line looks like, seconds
    until pgrep -f "$2" > /dev/null; do
        kill -0 "$bench" 2> /dev/null || { cat "$work/progress" >&2; exit 1; }
        sleep 0.05
    done
    sleep 1
    perf record -a -e cpu-clock -F 997 -o "$work/$1.data" -- sleep "$3" > /dev/null 2>&1
}

record bulk "iperf3 -c.*-P 1 " 3
record requests "wrk -t1 -c64" 3
record connections "connect-rate" 3
record datagrams "udp-burst.* 1000 500" 0.9
wait "$bench"

# Shares of what the reactor threads ran, in per cent.
share() {
    perf report -i "$work/$1.data" --no-children -s comm,dso --stdio -g none 2> /dev/null | awk '
        /^ *[0-9.]+% +tunnel / { n = $1; sub("%", "", n); all += n
            if ($3 ~ /kernel|vdso/) kernel += n; else if ($3 ~ /gnutls|nettle|gmp|hogweed/) tls += n
            else if ($3 ~ /ngtcp2/) quic += n; else if ($3 ~ /^edgemesh/) own += n; else other += n }
        END { if (all == 0) exit 1
            printf "%.0f %.0f %.0f %.0f %.0f %.0f\n", all, 100*kernel/all, 100*tls/all, 100*quic/all, 100*own/all, 100*other/all }'
}

echo "| load | both agents' threads, % of the machine | kernel | GnuTLS | ngtcp2 | edgemesh, runtime included | libc |"
echo "|---|---:|---:|---:|---:|---:|---:|"
for load in bulk requests connections datagrams; do
    read -r all kernel tls quic own other < <(share "$load")
    echo "| $load | $all | $kernel % | $tls % | $quic % | $own % | $other % |"
done
grep -E "throughput, 1|64 keep-alive connections, req|new connections/s" "$work/report"

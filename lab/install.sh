#!/bin/bash
# Installs what building, demo, tests and bench need and this machine lacks (lab/packages.txt). As root, on Debian 12.
set -euo pipefail
list="$(dirname "$0")/packages.txt"
missing=()
while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done <"$list"
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "missing Debian packages: ${missing[*]}; install them as root (apt-get install ${missing[*]}) or run this as root" >&2
    exit 1
fi
echo "installing ${missing[*]}"
# No service of these may start by itself: the lab starts its own inside namespaces.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get install failed (whole log: $log); is a Debian mirror configured?" >&2
    exit 1
fi
rm -f "$log"

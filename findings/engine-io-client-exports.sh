#!/bin/sh
# engine.io-client 6.6.0 to 6.6.6 export SocketWithoutUpgrade and SocketWithUpgrade, the classes that the release notes of
# 6.6.0 show for bundles without unused transports. The patch releases 6.6.7 and 6.6.8 do not export them: an import that
# works with 6.6.6 becomes a SyntaxError, and `^6.6.0` in a package.json selects the new release. The remaining
# tree-shakable form is `new Socket(url, { transports: [WebSocket] })`.
#
# Seen with these releases on Node.js 20.
#
# Needs node and npm. Takes a few seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { SocketWithoutUpgrade, WebSocket } from "engine.io-client";
console.log(typeof SocketWithoutUpgrade, typeof WebSocket);
JAVASCRIPT

look() {
    npm --prefix "$folder" install --silent --no-audit --no-fund "engine.io-client@$1"
    found=$(node "$folder/run.mjs" 2>&1 | grep -E '^(function|undefined|SyntaxError)' || true)
    printf '%s: %s\n' "$1" "$found"
    if [ "$found" != "$2" ]; then
        printf 'it was seen before as: %s\n' "$2"
        exit 1
    fi
}

gone="SyntaxError: The requested module 'engine.io-client' does not provide an export named 'SocketWithoutUpgrade'"
look 6.6.0 'function function'
look 6.6.6 'function function'
look 6.6.7 "$gone"
look 6.6.8 "$gone"

# Run by `sh test.sh`: the app says hello, goes on, and ends well when it is told to.

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

out=$(mktemp) || exit 1
app=
trap 'rm -f "$out"; kill "$app" 2>/dev/null' EXIT

sh run.sh >"$out" &
app=$!

tries=0
until grep -q "process $app" "$out"; do
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || fail "the app said nothing in 10 s"
    kill -0 "$app" 2>/dev/null || fail "the app ended by itself"
    sleep 0.1
done

[ "$(head -n 1 "$out")" = "$(head -n 1 greeting.txt)" ] || fail "the greeting is another"

kill "$app"
wait "$app" || fail "the app ended with $?"
grep -q "^bye$" "$out" || fail "the app did not say goodbye"
echo "ok"

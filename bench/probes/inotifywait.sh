# inotifywait.sh QUIET IGNORED COMMAND...: a loop as people write it around inotifywait. The command
# is ended and started again once it has been quiet for QUIET seconds. IGNORED: names below the
# root, with blanks in between. --exclude would drop the events alone, and have all of it watched.
quiet=$1 ignored=
for name in $2; do ignored="$ignored @./$name"; done
shift 2
app=
run() {
  if [ -n "$app" ]; then
    kill "$app" 2>/dev/null
    wait "$app" 2>/dev/null
  fi
  "$@" &
  app=$!
}
trap 'kill "$app" 2>/dev/null; exit' TERM INT HUP
exec 3< <(exec inotifywait -m -r -q -e close_write,moved_to,create,delete,moved_from \
  --format '%w%f' . $ignored)
run "$@"
while read -r -u 3 _; do
  while read -r -u 3 -t "$quiet" _; do :; done
  run "$@"
done

# inotifywait.sh IGNORED COMMAND...: the loop that people write around inotifywait. The command is
# ended and started again once it has been quiet for 20 ms; IGNORED is a regular expression.
ignored=$1
shift
app=
run() {
  if [ -n "$app" ]; then
    kill "$app" 2>/dev/null
    wait "$app" 2>/dev/null
  fi
  "$@" &
  app=$!
}
trap 'kill "$app" 2>/dev/null; exit' TERM INT
exec 3< <(exec inotifywait -m -r -q -e close_write,moved_to,create,delete,moved_from \
  ${ignored:+--exclude "$ignored"} --format '%w%f' .)
run "$@"
while read -r -u 3 _; do
  while read -r -u 3 -t 0.02 _; do :; done
  run "$@"
done

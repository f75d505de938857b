# The app. Put your own in its place, here or in hotrun.toml: `command = "./my-server --verbose"`.

# Told to stop: the place to tidy up. What does not end within 5 s (stop_timeout) is killed.
bye() {
    kill -9 "$!" 2>/dev/null # the pause, which may be so new that it does not hear a mere TERM
    echo "bye"
    exit 0
}

trap bye INT TERM

cat greeting.txt
echo "(process $$: change greeting.txt or run.sh, and save)"

# A shell hears a signal only when its command has ended, so it waits for one in the background.
while true; do
    sleep 60 &
    wait "$!" 2>/dev/null # some shells say what ended it
done

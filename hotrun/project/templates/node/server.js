// The server: where it listens, and an end that cuts nobody off.
import { createServer } from "node:http";
import { Server as NetServer } from "node:net";

// Milliseconds that running requests may take to finish when the app is told to stop;
// hotrun kills what has not stopped after 5 s (stop_timeout).
const STOP_LIMIT = 4000;

// Milliseconds from connecting to asking that a client may take, when the app is told
// to stop: one that is about to ask must be answered.
const FIRST_WORDS = 50;

/** Serve until SIGINT or SIGTERM, then let the running requests finish. */
export function serve(handle) {
  const server = createServer(handle);
  const finish = watchConnections(server);
  const where = place();
  server.on("error", (error) => fail(...explain(error, where)));
  server.listen(where, () => console.error(`listening on ${url(server.address())}`));

  const stop = () => {
    process.off("SIGINT", stop).off("SIGTERM", stop); // a second signal ends the app at once
    finish();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

/**
 * Tell where to listen: on the socket that hotrun, or systemd, has opened for this program
 * (connections wait in it while the program restarts, and none is refused; sd_listen_fds(3)),
 * else on 127.0.0.1:$PORT, 3000 when PORT is not set.
 */
function place() {
  const { LISTEN_FDS, LISTEN_PID, PORT } = process.env;
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) {
    delete process.env[name]; // programs that this one starts must not take them for theirs
  }
  if (Number(LISTEN_FDS) > 0 && (!LISTEN_PID || Number(LISTEN_PID) === process.pid)) {
    return { fd: 3 };
  }
  const port = Number(PORT || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    fail(`PORT is "${PORT}"`, "it takes a number up to 65535");
  }
  return { host: "127.0.0.1", port, backlog: 512 };
}

/** Return what is wrong and what to do, for people. */
function explain(error, { fd, host, port }) {
  if (fd !== undefined) {
    return [`LISTEN_FDS is set, but descriptor ${fd} is no socket: ${error.message}`];
  }
  if (error.code === "EADDRINUSE") {
    const hint = "stop that one, or set PORT to a free port";
    return [`${host}:${port} is taken by another program`, hint];
  }
  return [`cannot listen on ${host}:${port}: ${error.message}`];
}

function fail(message, hint) {
  console.error(hint ? `error: ${message}\nhint: ${hint}` : `error: ${message}`);
  process.exit(1);
}

function url({ family, address, port }) {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/**
 * Know the connections of a server; return the function that ends it.
 *
 * server.close() is not made for restarts at every save. It waits for connections on which
 * nothing was asked yet, as browsers open them ahead of need; and it cuts off an answer
 * that is complete, but not yet sent.
 */
function watchConnections(server) {
  const opened = new Map(); // when each connection was
  const busy = new Set(); // those with a request that is not answered
  let stopping = false;

  server.on("connection", (socket) => {
    opened.set(socket, Date.now());
    socket.once("close", () => opened.delete(socket));
  });
  server.prependListener("request", ({ socket }, response) => {
    busy.add(socket);
    if (stopping) response.setHeader("Connection", "close"); // no next request on this one
    response.once("close", () => {
      busy.delete(socket);
      if (stopping) socket.destroySoon();
    });
  });

  /** Close a connection on which nothing is going on. */
  const close = (socket) => {
    const silent = socket.bytesRead === 0;
    const left = silent ? opened.get(socket) + FIRST_WORDS - Date.now() : 0;
    if (left > 0) setTimeout(close, left, socket).unref();
    else if (silent || !busy.has(socket)) socket.destroySoon();
  };

  return () => {
    stopping = true;
    NetServer.prototype.close.call(server); // of http's own see above
    for (const socket of opened.keys()) close(socket);
    setTimeout(() => {
      fail(`some requests were cut off: not finished within ${STOP_LIMIT / 1000} s`);
    }, STOP_LIMIT).unref(); // no timer keeps the process: it ends when all is closed
  };
}

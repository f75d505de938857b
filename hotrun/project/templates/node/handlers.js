// The routes, and what they answer.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The name of the app, as its pages show it. */
export const TITLE = __hotrun_js_title__;

const HOME = path.dirname(fileURLToPath(import.meta.url));
const STARTED = new Date().toLocaleTimeString("en-GB");

const ROUTES = { __proto__: null, "/": home, "/healthz": health };

const TYPES = {
  __proto__: null,
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };

/** Answer one request. */
export async function handle(request, response) {
  let answer;
  try {
    answer = await respond(request.method, request.url.split("?", 1)[0]);
  } catch (error) {
    console.error(`${request.method} ${request.url}:`, error);
    answer = text(500, "this page is broken, see the log");
  }
  const { status, type, body, headers } = answer;
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "Content-Type": type, "Content-Length": length, ...headers });
  response.end(body); // of which HEAD gets nothing, node sees to that
}

/** Choose what answers: `{status, type, body, headers}`. */
export async function respond(method, where) {
  const handler = where.startsWith("/static/") ? file : ROUTES[where];
  if (!handler) return notFound(where);
  if (method !== "GET" && method !== "HEAD") {
    return { ...text(405, `${where} only answers GET`), headers: { Allow: "GET, HEAD" } };
  }
  return handler(where);
}

async function home() {
  return page("index.html", { title: TITLE, process: process.pid, started: STARTED });
}

/** Answer as soon as the app is serving. */
function health() {
  return text(200, "ok");
}

/** Answer with a file; never one outside of static/, whatever the path holds. */
async function file(where) {
  try {
    const found = path.join(HOME, decodeURIComponent(where));
    if (!found.startsWith(path.join(HOME, "static", path.sep))) return notFound(where);
    const type = TYPES[path.extname(found)] ?? "application/octet-stream";
    return { status: 200, type, body: await readFile(found) };
  } catch {
    return notFound(where); // no such file, a folder, or a path that is none
  }
}

function notFound(where) {
  return text(404, `there is no ${where}`);
}

/** Fill in a page of templates/: {{name}} stands for a value, which has to be given. */
export async function page(name, values) {
  const template = await readFile(path.join(HOME, "templates", name), "utf8");
  const body = template.replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (!Object.hasOwn(values, key)) throw new Error(`${name} wants {{${key}}}`);
    return escape(values[key]);
  });
  return { status: 200, type: TYPES[".html"], body };
}

/** Write a value so that it is text in HTML, whatever it holds. */
export function escape(value) {
  return String(value).replace(/[&<>"']/g, (char) => ESCAPES[char]);
}

function text(status, line) {
  return { status, type: TYPES[".txt"], body: `${line}\n` };
}

// What the app answers; no server is needed for that.
import assert from "node:assert/strict";
import test from "node:test";

import { TITLE, escape, page, respond } from "./handlers.js";

for (const [method, where, status, type, body] of [
  ["GET", "/", 200, "text/html", escape(TITLE)],
  ["GET", "/healthz", 200, "text/plain", "ok\n"],
  ["HEAD", "/healthz", 200, "text/plain", "ok\n"],
  ["GET", "/static/style.css", 200, "text/css", "body"],
  ["GET", "/static/", 404, "text/plain", ""],
  ["GET", "/static/../app.js", 404, "text/plain", ""],
  ["GET", "/static/%2e%2e/app.js", 404, "text/plain", ""],
  ["GET", "/static/%00", 404, "text/plain", ""],
  ["GET", "/static/%", 404, "text/plain", ""],
  ["GET", "/nowhere", 404, "text/plain", ""],
  ["GET", "/constructor", 404, "text/plain", ""],
  ["POST", "/", 405, "text/plain", ""],
]) {
  test(`${method} ${where}`, async () => {
    const answer = await respond(method, where);
    assert.equal(answer.status, status);
    assert.ok(answer.type.startsWith(type), answer.type);
    assert.ok(answer.body.includes(body));
  });
}

test("what a page shows is text, and no HTML", () => {
  assert.equal(escape(`<b title="a&b">`), "&lt;b title=&#34;a&amp;b&#34;&gt;");
});

test("a page needs all its values", async () => {
  await assert.rejects(page("index.html", { title: TITLE }), /wants \{\{process\}\}/);
});

"""What the app answers; no server is needed for that."""

import html
import unittest

from handlers import TITLE, application, page, respond


class Routes(unittest.TestCase):
    def test_each_path_has_its_answer(self):
        for method, path, status, content, body in (
            ("GET", "/", 200, "text/html", html.escape(TITLE)),
            ("GET", "/healthz", 200, "text/plain", "ok\n"),
            ("GET", "/static/style.css", 200, "text/css", "body"),
            ("GET", "/static/", 404, "text/plain", ""),
            ("GET", "/static/../app.py", 404, "text/plain", ""),
            ("GET", "/nowhere", 404, "text/plain", ""),
            ("POST", "/", 405, "text/plain", ""),
        ):
            with self.subTest(method=method, path=path):
                answer = respond(method, path)
                self.assertEqual(answer.status, status)
                self.assertTrue(answer.content_type.startswith(content))
                self.assertIn(body, answer.body.decode())

    def test_head_is_answered_without_a_body(self):
        started = []
        environ = {"REQUEST_METHOD": "HEAD", "PATH_INFO": "/healthz"}
        body = application(environ, lambda *words: started.append(words))
        self.assertEqual(b"".join(body), b"")
        ((status, headers),) = started
        self.assertEqual((status, dict(headers)["Content-Length"]), ("200 OK", "3"))

    def test_a_page_needs_all_its_values(self):
        with self.assertRaises(KeyError):
            page("index.html", title=TITLE)


if __name__ == "__main__":
    unittest.main()

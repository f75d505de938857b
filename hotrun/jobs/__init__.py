"""The two jobs of a service: one run of the build, one life of the app.

A job starts children, tells what happens to them, and posts one fact when all of it is over.
It decides nothing: whether to start, stop or kill is the core's to say.
"""


def exit_code(code: int) -> int:
    """Return what a shell would say: 128 + n when signal n ended the process."""
    return code if code >= 0 else 128 - code

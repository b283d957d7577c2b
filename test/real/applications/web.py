"""
A Flask application whose log is text, with tracebacks, and which logs the same as JSON to another file.

    python3 web.py <port> <file of text> <file of JSON>
"""

import json
import logging
import sys
from datetime import datetime, timezone

from flask import Flask, request

port, text, lines = sys.argv[1:]


class JSONFormatter(logging.Formatter):
    def format(self, record):
        entry = {
            "timestamp": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "levelname": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exc_info"] = self.formatException(record.exc_info)
        entry.update(getattr(record, "context", {}))
        return json.dumps(entry)


def handler(path, formatter):
    made = logging.FileHandler(path)
    made.setFormatter(formatter)
    return made


logging.basicConfig(
    level=logging.DEBUG,
    handlers=[
        handler(text, logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")),
        handler(lines, JSONFormatter()),
    ],
)

app = Flask("shop")


class Unavailable(Exception):
    pass


def charge(query):
    try:
        return {}[query]
    except KeyError as error:
        raise Unavailable(f"no account for {query}") from error


@app.get("/cart")
def cart():
    query = request.query_string.decode()
    context = {
        "request_id": request.headers["X-Request-Id"],
        "path": request.path,
        "query": query,
        "headers": {"authorization": request.headers.get("Authorization"), "host": request.headers["Host"]},
    }
    app.logger.debug("%s cache miss", context["request_id"], extra={"context": context})
    app.logger.info("%s cart of %s", context["request_id"], query, extra={"context": context})
    return "ok\n"


@app.get("/charge")
def charged():
    request_id = request.headers["X-Request-Id"]
    try:
        charge(request.query_string.decode())
    except Unavailable:
        app.logger.exception("%s charge failed", request_id, extra={"context": {"request_id": request_id}})
    raise RuntimeError(f"{request_id} is not answered")


app.run("127.0.0.1", int(port), threaded=True)

"""A shop with one table. Every release says which one it is, in its file VERSION."""

import json
import os
import time
from pathlib import Path
from urllib.parse import parse_qs

import psycopg

VERSION = Path(__file__).with_name("VERSION").read_text().strip()
DATABASE_URL = os.environ["DATABASE_URL"]


def app(environ, start_response):
    status, body = answer(environ)
    content = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), ("X-Version", VERSION)]
    start_response(status, headers)
    return [content]


def answer(environ):
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/healthz":
            return "200 OK", {"version": VERSION}
        case "GET", "/":
            return "200 OK", {"version": VERSION, "psycopg": psycopg.__version__}
        case "GET", "/slow":
            time.sleep(int(parse_qs(environ["QUERY_STRING"])["ms"][0]) / 1000)
            return "200 OK", {"version": VERSION}
        case "POST", "/orders":
            return "201 Created", {"order": take_order(environ), "version": VERSION}
        case method, path:
            return "404 Not Found", {"error": f"there is no {method} {path}"}


def take_order(environ):
    order = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    with psycopg.connect(DATABASE_URL, connect_timeout=5) as database:
        row = database.execute("INSERT INTO orders (sku) VALUES (%s) RETURNING id", [order["sku"]]).fetchone()
        return row[0]

"""Webhooks with Python's own HTTP: a program posts to a room that slixmpp is in, and is told what is said there."""

import asyncio
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import threading
import urllib.request

from rig import PATIENCE, Client, check, parley, run, step

GROUP = 'engineering@groups.localhost'


class Program(http.server.BaseHTTPRequestHandler):
    """Keeps what it is posted."""
    posted = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.posted.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def post(url, data, **headers):
    r = urllib.request.Request(url, data=json.dumps(data).encode(), headers={'Content-Type': 'application/json', **headers})
    with urllib.request.urlopen(r, timeout=PATIENCE, context=ssl.create_default_context(cafile=os.environ['RIG_CA'])) as answer:
        return json.loads(answer.read())


async def main():
    step('a group, and a webhook for it')
    await parley('group', 'create', 'engineering', '--name', 'Engineering', '--owner', 'alice@localhost')
    url = re.search(r'https://\S+', await parley('webhook', 'create', 'engineering', 'CI')).group()
    alice = await Client('alice@localhost/desk').sign_in()
    await alice['xep_0045'].join_muc_wait(GROUP, 'alice', timeout=PATIENCE)

    step('what is posted is said in the room')
    loop = asyncio.get_event_loop()
    data = {'title': 'Build 7', 'text': 'is green', 'link': 'https://ci.example.org/7'}
    answer = await loop.run_in_executor(None, lambda: post(url, data, **{'Idempotency-Key': '7'}))
    check(answer['room'] == GROUP, f'{answer}')
    m = await alice.want('message', 'the post', lambda m: 'Build 7' in m['body'])
    check(m['from'].full == GROUP + '/CI' and m['body'] == '*Build 7*\nis green\nhttps://ci.example.org/7', f'{m}')
    check(m['stanza_id']['id'] == answer['id'], f'{m} is not {answer}')
    again = await loop.run_in_executor(None, lambda: post(url, data, **{'Idempotency-Key': '7'}))
    check(again == answer, f'{again} is not {answer}')

    step('what is said is told')
    server = http.server.HTTPServer(('127.0.0.1', 0), Program)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    out = await parley('webhook', 'create', 'engineering', 'Log', '--to', f'http://127.0.0.1:{server.server_port}/')
    secret = out.strip().splitlines()[-1].strip()
    alice.send_message(mto=GROUP, mbody='hello program', mtype='groupchat')
    await alice.body('hello program', type='groupchat')

    async def told():
        while not Program.posted:
            await asyncio.sleep(0.01)
    await asyncio.wait_for(told(), PATIENCE)
    headers, body = Program.posted[0]
    event = json.loads(body)
    check(event['event'] == 'message' and event['data']['text'] == 'hello program' and event['data']['from'] == 'alice@localhost', f'{event}')
    want = hmac.new(secret.encode(), headers['Parley-Timestamp'].encode() + b'.' + body, hashlib.sha256).hexdigest()
    check(headers['Parley-Signature'] == 'v1=' + want, f'{headers}')
    server.shutdown()

    await alice.sign_out()

run(main)

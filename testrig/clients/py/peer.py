"""A slixmpp client that another client's test speaks with. Arguments: its address, rooms to join. It prints one JSON object a
line for each message it gets, and sends those that it reads, one JSON object a line: {"to", "type", "body"}, or {"xml"}
for a stanza that is sent as it stands. Every message is told as "stanza" too, with its XML; presence as "contact"."""

import asyncio
import json
import sys

from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from rig import PATIENCE, Client


def tell(**what):
    print(json.dumps(what), flush=True)


class Peer(Client):
    def __init__(self, address):
        super().__init__(address)
        self.register_handler(Callback('every message', MatchXPath('{jabber:client}message'), self.whole))

    def whole(self, m):
        tell(event='stanza', **{'from': str(m['from'])}, type=m['type'], xml=str(m))

    def keep(self, event, stanza):  # stdout is for JSON
        self.seen.append((event, stanza))
        asyncio.ensure_future(self._wake())
        if event == 'message' and stanza['body']:
            tell(event='message', **{'from': str(stanza['from'])}, type=stanza['type'], body=stanza['body'])
        elif event == 'groupchat_presence':
            tell(event='presence', **{'from': str(stanza['from'])}, type=stanza['type'])
        elif event == 'presence':
            tell(event='contact', **{'from': str(stanza['from'])}, type=stanza['type'])


async def main():
    c = await Peer(sys.argv[1]).sign_in()
    for room in sys.argv[2:]:
        await c['xep_0045'].join_muc_wait(room, c.boundjid.user, timeout=PATIENCE)
    tell(event='ready')
    lines = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        m = json.loads(line)
        if 'xml' in m:
            c.send_raw(m['xml'])
        else:
            c.send_message(mto=m['to'], mbody=m['body'], mtype=m['type'])
    await c.sign_out()

asyncio.get_event_loop().run_until_complete(main())

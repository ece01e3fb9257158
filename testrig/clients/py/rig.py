"""What the scripts share: a slixmpp client that keeps what it is sent, and waits for it with a deadline."""

import asyncio
import os
import sys
import traceback

import slixmpp
from slixmpp.exceptions import IqError

PATIENCE = 30  # seconds that one thing may take
PLUGINS = (
    'xep_0004', 'xep_0030', 'xep_0045', 'xep_0059', 'xep_0060', 'xep_0115', 'xep_0163', 'xep_0198', 'xep_0199',
    'xep_0203', 'xep_0249', 'xep_0280', 'xep_0297', 'xep_0313', 'xep_0359',
)


class Client(slixmpp.ClientXMPP):
    """One connection. Every message and presence is kept in `seen`, in order, with where it was told."""

    def __init__(self, address, password=None):
        super().__init__(address, password or os.environ['RIG_PASSWORD'])
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.ca_certs = os.environ['RIG_CA']
        self.seen = []
        self.changed = asyncio.Condition()
        self.failure = None
        self.name = address
        self.add_event_handler('session_start', lambda _: self.keep('session', None))
        self.add_event_handler('session_resumed', lambda _: self.keep('session', None))
        self.add_event_handler('failed_auth', lambda e: self.keep('failed', e))
        for event in ('message', 'presence', 'groupchat_presence', 'carbon_received', 'carbon_sent', 'roster_update', 'groupchat_subject', 'disconnected'):
            self.add_event_handler(event, lambda s, event=event: self.keep(event, s))

    def keep(self, event, stanza):
        print(f'{self.name} {event} {stanza}', flush=True)
        self.seen.append((event, stanza))
        asyncio.ensure_future(self._wake())

    async def _wake(self):
        async with self.changed:
            self.changed.notify_all()

    async def want(self, event, what, found=lambda _: True):
        """Gives the first kept thing of that event for which found is true, and takes it out; or waits for it."""
        def take():
            for i, (e, stanza) in enumerate(self.seen):
                if e == event and found(stanza):
                    del self.seen[i]
                    return (stanza,)
            return None

        got = take()
        try:
            async with self.changed:
                while not got:
                    await asyncio.wait_for(self.changed.wait(), PATIENCE)
                    got = take()
        except asyncio.TimeoutError:
            rest = '\n'.join(f'  {e} {s}' for e, s in self.seen)
            raise AssertionError(f'{self.name}: no {event}: {what}; had\n{rest}') from None
        return got[0]

    async def body(self, text, event='message', **match):
        """Waits for a message with that body; match are attributes of it that must be so."""
        def found(m):
            return m['body'] == text and all(str(m[k]) == v for k, v in match.items())
        return await self.want(event, f'{text!r} {match}', found)

    def none(self, event, what, found):
        """Says that nothing like it has come; for use after something that comes later."""
        for e, s in self.seen:
            check(not (e == event and found(s)), f'{self.name}: {what}: {s}')

    async def sign_in(self, presence=True):
        host, port = os.environ['RIG_C2S'].rsplit(':', 1)
        if slixmpp.__version_info__ >= (1, 10):
            self.connect(host, int(port))
        else:
            self.connect((host, int(port)))
        await self.want('session', 'sign-in')
        await self.get_roster(timeout=PATIENCE)
        if presence:
            self.send_presence()
            await self.want('presence', 'its own presence', lambda p: p['from'] == self.boundjid and p['type'] == 'available')
        return self

    async def sign_out(self):
        self.disconnect()
        await self.want('disconnected', 'the end of the stream')


def check(true, what):
    if not true:
        raise AssertionError(what)


def step(what):
    print(f'--- {what}', flush=True)


async def parley(*args, text=''):
    """Runs a command of parley against the server; text is its standard input."""
    p = await asyncio.create_subprocess_exec(os.environ['PARLEY'], *args, stdin=asyncio.subprocess.PIPE,
                                             stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await asyncio.wait_for(p.communicate(text.encode()), PATIENCE)
    check(p.returncode == 0, f'parley {args}: {p.returncode}\n{out.decode()}')
    return out.decode()


async def bodies(client, jid=None, **filters):
    """All bodies of an archive, oldest first, page by page; and their stanzas."""
    found, after = [], None
    for _ in range(20):
        rsm = {'max': 3}
        if after:
            rsm['after'] = after
        result = await client['xep_0313'].retrieve(jid=jid, rsm=rsm, timeout=PATIENCE, **filters)
        found += [m['mam_result']['forwarded']['stanza'] for m in result['mam']['results']]
        fin = result['mam_fin']
        if fin.xml.get('complete') == 'true':
            return [(m['body'], m) for m in found]
        after = fin['rsm']['last']
        check(after, f'a page that is not the last, without <last/>: {result}')
    raise AssertionError('an archive without end')


async def refused(request, condition, what):
    """Says that a request is answered with this error."""
    try:
        await request
    except IqError as e:
        check(e.condition == condition, f'{what}: {e.iq}')
        return e
    check(False, f'{what}: not refused')


async def befriend(a, b):
    """Each sees the other's presence."""
    for c in (a, b):
        c.auto_authorize = c.auto_subscribe = True
    a.send_presence_subscription(b.boundjid.bare)
    for c, other in ((a, b), (b, a)):
        await c.want('roster_update', 'both', lambda r: any(str(j) == other.boundjid.bare and i['subscription'] == 'both' for j, i in r['roster']['items'].items()))
        await c.want('presence', 'that the other is there', lambda p: p['from'] == other.boundjid and p['type'] == 'available')


def run(main):
    """Runs the script: exits with 1 and the reason if a step does not hold."""
    try:
        asyncio.get_event_loop().run_until_complete(main())
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        sys.exit(1)
    print('all held', flush=True)

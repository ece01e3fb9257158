"""App passwords: slixmpp signs in with one of several, and is out when it is revoked."""

import json

from rig import Client, check, parley, run, step


async def refused(password, what):
    c = Client('alice@localhost/x', password)
    c.connect(*address())
    await c.want('failed', what, lambda f: f['condition'] == 'not-authorized' and 'binding' not in f['text'])
    c.abort()


def address():
    import os

    import slixmpp
    host, port = os.environ['RIG_C2S'].rsplit(':', 1)
    return (host, int(port)) if slixmpp.__version_info__ >= (1, 10) else ((host, int(port)),)


async def main():
    step('two app passwords, and the own one beside them')
    words = [(await parley('user', 'app-password', 'add', 'alice', name)).strip() for name in ('telephone', 'desk')]
    telephone = await Client('alice@localhost/telephone', words[0]).sign_in()
    desk = await Client('alice@localhost/desk', words[1]).sign_in()
    own = await Client('alice@localhost/own').sign_in()
    for c in (telephone, desk, own):
        mech = c['feature_mechanisms'].mech.name
        check(mech.startswith('SCRAM-'), f'signed in with {mech}')

    step('none of them')
    await refused(words[0] + 'x', 'that the password is wrong')

    step('one is revoked')
    kept = json.loads(await parley('--json', 'user', 'app-password', 'list', 'alice'))
    check([a['name'] for a in kept] == ['telephone', 'desk'] and all('used' in a for a in kept), f'kept: {kept}')
    telephone.reconnect = lambda *a, **k: None
    await parley('user', 'app-password', 'revoke', 'alice', kept[0]['id'])
    await telephone.want('disconnected', 'the end of the stream')
    await refused(words[0], 'that it was revoked')
    own.send_message(mto='alice@localhost/desk', mbody='still here', mtype='chat')
    await desk.body('still here', type='chat')

    step('a new password leaves nothing of it in other hands')
    await parley('user', 'passwd', 'alice', text='Another-Horse-8\n')
    await desk.want('disconnected', 'the end of the stream')
    await refused(words[1], 'that it is no more')
    again = await Client('alice@localhost/again', 'Another-Horse-8').sign_in()
    await again.sign_out()


run(main)

"""Messages by their words: in one's archive and in a room (XEP-0431), and by writing to notify@."""

import os
import tempfile

from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from rig import PATIENCE, Client, check, parley, run, step

FULLTEXT = '{urn:xmpp:fulltext:0}fulltext'


async def found(client, text, jid=None, field=FULLTEXT):
    """The bodies of a page of messages that have some words."""
    q = client.make_iq_set(ito=jid)
    query = q['mam']
    query['queryid'] = client.new_id()
    form = client['xep_0004'].make_form(ftype='submit')
    form.add_field(var='FORM_TYPE', ftype='hidden', value='urn:xmpp:mam:2')
    form.add_field(var=field, value=text)
    query.append(form)
    results = []
    client.register_handler(handler := collector(query['queryid'], results))
    try:
        await q.send(timeout=PATIENCE)
    finally:
        client.remove_handler(handler.name)
    return [m['mam_result']['forwarded']['stanza']['body'] for m in results]


def collector(queryid, into):
    return Callback(f'found {queryid}', StanzaPath(f'message/mam_result@queryid={queryid}'), into.append)


async def ask(client, line):
    client.send_message(mto='notify@localhost', mbody=line, mtype='chat')
    m = await client.want('message', f'an answer to {line!r}', lambda m: m['from'].bare == 'notify@localhost')
    return m['body']


async def main():
    step('sign-in, and what there is')
    with tempfile.NamedTemporaryFile('w') as f:
        f.write(os.environ['RIG_PASSWORD'] + '\n')
        f.flush()
        await parley('user', 'add', 'carol@localhost', '--password-file', f.name)
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    carol = await Client('carol@localhost/web').sign_in()
    info = await alice['xep_0030'].get_info('alice@localhost', timeout=PATIENCE)
    check('urn:xmpp:fulltext:0' in info['disco_info']['features'], f'no full text: {info}')

    step('the archive')
    for text in ('The café opens at noon', 'See you at the Café, at eight', 'nothing of it'):
        alice.send_message(mto='bob@localhost', mbody=text, mtype='chat')
        await bob.body(text)
    for c in (alice, bob):
        for field in (FULLTEXT, 'withtext'):
            got = await found(c, 'CAFE at', field=field)
            check(got == ['The café opens at noon', 'See you at the Café, at eight'], f'{c.name}, {field}: {got}')
        check(await found(c, '"at noon"') == ['The café opens at noon'], 'a phrase')
    check(await found(carol, 'cafe') == [], 'found by carol')
    try:
        await found(bob, 'x ' * 20)
    except IqError as e:
        check('<policy-violation' in str(e.iq), f'too many words: {e.iq}')
    else:
        check(False, 'too many words are taken')

    step('a room of a group')
    await parley('group', 'create', 'cooks', '--name', 'Cooks', '--owner', 'alice@localhost')
    await parley('group', 'add', 'cooks', 'bob@localhost')
    room = 'cooks@groups.localhost'
    await alice['xep_0045'].join_muc_wait(room, 'Alice', timeout=PATIENCE)
    await bob['xep_0045'].join_muc_wait(room, 'Bob', timeout=PATIENCE)
    alice.send_message(mto=room, mbody='Recipe: onions & thyme', mtype='groupchat')
    await bob.want('message', 'the recipe', lambda m: m['body'] == 'Recipe: onions & thyme')
    check(await found(bob, 'onion', jid=room) == ['Recipe: onions & thyme'], 'in the room')

    step('notify@')
    check('!search' in await ask(bob, 'hello'), 'no help')
    got = await ask(bob, '!search thyme')
    check('Cooks' in got and 'onions & thyme' in got and f'xmpp:{room}?join' in got, got)
    got = await ask(bob, '!search cafe')
    check(got.startswith('2 messages:') and 'alice@localhost' in got and got.index('eight') < got.index('noon'), got)
    check(await ask(carol, '!search thyme') == 'Nothing was found.', 'carol finds what is not hers')
    for c in (alice, bob, carol):
        await c.sign_out()

run(main)

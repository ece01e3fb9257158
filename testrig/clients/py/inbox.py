"""What is unread (XEP-0430), asked for by hand as no client library has it; read by markers as slixmpp sends them."""

import xml.etree.ElementTree as ET

from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from rig import PATIENCE, Client, check, parley, run, step

NS = '{urn:xmpp:inbox:1}'
GROUP = 'engineering@groups.localhost'


async def inbox(c):
    """Unread messages by conversation, and what ends the list."""
    iq = c.make_iq_get()
    iq.append(ET.Element(NS + 'inbox', {'messages': 'false'}))
    fin = (await iq.send(timeout=PATIENCE)).xml.find(NS + 'fin')
    found = {}
    for _, m in [s for s in c.seen if s[0] == 'entry']:
        e = m.xml.find(NS + 'entry')
        found[e.get('jid')] = int(e.get('unread'))
    c.seen = [s for s in c.seen if s[0] != 'entry']
    return found, int(fin.get('all-unread'))


async def main():
    step('a group, and messages')
    await parley('group', 'create', 'engineering', '--name', 'Engineering', '--owner', 'alice@localhost', '--member', 'bob@localhost')
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    bob.register_handler(Callback('inbox', MatchXPath('{jabber:client}message/' + NS + 'entry'), lambda m: bob.keep('entry', m)))
    for c in (alice, bob):
        c.register_plugin('xep_0333')
    alice.add_event_handler('marker_displayed', lambda m: alice.keep('marker', m))
    info = await bob['xep_0030'].get_info('localhost')
    check('urn:xmpp:inbox:1' in info['disco_info']['features'], f'{info}')
    for c in (alice, bob):
        await c['xep_0045'].join_muc_wait(GROUP, c.boundjid.user, timeout=PATIENCE)
    for n in ('one', 'two'):
        alice.send_message(mto=GROUP, mbody=n, mtype='groupchat')
        in_room = await bob.body(n, type='groupchat')
    alice.send_message(mto='bob@localhost', mbody='to you', mtype='chat')
    to_bob = await bob.body('to you', type='chat')
    got = await inbox(bob)
    check(got == ({GROUP: 2, 'alice@localhost': 1}, 3), f'{got}')

    step('markers: read in the room, and from the person')
    m = bob.make_message(mto=GROUP, mtype='groupchat')  # slixmpp's own send_marker is for people
    m['displayed']['id'] = in_room['stanza_id']['id']
    m.send()
    await alice.want('marker', 'the marker')
    got = await inbox(bob)
    check(got == ({GROUP: 0, 'alice@localhost': 1}, 1), f'{got}')
    bob['xep_0333'].send_marker('alice@localhost', to_bob['id'], 'displayed')
    await alice.want('marker', 'the marker')
    got = await inbox(bob)
    check(got == ({GROUP: 0, 'alice@localhost': 0}, 0), f'{got}')

    await alice.sign_out()
    await bob.sign_out()

run(main)

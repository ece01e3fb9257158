"""Teams and membership: a team's people appear in the roster with their presence, a new account is in the group that
everyone is in, and a group by request is asked for, approved by form, and joined."""

import os
import xml.etree.ElementTree as ET

from slixmpp.exceptions import PresenceError

from follower import Follower, joined
from rig import PATIENCE, check, parley, run, step

FORM = 'jabber:x:data'
REGISTER = 'jabber:iq:register'


async def groups_of(c, address):
    """The groups of a contact, once a push has come; None if it is not in the roster."""
    return sorted(c.client_roster[address]['groups']) if address in c.client_roster else None


def submission(**fields):
    x = ET.Element('{%s}x' % FORM, type='submit')
    for var, value in fields.items():
        f = ET.SubElement(x, '{%s}field' % FORM, var=var.replace('__', '#'))
        ET.SubElement(f, '{%s}value' % FORM).text = value
    return x


async def main():
    step('a team is made while its people are signed in')
    alice = await Follower('alice@localhost/desk').sign_in()
    bob = await Follower('bob@localhost/phone').sign_in()
    check(await groups_of(alice, 'bob@localhost') is None, 'they are contacts already')
    await parley('team', 'create', 'sales', '--name', 'Sales', '--emoji', '📞', '--member', 'alice', '--member', 'bob')
    for c, other, name in ((alice, 'bob@localhost', 'Bob'), (bob, 'alice@localhost', 'Alice')):
        await c.want('roster_update', 'the team', lambda _: other in c.client_roster)
        item = c.client_roster[other]
        check(item['subscription'] == 'both' and item['name'] == name, f'{other}: {item["subscription"]} {item["name"]}')
        check(await groups_of(c, other) == ['📞 Sales'], f'groups {await groups_of(c, other)}')
        await c.want('presence', f'{other} is there', lambda p: p['from'].bare == other and p['type'] == 'available')
    bob.send_presence(pshow='away')
    await alice.want('presence', 'bob is away', lambda p: p['from'].bare == 'bob@localhost' and p['type'] == 'away')

    step('a group that everyone is in comes to who is signed in, and to a new account')
    await parley('group', 'create', 'all', '--name', 'All hands', '--owner', 'alice@localhost')
    await parley('group', 'mandatory', 'all')
    room = await joined(bob, 'All hands', 'the mandatory group')
    await parley('user', 'add', 'carol@localhost', '--name', 'Carol', text=os.environ['RIG_PASSWORD'] + '\n')
    carol = await Follower('carol@localhost/tablet').sign_in()
    await carol.fetch()
    check(await joined(carol, 'All hands', 'the mandatory group of a new account') == room, 'another room')
    bob.send_message(mto=room, mbody='welcome, Carol', mtype='groupchat')
    await carol.body('welcome, Carol', type='groupchat')

    step('a group by request')
    await parley('group', 'create', 'board', '--name', 'Board', '--kind', 'request', '--owner', 'alice@localhost')
    board = await joined(alice, 'Board', "the owner's group")
    try:
        await carol['xep_0045'].join_muc_wait(board, 'carol', timeout=PATIENCE)
        check(False, 'carol is in without being a member')
    except PresenceError as e:
        check(e.condition == 'registration-required', e.condition)
    iq = carol.make_iq_get(ito=board)
    iq.append(ET.Element('{%s}query' % REGISTER))
    form = (await iq.send(timeout=PATIENCE)).xml.find('{%s}query/{%s}x' % (REGISTER, FORM))
    check(form is not None and form.get('type') == 'form', 'there is no form to ask by')
    iq = carol.make_iq_set(ito=board)
    q = ET.Element('{%s}query' % REGISTER)
    q.append(submission(FORM_TYPE='http://jabber.org/protocol/muc#register', **{'x-reason': 'I keep the minutes'}))
    iq.append(q)
    await iq.send(timeout=PATIENCE)

    step('its owner is asked, and approves')
    m = await alice.want('message', 'the request', lambda m: 'carol@localhost asks to be a member' in m['body'])
    check('I keep the minutes' in m['body'], m['body'])
    x = m.xml.find('{%s}x' % FORM)
    check(x is not None and x.get('type') == 'form', 'the request is no form')
    answer = alice.make_message(mto=m['from'])
    answer.append(submission(FORM_TYPE='http://jabber.org/protocol/muc#register', muc__register_allow='1', **{'x-jid': 'carol@localhost'}))
    answer.send()
    await carol.want('message', 'the answer', lambda m: m['body'] == 'You are a member of Board now.')
    check(await joined(carol, 'Board', 'the group she has asked for') == board, 'another room')
    carol.send_message(mto=board, mbody='thank you', mtype='groupchat')
    await alice.body('thank you', type='groupchat')

    step('the team is deleted')
    await parley('team', 'delete', 'sales', '--yes')
    await alice.want('presence', 'bob is not seen any more', lambda p: p['from'].bare == 'bob@localhost' and p['type'] == 'unavailable')
    check(await groups_of(alice, 'bob@localhost') in (None, []), 'bob is in the roster still')

    for c in (alice, bob, carol):
        await c.sign_out()

run(main)

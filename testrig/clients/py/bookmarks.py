"""A group comes to who is added to it while signed in: its bookmark is pushed (XEP-0402), and the client joins by it."""

from slixmpp.exceptions import IqError, PresenceError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from rig import PATIENCE, Client, check, parley, run, step

BOOKMARKS = 'urn:xmpp:bookmarks:1'
EVENT = 'http://jabber.org/protocol/pubsub#event'


class Follower(Client):
    """A client that does as XEP-0402 says: it asks for the events, joins what is to be joined and leaves what is not."""

    def __init__(self, address):
        super().__init__(address)
        self.register_handler(Callback('bookmarks', MatchXPath('{jabber:client}message/{%s}event' % EVENT), self.pushed))
        self.add_event_handler('session_start', self.interested)

    async def interested(self, _):
        self['xep_0163'].add_interest(BOOKMARKS)
        await self['xep_0115'].update_caps(broadcast=False)

    def pushed(self, m):
        items = m.xml.find('{%s}event/{%s}items' % (EVENT, EVENT))
        if items is None or items.get('node') != BOOKMARKS:
            return
        check(m['from'].bare == self.boundjid.bare, f'bookmarks from {m["from"]}')
        for item in items.findall('{%s}item' % EVENT):
            conference = item.find('{%s}conference' % BOOKMARKS)
            room = item.get('id')
            nick = conference.findtext('{%s}nick' % BOOKMARKS) or self.boundjid.user
            self.keep('bookmark', (room, conference.get('name'), conference.get('autojoin')))
            if conference.get('autojoin') in ('true', '1'):
                self['xep_0045'].join_muc(room, nick)
            elif room in self['xep_0045'].get_joined_rooms():
                self['xep_0045'].leave_muc(room, nick)
        for item in items.findall('{%s}retract' % EVENT):
            self.keep('retract', item.get('id'))


async def joined(c, name, what):
    """Waits for the bookmark of that name and for being in its room; gives the room."""
    room, _, auto = await c.want('bookmark', what, lambda b: b[1] == name)
    check(auto in ('true', '1'), f'{what}: autojoin is {auto}')
    await c.want('groupchat_presence', what + ': in the room', lambda p: p['from'].bare == room and 110 in p['muc']['status_codes'])
    return room


async def main():
    step('a private group is made while alice, its owner, is signed in')
    alice = await Follower('alice@localhost/desk').sign_in()
    bob = await Follower('bob@localhost/phone').sign_in()
    await parley('group', 'create', 'sales', '--name', 'Sales', '--private', '--owner', 'alice@localhost')
    group = await joined(alice, 'Sales', 'the new group')
    check('sales' not in group, f'the address tells the name of a private group: {group}')

    step('bob is added')
    await parley('group', 'add', 'sales', 'bob@localhost')
    check(await joined(bob, 'Sales', 'the group he is added to') == group, 'another address')
    alice.send_message(mto=group, mbody='welcome, Bob', mtype='groupchat')
    await bob.body('welcome, Bob', type='groupchat')

    step('a new theme is joined by both')
    bob.send_message(mto=group, mbody='!theme Spring fair', mtype='groupchat')
    room, _, _ = await bob.want('bookmark', 'the theme', lambda b: 'Spring fair' in b[1])
    for c in (alice, bob):
        await c.want('groupchat_presence', 'in the theme', lambda p: p['from'].bare == room and 110 in p['muc']['status_codes'])
    alice.send_message(mto=room, mbody='a stand by the door?', mtype='groupchat')
    await bob.body('a stand by the door?', type='groupchat')

    step('the bookmarks, as a client reads them at its start')
    items = (await bob['xep_0060'].get_items('bob@localhost', BOOKMARKS, timeout=PATIENCE))['pubsub']['items']
    rooms = {item['id'] for item in items}
    check(rooms >= {group, room}, f'bookmarks: {rooms}')

    step('another may not read them')
    try:
        await alice['xep_0060'].get_items('bob@localhost', BOOKMARKS, timeout=PATIENCE)
    except IqError as e:
        check(e.condition == 'not-allowed', f'another\'s bookmarks: {e.iq}')  # XEP-0060, 6.5.9.8
    else:
        check(False, 'alice reads the bookmarks of bob')

    step('bob is removed')
    await parley('group', 'remove', 'sales', 'bob@localhost')
    await bob.want('retract', 'the bookmark is gone', lambda r: r == group)
    await bob.want('groupchat_presence', 'he is out', lambda p: p['from'].bare == group and p['type'] == 'unavailable' and 321 in p['muc']['status_codes'])
    try:
        await bob['xep_0045'].join_muc_wait(group, 'bob', timeout=PATIENCE)
    except PresenceError as e:
        check(e.condition == 'registration-required', f'a join of who was removed: {e}')
    else:
        check(False, 'who was removed can join')

    await alice.sign_out()
    await bob.sign_out()

run(main)

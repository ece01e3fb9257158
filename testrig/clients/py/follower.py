"""A client that joins what is bookmarked for it (XEP-0402)."""

from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from rig import PATIENCE, Client, check

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
        self.take(items.findall('{%s}item' % EVENT))
        for item in items.findall('{%s}retract' % EVENT):
            self.keep('retract', item.get('id'))

    async def fetch(self):
        """Reads the bookmarks there are, as clients do when they sign in."""
        got = await self['xep_0060'].get_items(self.boundjid.bare, BOOKMARKS, timeout=PATIENCE)
        self.take(got.xml.findall('.//{http://jabber.org/protocol/pubsub}item'))

    def take(self, items):
        for item in items:
            conference = item.find('{%s}conference' % BOOKMARKS)
            room = item.get('id')
            nick = conference.findtext('{%s}nick' % BOOKMARKS) or self.boundjid.user
            self.keep('bookmark', (room, conference.get('name'), conference.get('autojoin')))
            if conference.get('autojoin') in ('true', '1'):
                self['xep_0045'].join_muc(room, nick)
            elif room in self['xep_0045'].get_joined_rooms():
                self['xep_0045'].leave_muc(room, nick)


async def joined(c, name, what):
    """Waits for the bookmark of that name and for being in its room; gives the room."""
    room, _, auto = await c.want('bookmark', what, lambda b: b[1] == name)
    check(auto in ('true', '1'), f'{what}: autojoin is {auto}')
    await c.want('groupchat_presence', what + ': in the room', lambda p: p['from'].bare == room and 110 in p['muc']['status_codes'])
    return room

"""Gives accounts of a server on loopback something to be exported: python3 fill.py PORT. Needs slixmpp.

juliet and romeo are contacts of each other; the nurse has asked juliet and is offline with a message waiting.
"""
import asyncio
import ssl
import sys

import slixmpp
from slixmpp.xmlstream import ET

PORT = int(sys.argv[1])


class Client(slixmpp.ClientXMPP):
    def __init__(self, name):
        super().__init__(f'{name}@capulet.example/gen', 'wherefore')
        for p in ('xep_0030', 'xep_0049', 'xep_0054', 'xep_0060', 'xep_0163', 'xep_0191', 'xep_0199'):
            self.register_plugin(p)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.auto_authorize = self.auto_subscribe = None
        self.ready = asyncio.get_event_loop().create_future()
        self.add_event_handler('session_start', lambda _: self.ready.set_result(None))

    async def come(self):
        self.connect(('127.0.0.1', PORT))
        await asyncio.wait_for(self.ready, 20)
        await self.get_roster()
        self.send_presence()

    async def sync(self):
        """All that was sent before has been handled."""
        for to in (None, self.boundjid.host):
            await self['xep_0199'].send_ping(to or self.boundjid.bare, timeout=20) if to else None

    async def set(self, xml):
        iq = self.make_iq_set()
        iq.xml.append(ET.fromstring(xml))
        return await iq.send(timeout=20)


async def main():
    juliet, romeo, nurse = Client('juliet'), Client('romeo'), Client('nurse')
    for c in (juliet, romeo, nurse):
        await c.come()
    romeo.send_presence(pto='juliet@capulet.example', ptype='subscribe')
    await romeo.sync(); await juliet.sync()
    juliet.send_presence(pto='romeo@capulet.example', ptype='subscribed')
    juliet.send_presence(pto='romeo@capulet.example', ptype='subscribe')
    await juliet.sync(); await romeo.sync()
    romeo.send_presence(pto='juliet@capulet.example', ptype='subscribed')
    await romeo.sync(); await juliet.sync()
    await juliet.set("<query xmlns='jabber:iq:roster'><item jid='romeo@capulet.example' name='Romeo &amp; co'><group>Friends</group><group>Verona</group></item></query>")
    nurse.send_presence(pto='juliet@capulet.example', ptype='subscribe')
    await nurse.sync(); await juliet.sync()
    await juliet.set("<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><defaultnick>Jule</defaultnick></exodus></query>")
    await juliet.set("<vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN><NICKNAME>Jule</NICKNAME><EMAIL><USERID>juliet@capulet.example</USERID></EMAIL></vCard>")
    await juliet.set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='http://jabber.org/protocol/nick'><item id='current'><nick xmlns='http://jabber.org/protocol/nick'>Jule</nick></item></publish></pubsub>")
    await juliet.set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='balcony@rooms.capulet.example'><conference xmlns='urn:xmpp:bookmarks:1' name='The balcony' autojoin='true'><nick>Jule</nick></conference></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#access_model'><value>whitelist</value></field><field var='pubsub#persist_items'><value>true</value></field></x></publish-options></pubsub>")
    await juliet.set("<block xmlns='urn:xmpp:blocking'><item jid='tybalt@capulet.example'/><item jid='montague.example'/></block>")
    nurse.disconnect()
    await nurse.disconnected
    await asyncio.sleep(1)
    romeo.send_message('juliet@capulet.example', 'Call me but love', mtype='chat')
    await romeo.sync()
    juliet.send_message('romeo@capulet.example', 'What man art thou?', mtype='chat')
    await juliet.sync()
    romeo.send_message('nurse@capulet.example', 'Commend me to thy lady', mtype='chat')
    await romeo.sync()
    await asyncio.sleep(1)
    for c in (juliet, romeo):
        c.disconnect()
        await c.disconnected

asyncio.get_event_loop().run_until_complete(main())

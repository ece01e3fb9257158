"""Personal eventing and publish-subscribe: events, avatars, the nodes OMEMO needs, the service."""

import base64
import hashlib
from xml.etree import ElementTree as ET

from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from rig import PATIENCE, Client, befriend, check, refused, run, step

EVENT = 'http://jabber.org/protocol/pubsub#event'
ERRORS = 'http://jabber.org/protocol/pubsub#errors'
TUNE = 'http://jabber.org/protocol/tune'
AVATAR = 'urn:xmpp:avatar:metadata'
DEVICES = 'eu.siacs.conversations.axolotl.devicelist'
BUNDLE = 'eu.siacs.conversations.axolotl.bundles:'
BUNDLES = 'urn:xmpp:omemo:2:bundles'
ALICE, SERVICE = 'alice@localhost', 'pubsub.localhost'
PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')


class Reader(Client):
    """A client that wants events, and keeps them by their nodes."""

    def __init__(self, address, *nodes):
        super().__init__(address)
        for plugin in ('xep_0054', 'xep_0084', 'xep_0153'):
            self.register_plugin(plugin)
        self.nodes = nodes
        self.register_handler(Callback('events', MatchXPath('{jabber:client}message/{%s}event' % EVENT), self.told))
        self.add_event_handler('session_start', self.interested)

    async def interested(self, _):
        for node in self.nodes:
            self['xep_0163'].add_interest(node)
        await self['xep_0115'].update_caps(broadcast=False)

    def told(self, m):
        for what in m.xml.find('{%s}event' % EVENT):
            kind = what.tag.split('}')[1]
            if kind != 'items':
                self.keep('event', (m, what.get('node'), kind, what.get('node'), None))
            for item in what:
                payload = item[0] if len(item) else None
                self.keep('event', (m, what.get('node'), item.tag.split('}')[1], item.get('id'), payload))

    async def gets(self, node, kind, id=None):
        return await self.want('event', f'{kind} {id} of {node}', lambda e: e[1] == node and e[2] == kind and id in (None, e[3]))


def options(about, **fields):
    form = {'FORM_TYPE': 'http://jabber.org/protocol/pubsub#' + about, **{'pubsub#' + k: v for k, v in fields.items()}}
    return form


def submit(c, about, **fields):
    f = c['xep_0004'].make_form(ftype='submit')
    for name, value in options(about, **fields).items():
        f.add_field(var=name, value=value, ftype='hidden' if name == 'FORM_TYPE' else None)
    return f


async def omemo(alice, bob):
    """What Conversations, Dino and Gajim do, with a stranger who wants to write to alice."""
    step('the list of devices is there for everybody; a node that is configured otherwise is configured again')
    p = alice['xep_0060']
    devices = ET.fromstring('<list xmlns="eu.siacs.conversations.axolotl"><device id="31415"/><device id="27182"/></list>')
    await p.publish(ALICE, DEVICES, id='current', payload=devices, timeout=PATIENCE)
    e = await refused(bob['xep_0060'].get_items(ALICE, DEVICES, timeout=PATIENCE), 'not-authorized', 'a stranger reads what contacts may')
    check(e.iq['error'].xml.find('{%s}presence-subscription-required' % ERRORS) is not None, f'{e.iq}')
    open_ = dict(access_model='open')
    e = await refused(p.publish(ALICE, DEVICES, id='current', payload=devices, options=submit(alice, 'publish-options', **open_), timeout=PATIENCE), 'conflict', 'open')
    check(e.iq['error'].xml.find('{%s}precondition-not-met' % ERRORS) is not None, f'{e.iq}')
    form = (await p.get_node_config(ALICE, DEVICES, timeout=PATIENCE))['pubsub_owner']['configure']['form']
    check(form['values']['pubsub#access_model'] == 'presence', f'{form}')
    await p.set_node_config(ALICE, DEVICES, submit(alice, 'node_config', **open_), timeout=PATIENCE)
    await p.publish(ALICE, DEVICES, id='current', payload=devices, options=submit(alice, 'publish-options', **open_), timeout=PATIENCE)
    got = (await bob['xep_0060'].get_items(ALICE, DEVICES, timeout=PATIENCE))['pubsub']['items']
    check([d.get('id') for item in got for d in item['payload']] == ['31415', '27182'], f'{got}')

    step('bundles: a node for each device, or one with an item for each')
    for device in ('31415', '27182'):
        bundle = ET.fromstring(f'<bundle xmlns="eu.siacs.conversations.axolotl"><identityKey>{device}</identityKey></bundle>')
        await p.publish(ALICE, BUNDLE + device, id='current', payload=bundle, options=submit(alice, 'publish-options', access_model='open', persist_items='true', max_items='1'), timeout=PATIENCE)
        bundle = ET.fromstring(f'<bundle xmlns="urn:xmpp:omemo:2"><ik>{device}</ik></bundle>')
        await p.publish(ALICE, BUNDLES, id=device, payload=bundle, options=submit(alice, 'publish-options', access_model='open', persist_items='true', max_items='max'), timeout=PATIENCE)
    for node, ids in ((BUNDLE + '31415', None), (BUNDLES, ['31415'])):
        got = (await bob['xep_0060'].get_items(ALICE, node, item_ids=ids, timeout=PATIENCE))['pubsub']['items']
        check([item['payload'][0].text for item in got] == ['31415'], f'{got}')
    got = (await bob['xep_0060'].get_items(ALICE, BUNDLES, timeout=PATIENCE))['pubsub']['items']
    check([item['id'] for item in got] == ['31415', '27182'], f'{got}')
    await refused(bob['xep_0060'].publish(ALICE, DEVICES, id='current', payload=devices, timeout=PATIENCE), 'not-authorized', "bob publishes in alice's name")
    return devices


async def events(alice, bob, phone, devices):
    step('contacts and own clients are told')
    tune = ET.fromstring(f'<tune xmlns="{TUNE}"><title>Greensleeves</title></tune>')
    await alice['xep_0060'].publish(ALICE, TUNE, id='song', payload=tune, timeout=PATIENCE)
    for c in (bob, phone):
        m, _, _, _, payload = await c.gets(TUNE, 'item', 'song')
        check(m['from'] == ALICE and m['type'] == 'headline' and payload.findtext('{%s}title' % TUNE) == 'Greensleeves', f'{m}')
    await alice['xep_0060'].publish(ALICE, DEVICES, id='current', payload=devices, timeout=PATIENCE)
    await bob.gets(DEVICES, 'item', 'current')
    await alice['xep_0060'].retract(ALICE, TUNE, 'song', notify=True, timeout=PATIENCE)
    for c in (bob, phone):
        await c.gets(TUNE, 'retract', 'song')

    step('an avatar, in all three places')
    avatar = alice['xep_0084']
    await avatar.publish_avatar(PNG, timeout=PATIENCE)
    hash_ = hashlib.sha1(PNG).hexdigest()
    await avatar.publish_avatar_metadata([{'id': hash_, 'type': 'image/png', 'bytes': str(len(PNG)), 'height': '1', 'width': '1'}], timeout=PATIENCE)
    for c in (bob, phone):
        _, _, _, _, payload = await c.gets(AVATAR, 'item', hash_)
        check(payload[0].get('id') == hash_, f'{payload}')
    await bob.want('presence', 'the hash', lambda p: p['from'].bare == ALICE and p.xml.findtext('{vcard-temp:x:update}x/{vcard-temp:x:update}photo') == hash_)
    data = (await bob['xep_0084'].retrieve_avatar(ALICE, hash_, timeout=PATIENCE))['pubsub']['items']['item']['avatar_data']['value']
    check(data == PNG, 'another picture in the node')
    card = (await bob['xep_0054'].get_vcard(ALICE, timeout=PATIENCE))['vcard_temp']
    check(card['PHOTO']['BINVAL'] == PNG, f'another picture in the card: {card}')

    step('who comes is sent the newest')
    late = await Reader('bob@localhost/late', AVATAR).sign_in()
    await late.gets(AVATAR, 'item', hash_)
    await late.sign_out()


async def service(alice, bob):
    step('a node of the service')
    a, b = alice['xep_0060'], bob['xep_0060']
    await a.create_node(SERVICE, 'news', config=submit(alice, 'node_config', title='News', max_items='2'), timeout=PATIENCE)
    info = (await bob['xep_0030'].get_info(SERVICE, node='news', timeout=PATIENCE))['disco_info']
    check(('pubsub', 'leaf', None, 'News') in info['identities'], f'{info}')
    await b.subscribe(SERVICE, 'news', timeout=PATIENCE)
    for n in ('1', '2', '3'):
        await a.publish(SERVICE, 'news', id=n, payload=ET.fromstring(f'<n xmlns="urn:example:n">{n}</n>'), timeout=PATIENCE)
        m, _, _, _, payload = await bob.gets('news', 'item', n)
        check(payload.text == n and m['from'] == SERVICE, f'{m}')
    items = (await b.get_items(SERVICE, 'news', timeout=PATIENCE))['pubsub']['items']
    check([i['id'] for i in items] == ['2', '3'], f'{items}')
    await refused(b.delete_node(SERVICE, 'news', timeout=PATIENCE), 'forbidden', "bob deletes alice's node")
    subs = (await b.get_subscriptions(SERVICE, timeout=PATIENCE))['pubsub']['subscriptions']
    check([s['node'] for s in subs] == ['news'], f'{subs}')
    await a.purge(SERVICE, 'news', timeout=PATIENCE)
    await bob.gets('news', 'purge')
    await a.delete_node(SERVICE, 'news', timeout=PATIENCE)
    await bob.gets('news', 'delete')
    await refused(b.get_items(SERVICE, 'news', timeout=PATIENCE), 'item-not-found', 'a node that is gone')


async def main():
    alice = await Reader('alice@localhost/desk').sign_in()
    phone = await Reader('alice@localhost/phone', TUNE, AVATAR).sign_in()
    bob = await Reader('bob@localhost/desk', TUNE, AVATAR, DEVICES).sign_in()
    devices = await omemo(alice, bob)
    step('they become contacts: bob is sent the devices')
    await befriend(alice, bob)
    await bob.gets(DEVICES, 'item', 'current')
    await events(alice, bob, phone, devices)
    await service(alice, bob)
    for c in (alice, phone, bob):
        await c.sign_out()

run(main)

"""A room (XEP-0045): made, configured, joined; messages, subject, private messages, kick, archive; its picture (XEP-0486),
hats (XEP-0317), invitations and members."""

import base64
import hashlib
from xml.etree import ElementTree as ET

from slixmpp.exceptions import IqError, PresenceError

from rig import PATIENCE, Client, bodies, check, run, step

ROOM = 'kitchen@groups.localhost'


async def join(c, nick, room=ROOM, **args):
    return await c['xep_0045'].join_muc_wait(room, nick, timeout=PATIENCE, **args)


async def configure(alice):
    step('create and configure')
    muc = alice['xep_0045']
    own, _, _, _ = await join(alice, 'alice')
    codes = own['muc']['status_codes']
    check({110, 201} <= set(codes), f'status codes of a new room: {codes}')
    form = await muc.get_room_config(ROOM)
    fields = form.get_fields()
    check('muc#roomconfig_roomname' in fields and 'muc#roomconfig_membersonly' in fields, f'fields: {list(fields)}')
    form.reply()
    form['values'] = {**form.get_values(), 'muc#roomconfig_roomname': 'The kitchen', 'muc#roomconfig_persistentroom': True,
                      'muc#roomconfig_changesubject': True}
    await muc.set_room_config(ROOM, form, timeout=PATIENCE)
    info = (await alice['xep_0030'].get_info(ROOM))['disco_info']
    names = [name for category, _, _, name in info['identities'] if category == 'conference']
    check(names == ['The kitchen'], f'identities: {info["identities"]}')
    check({'muc_persistent', 'urn:xmpp:mam:2'} <= info['features'], f'features: {info["features"]}')
    items = (await alice['xep_0030'].get_items('groups.localhost'))['disco_items']['items']
    check((ROOM, None, 'The kitchen') in items, f'rooms: {items}')


async def talk(alice, bob):
    step('join')
    _, _, occupants, _ = await join(bob, 'bob')
    check('alice' in [p['from'].resource for p in occupants], f'occupants: {occupants}')
    await alice.want('groupchat_presence', 'bob in the room', lambda p: p['from'].full == ROOM + '/bob' and p['muc']['role'] == 'participant')

    step('a nickname that is taken')
    carol = await Client('bob@localhost/second').sign_in()
    try:
        await join(carol, 'alice')
    except PresenceError as e:
        check(e.condition == 'conflict', f'a taken nickname: {e}')
    else:
        check(False, 'a taken nickname was given')
    await carol.sign_out()

    step('messages')
    for c, to, text in ((alice, bob, 'soup is ready'), (bob, alice, 'I am on my way')):
        c.send_message(mto=ROOM, mbody=text, mtype='groupchat')
        nick = c.boundjid.user
        own = await c.body(text, type='groupchat')
        got = await to.body(text, type='groupchat')
        check(own['from'].full == got['from'].full == f'{ROOM}/{nick}', f'from {own["from"]}, {got["from"]}')
        check(got['stanza_id']['by'] == ROOM and got['stanza_id']['id'], f'stanza-id: {got}')

    step('subject')
    bob['xep_0045'].set_subject(ROOM, 'Lunch at noon')
    for c in (alice, bob):
        await c.want('groupchat_subject', 'the new subject', lambda m: m['subject'] == 'Lunch at noon' and m['from'].full == ROOM + '/bob')

    step('private message')
    alice.send_message(mto=ROOM + '/bob', mbody='psst', mtype='chat')
    m = await bob.body('psst', type='chat')
    check(m['from'].full == ROOM + '/alice', f'from {m["from"]}')


async def late(alice, bob):
    step('who comes late sees what was said, and the subject')
    bob['xep_0045'].leave_muc(ROOM, 'bob')
    await alice.want('groupchat_presence', 'that bob left', lambda p: p['from'].full == ROOM + '/bob' and p['type'] == 'unavailable')
    _, subject, _, history = await join(bob, 'bob', maxstanzas=20)
    check([m['body'] for m in history] == ['soup is ready', 'I am on my way'], f'history: {[str(m) for m in history]}')
    check(all(m['delay']['stamp'] for m in history), 'history without delay')
    check(subject['subject'] == 'Lunch at noon', f'subject {subject}')

    step('the archive')
    got = [b for b, m in await bodies(bob, jid=ROOM) if b]
    check(got == ['soup is ready', 'I am on my way'], f'the room has {got}')


PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNiAAAABgADNjd8qAAAAABJRU5ErkJggg==')


async def picture(alice, bob):
    step('the picture of a room')
    digest = hashlib.sha1(PNG).hexdigest()
    for c in (alice, bob):
        c.register_plugin('xep_0054')
    bob.add_event_handler('groupchat_config_status', lambda m: bob.keep('groupchat_config_status', m))

    async def publish(c):
        card = c['xep_0054'].make_vcard()
        card['PHOTO']['TYPE'] = 'image/png'
        card['PHOTO']['BINVAL'] = PNG
        iq = c.make_iq_set(ito=ROOM)
        iq.append(card)
        await iq.send(timeout=PATIENCE)
    try:
        await publish(bob)
    except IqError as e:
        check(e.condition == 'forbidden', f'a picture by a participant: {e.iq}')
    else:
        check(False, 'a participant could set the picture')
    await publish(alice)
    await bob.want('groupchat_config_status', 'that the room has changed', lambda m: m['from'].full == ROOM and '104' in str(m))
    info = (await bob['xep_0030'].get_info(ROOM))
    check('vcard-temp' in info['disco_info']['features'] and digest in str(info), f'info: {info}')
    got = (await bob['xep_0054'].get_vcard(ROOM, timeout=PATIENCE))['vcard_temp']['PHOTO']
    check(got['BINVAL'] == PNG and got['TYPE'] == 'image/png', f'picture: {got}')


async def hats(alice, bob):
    step('hats')
    uri = 'https://kitchen.example/hats#chef'

    async def command(name, **fields):
        form = alice['xep_0004'].make_form(ftype='submit')
        form.add_field(var='FORM_TYPE', ftype='hidden', value='urn:xmpp:hats:commands')
        for var, value in fields.items():
            form.add_field(var='hats#' + var, value=value)
        iq = alice.make_iq_set(ito=ROOM)
        c = ET.SubElement(iq.xml, '{http://jabber.org/protocol/commands}command', node='urn:xmpp:hats:commands:' + name, action='execute')
        c.append(form.xml)
        return await iq.send(timeout=PATIENCE)
    await command('create', title='Chef', uri=uri)
    await command('assign', jid='bob@localhost', uri=uri)
    await alice.want('groupchat_presence', 'bob with a hat', lambda p: p['from'].full == ROOM + '/bob' and uri in str(p))


async def members(alice, bob):
    step('members, an invitation')
    muc = alice['xep_0045']
    await muc.set_affiliation(ROOM, 'member', jid='carol@localhost', nick='carol')
    check([str(j) for j in await muc.get_affiliation_list(ROOM, 'member', timeout=PATIENCE)] == ['carol@localhost'], 'the list of members is another')
    carol = await Client('bob@localhost/second').sign_in()
    carol.add_event_handler('groupchat_invite', lambda m: carol.keep('groupchat_invite', m))
    muc.invite(ROOM, 'bob@localhost/second', reason='dinner')
    await carol.want('groupchat_invite', 'an invitation', lambda m: m['from'].bare == ROOM and 'dinner' in str(m))
    await carol.sign_out()


async def kick(alice, bob):
    step('kick')
    try:
        await bob['xep_0045'].set_role(ROOM, 'alice', 'none')
    except IqError as e:
        check(e.condition in ('forbidden', 'not-allowed'), f'a kick by a participant: {e.iq}')
    else:
        check(False, 'a participant could kick')
    await alice['xep_0045'].set_role(ROOM, 'bob', 'none', reason='too many cooks')

    def kicked(p):
        return p['from'].full == ROOM + '/bob' and p['type'] == 'unavailable' and 307 in p['muc']['status_codes']
    for c in (alice, bob):
        await c.want('groupchat_presence', 'that bob was kicked', kicked)
    bob.send_message(mto=ROOM, mbody='but why', mtype='groupchat')
    await bob.want('message', 'that he is not in', lambda m: m['type'] == 'error' and m['error']['condition'] == 'not-acceptable')

    step('ban')
    await alice['xep_0045'].set_affiliation(ROOM, 'outcast', jid='bob@localhost', reason='burnt it')
    try:
        await join(bob, 'bob')
    except PresenceError as e:
        check(e.condition == 'forbidden', f'a join of one who is banned: {e}')
    else:
        check(False, 'one who is banned could join')

    step('destroy')
    await alice['xep_0045'].destroy(ROOM, 'closed')
    items = (await alice['xep_0030'].get_items('groups.localhost'))['disco_items']['items']
    check(ROOM not in [i[0] for i in items], f'rooms: {items}')


async def main():
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    await configure(alice)
    await talk(alice, bob)
    await late(alice, bob)
    await picture(alice, bob)
    await hats(alice, bob)
    await members(alice, bob)
    await kick(alice, bob)
    await alice.sign_out()
    await bob.sign_out()

run(main)

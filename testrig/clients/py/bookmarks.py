"""A group comes to who is added to it while signed in: its bookmark is pushed (XEP-0402), and the client joins by it."""

from slixmpp.exceptions import IqError, PresenceError

from follower import BOOKMARKS, Follower, joined
from rig import PATIENCE, check, parley, run, step


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
        check(e.condition == 'not-authorized', f'another\'s bookmarks: {e.iq}')  # a stranger learns nothing of the account
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

"""Groups as spaces (XEP-0503), seen with slixmpp's plugin for publish-subscribe: found, joined, read, left."""

from slixmpp.exceptions import IqError

from rig import PATIENCE, Client, check, parley, refused, run, step

SPACES = 'spaces.localhost'
CONFERENCE = '{urn:xmpp:bookmarks:1}conference'
EVENT = '{http://jabber.org/protocol/pubsub#event}'


async def nodes(c):
    return {node: name for _, node, name in (await c['xep_0030'].get_items(SPACES))['disco_items']['items']}


async def rooms(c, node):
    """The names of a space's rooms by their addresses."""
    result = await c['xep_0060'].get_items(SPACES, node, timeout=PATIENCE)
    found = {}
    for item in result['pubsub']['items']:
        e = item.xml.find(CONFERENCE)
        if e is not None:
            found[item['id']] = e.get('name')
    return found


async def main():
    step('a public group and a private one')
    await parley('group', 'create', 'market', '--name', 'Market', '--owner', 'alice@localhost')
    await parley('group', 'create', 'board', '--name', 'Board', '--owner', 'alice@localhost', '--private')
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    bob.add_event_handler('pubsub_publish', lambda m: bob.keep('event', m))

    step('the service and what it has, for each')
    items = (await bob['xep_0030'].get_items('localhost'))['disco_items']['items']
    check(any(str(j) == SPACES for j, _, _ in items), f'services: {items}')
    info = await bob['xep_0030'].get_info(SPACES)
    check(('pubsub', 'service') in [(i[0], i[1]) for i in info['disco_info']['identities']], f'{info}')
    check(sorted((await nodes(alice)).values()) == ['Board', 'Market'], f'alice sees {await nodes(alice)}')
    seen = await nodes(bob)
    check(list(seen.values()) == ['Market'], f'bob sees {seen}')
    market = list(seen)[0]
    board = [n for n, name in (await nodes(alice)).items() if name == 'Board'][0]
    await refused(bob['xep_0060'].get_items(SPACES, board, timeout=PATIENCE), 'item-not-found', 'a private group')

    step('to subscribe is to join')
    await bob['xep_0060'].subscribe(SPACES, market, timeout=PATIENCE)
    mine = (await bob['xep_0060'].get_subscriptions(SPACES, timeout=PATIENCE))['pubsub']['subscriptions']
    check([s['node'] for s in mine] == [market], f'{mine}')
    room = [j for j, n in (await rooms(bob, market)).items() if n == 'Market'][0]
    await bob['xep_0045'].join_muc_wait(room, 'bob', timeout=PATIENCE)
    info = await bob['xep_0030'].get_info(room)
    parent = f'xmpp:{SPACES}?;node={market}'
    check(parent in str(info), f'no {parent} in {info}')

    step('a new theme is told')
    bob.send_message(mto=room, mbody='!theme Cheese', mtype='groupchat')

    def about(m):
        return any(e.get('name') == 'Cheese' for e in m.xml.iter(CONFERENCE))
    m = await bob.want('event', 'the event', about)
    check(m['from'].full == SPACES and m.xml.find(EVENT + 'event') is not None, f'{m}')
    check('Cheese' in (await rooms(bob, market)).values(), f'{await rooms(bob, market)}')

    step('to unsubscribe is to leave; the last owner stays')
    await bob['xep_0060'].unsubscribe(SPACES, market, timeout=PATIENCE)
    mine = (await bob['xep_0060'].get_subscriptions(SPACES, timeout=PATIENCE))['pubsub']['subscriptions']
    check(not list(mine), f'{mine}')
    try:
        await alice['xep_0060'].unsubscribe(SPACES, market, timeout=PATIENCE)
        check(False, 'the last owner has left')
    except IqError as e:
        check(e.condition == 'not-allowed', f'{e.iq}')

    await alice.sign_out()
    await bob.sign_out()

run(main)

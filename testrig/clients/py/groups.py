"""A group made by its administrator: its members join its room, make a theme, and have it in their clients at once."""

from rig import PATIENCE, Client, bodies, check, parley, run, step

GROUP = 'engineering@groups.localhost'


async def join(c, room):
    return await c['xep_0045'].join_muc_wait(room, c.boundjid.user, timeout=PATIENCE)


async def themes(c):
    return {jid: name for jid, _, name in (await c['xep_0030'].get_items(GROUP))['disco_items']['items']}


async def main():
    step('a group with two members')
    await parley('group', 'create', 'engineering', '--name', 'Engineering', '--owner', 'alice@localhost', '--member', 'bob@localhost')
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    items = (await bob['xep_0030'].get_items('groups.localhost'))['disco_items']['items']
    check((GROUP, None, 'Engineering') in items, f'rooms: {items}')
    await join(alice, GROUP)
    await join(bob, GROUP)
    muc = bob['xep_0045']
    owners = await muc.get_affiliation_list(GROUP, 'owner')
    check([str(o) for o in owners] == ['alice@localhost'], f'owners {owners}')

    step('a theme, by a line in the room')
    before = await themes(bob)
    bob.send_message(mto=GROUP, mbody='!theme Q4 launch', mtype='groupchat')

    def line(m):
        return m['body'].startswith('New theme: Q4 launch')
    for c in (alice, bob):
        m = await c.want('message', 'the line about the theme', line)
        check(m['from'].full == GROUP + '/bob', f'from {m["from"]}')
    new = {j: n for j, n in (await themes(bob)).items() if j not in before}
    check(len(new) == 1 and 'Q4 launch' in list(new.values())[0], f'themes {new}, before {before}')

    step('both talk in the theme')
    theme = list(new)[0]
    await join(alice, theme)
    await join(bob, theme)
    alice.send_message(mto=theme, mbody='when do we ship?', mtype='groupchat')
    m = await bob.body('when do we ship?', type='groupchat')
    check(m['from'].full == theme + '/alice', f'from {m["from"]}')

    step('the archives of the group and of the theme')
    got = [b for b, _ in await bodies(bob, jid=GROUP)]
    check([b for b in got if b.startswith('New theme: Q4 launch')], f'the group has {got}')
    check('when do we ship?' not in got, f'the group has {got}')
    got = [b for b, _ in await bodies(bob, jid=theme)]
    check('when do we ship?' in got, f'the theme has {got}')

    await alice.sign_out()
    await bob.sign_out()

run(main)

"""Two accounts: sign-in, roster and presence, messages, carbons, messages that wait, the archive."""

from slixmpp.exceptions import IqError

from rig import Client, bodies, check, run, step


async def signs_in():
    step('sign-in: STARTTLS and SCRAM')
    alice = await Client('alice@localhost/desk').sign_in()
    bob = await Client('bob@localhost/phone').sign_in()
    for c in (alice, bob):
        check({'starttls', 'mechanisms', 'bind'} <= c.features, f'features: {c.features}')
        mech = c['feature_mechanisms'].mech.name
        check(mech.startswith('SCRAM-'), f'signed in with {mech}')
    check(alice.boundjid.full == 'alice@localhost/desk', f'bound {alice.boundjid}')

    step('a wrong password')
    wrong = Client('alice@localhost/x', 'not-hers-9-Xyz')
    wrong.connect(alice.address)
    # slixmpp tries channel binding first, of a kind that TLS 1.3 does not have.
    await wrong.want('failed', 'that the password is wrong', lambda f: f['condition'] == 'not-authorized' and 'binding' not in f['text'])
    wrong.abort()
    return alice, bob


async def subscribe(alice, bob):
    step('roster and subscription both ways')
    alice.auto_authorize = bob.auto_authorize = True
    alice.auto_subscribe = bob.auto_subscribe = True
    await alice.update_roster('bob@localhost', name='Bob', groups=['Friends'])
    alice.send_presence_subscription('bob@localhost')

    def both(who):
        return lambda r: any(str(j) == who and i['subscription'] == 'both' for j, i in r['roster']['items'].items())
    await alice.want('roster_update', 'both for bob', both('bob@localhost'))
    await bob.want('roster_update', 'both for alice', both('alice@localhost'))
    await alice.want('presence', 'that bob is there', lambda p: p['from'].full == 'bob@localhost/phone')
    await bob.want('presence', 'that alice is there', lambda p: p['from'].full == 'alice@localhost/desk')
    late = await Client('alice@localhost/late').sign_in()
    item = late.client_roster['bob@localhost']
    check((item['name'], item['groups'], item['subscription']) == ('Bob', ['Friends'], 'both'), f'roster item {item._state}')
    await late.sign_out()

    step('presence: what bob shows')
    bob.send_presence(pshow='away', pstatus='at lunch')
    await alice.want('presence', 'bob away', lambda p: p['show'] == 'away' and p['status'] == 'at lunch')
    bob.send_presence()
    await alice.want('presence', 'bob back', lambda p: p['from'].full == 'bob@localhost/phone' and not p['show'])


async def chat(alice, bob):
    step('one to one')
    alice.send_message(mto='bob@localhost', mbody='hello Bob', mtype='chat')
    m = await bob.body('hello Bob', type='chat')
    check(m['from'].full == 'alice@localhost/desk', f'from {m["from"]}')
    bob.send_message(mto='alice@localhost/desk', mbody='hello <Alice> & "co" ☕', mtype='chat')
    await alice.body('hello <Alice> & "co" ☕', type='chat')

    step('carbons between two resources')
    tablet = await Client('bob@localhost/tablet').sign_in()
    for c in (bob, tablet):
        await c['xep_0280'].enable()
    alice.send_message(mto='bob@localhost/phone', mbody='to the phone', mtype='chat')
    await bob.body('to the phone', type='chat')
    c = await tablet.want('carbon_received', 'what the phone got', lambda m: m['carbon_received']['body'] == 'to the phone')
    check(c['from'].full == 'bob@localhost', f'a carbon from {c["from"]}')
    tablet.send_message(mto='alice@localhost', mbody='from the tablet', mtype='chat')
    await alice.body('from the tablet')
    await bob.want('carbon_sent', 'what the tablet sent', lambda m: m['carbon_sent']['body'] == 'from the tablet')
    await tablet.sign_out()
    await alice.want('presence', 'that the tablet is gone', lambda p: p['from'].full == 'bob@localhost/tablet' and p['type'] == 'unavailable')


async def offline(alice, bob):
    step('sent while bob is away, there when he signs in')
    await bob.sign_out()
    await alice.want('presence', 'that bob is gone', lambda p: p['from'].full == 'bob@localhost/phone' and p['type'] == 'unavailable')
    for text in ('are you there?', 'call me'):
        alice.send_message(mto='bob@localhost', mbody=text, mtype='chat')
    await alice['xep_0199'].send_ping('localhost')  # answered after both were taken
    bob = await Client('bob@localhost/phone').sign_in()
    first = await bob.body('are you there?', type='chat')
    check(first['delay']['stamp'], f'not marked as delayed: {first}')
    await bob.body('call me')
    await alice.want('presence', 'that bob is back', lambda p: p['from'].full == 'bob@localhost/phone' and p['type'] == 'available')
    return bob


async def archive(alice, bob):
    step('the archive')
    want = ['hello Bob', 'hello <Alice> & "co" ☕', 'to the phone', 'from the tablet', 'are you there?', 'call me']
    for c, other in ((alice, 'bob@localhost'), (bob, 'alice@localhost')):
        got = [b for b, _ in await bodies(c)]
        check(got == want, f'{c.name} has {got}')
        got = [b for b, _ in await bodies(c, with_jid=other)]
        check(got == want, f'{c.name} has with {other} {got}')
        got = await bodies(c, with_jid='nobody@localhost')
        check(got == [], f'{c.name} has with nobody {got}')
    try:
        await bodies(bob, jid='alice@localhost')
    except IqError as e:
        check(e.condition == 'forbidden', f'another\'s archive: {e.iq}')
    else:
        check(False, 'another\'s archive is open')


async def main():
    alice, bob = await signs_in()
    await subscribe(alice, bob)
    await chat(alice, bob)
    bob = await offline(alice, bob)
    await archive(alice, bob)
    await alice.sign_out()
    await bob.sign_out()

run(main)

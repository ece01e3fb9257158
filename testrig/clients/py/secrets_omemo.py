"""OMEMO as it is: slixmpp-omemo makes keys, publishes them, and two people who are no contacts write to each other."""

import slixmpp_omemo
from omemo.storage import Just, Nothing, Storage
from slixmpp_omemo import XEP_0384, TrustLevel
from slixmpp.plugins import register_plugin

from rig import PATIENCE, Client, check, run, step


class Memory(Storage):
    def __init__(self):
        super().__init__()
        self.kept = {}

    async def _load(self, key):
        return Just(self.kept[key]) if key in self.kept else Nothing()

    async def _store(self, key, value):
        self.kept[key] = value

    async def _delete(self, key):
        self.kept.pop(key, None)


class Plugin(XEP_0384):
    """Trusts whom it meets."""
    default_config = {'fallback_message': 'encrypted'}
    memory = None

    def plugin_init(self):
        self.memory = Memory()
        super().plugin_init()

    @property
    def storage(self):
        return self.memory

    @property
    def _btbv_enabled(self):
        return True

    async def _prompt_manual_trust(self, manually_trusted, identifier):
        manager = await self.get_session_manager()
        for device in manually_trusted:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value)


register_plugin(Plugin)


class Secretive(Client):
    def __init__(self, address):
        super().__init__(address)
        self.add_event_handler('omemo_initialized', lambda _: self.keep('ready', None))
        for plugin in ('xep_0334', 'xep_0380'):
            self.register_plugin(plugin)
        self.register_plugin('xep_0384', module=slixmpp_omemo)

    async def begin(self):
        await self.sign_in()
        await self.want('ready', 'keys made and published')
        return self

    async def secret(self, to, text):
        m = self.make_message(mto=to, mtype='chat', mbody=text)
        m.set_from(self.boundjid)
        encrypted, errors = await self['xep_0384'].encrypt_message(m, {m['to']})
        check(encrypted is not None and not errors, f'not encrypted: {errors}')
        encrypted.send()

    async def reads(self, text, from_):
        m = await self.want('message', 'an encrypted message', lambda m: m['from'] == from_ and self['xep_0384'].is_encrypted(m))
        check(text not in str(m), f'not encrypted: {m}')
        plain, device = await self['xep_0384'].decrypt_message(m)
        check(plain['body'] == text, f'{plain}')
        return device


async def main():
    step('keys are made and published, by two clients of alice and one of bob')
    alice = await Secretive('alice@localhost/desk').begin()
    phone = await Secretive('alice@localhost/phone').begin()
    bob = await Secretive('bob@localhost/desk').begin()
    for node in ('urn:xmpp:omemo:2:devices', 'eu.siacs.conversations.axolotl.devicelist'):
        devices = (await bob['xep_0060'].get_items('alice@localhost', node, timeout=PATIENCE))['pubsub']['items']
        check(len(devices) == 1, f'{devices}')
        check(len(list(devices['item']['payload'])) == 2, f'alice has two clients: {devices}')
    bundles = (await bob['xep_0060'].get_items('alice@localhost', 'urn:xmpp:omemo:2:bundles', timeout=PATIENCE))['pubsub']['items']
    check(len(bundles) == 2, 'a bundle of each client')

    step('a stranger writes, and is answered')
    await bob.secret('alice@localhost', 'balcony, at nine')
    for c in (alice, phone):
        await c.reads('balcony, at nine', bob.boundjid)
    await alice.secret('bob@localhost', 'bring a ladder')
    await bob.reads('bring a ladder', alice.boundjid)
    await phone.secret('bob@localhost', 'a long one')
    await bob.reads('a long one', phone.boundjid)
    for c in (alice, phone, bob):
        await c.sign_out()

run(main)

"""A picture is shared: the service found, a slot got, the file put and got over HTTPS (XEP-0363)."""

import os
import ssl
import sys
import urllib.error
import urllib.request
from xml.etree import ElementTree as ET

from rig import PATIENCE, Client, check, refused, run, step

PNG = b'\x89PNG\r\n\x1a\n' + bytes(range(256)) * 40
PURPOSE = 'urn:xmpp:http:upload:purpose:0'


def http(method, url, data=None, **headers):
    """One request; gives status, headers and body."""
    context = ssl.create_default_context(cafile=os.environ['RIG_CA'])
    request = urllib.request.Request(url, data=data, method=method, headers={k.replace('_', '-'): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


async def main():
    # Debian's slixmpp takes aiohttp for the upload itself, which is not needed to ask for slots.
    if 'aiohttp' not in sys.modules:
        try:
            import aiohttp  # noqa: F401
        except ImportError:
            import types
            sys.modules['aiohttp'] = types.SimpleNamespace(ClientSession=None)
    alice = Client('alice@localhost/desk')
    alice.register_plugin('xep_0363')
    await alice.sign_in()
    upload = alice['xep_0363']

    step('the service is found, and says how large a file may be')
    # As slixmpp's find_upload_service does; Debian's asks asyncio for what Python 3.11 has no longer.
    services = (await alice['xep_0030'].get_items('localhost', timeout=PATIENCE))['disco_items']['items']
    infos = [await alice['xep_0030'].get_info(jid, timeout=PATIENCE) for jid, _, _ in services]
    info = [i for i in infos if 'urn:xmpp:http:upload:0' in i['disco_info']['features']][0]
    check(info['from'] == 'upload.localhost', f'{info}')
    form = info['disco_info'].xml.find('{jabber:x:data}x')
    values = {f.get('var'): f.findtext('{jabber:x:data}value') for f in form}
    largest = int(values['max-file-size'])
    check(largest >= 1 << 20, f'{values}')
    for purpose in ('message', 'profile', 'ephemeral', 'permanent'):
        check(f'{PURPOSE}#{purpose}' in info['disco_info']['features'], f'no purpose {purpose}')

    step('put and got')
    slot = (await upload.request_slot(info['from'], 'très cool.png', len(PNG), 'image/png', timeout=PATIENCE))['http_upload_slot']
    headers = {h['name']: h['value'] for h in slot['put']['headers']}
    check(set(headers) <= {'Authorization', 'Cookie', 'Expires'}, f'{headers}')
    put, get = slot['put']['url'], slot['get']['url']
    check(put.startswith('https://') and get.endswith('/tr%C3%A8s%20cool.png'), f'{put} {get}')
    check(http('PUT', put, PNG, Content_Type='image/png')[0] == 401, 'a file without its token is taken')
    check(http('PUT', put, PNG, Content_Type='image/png', **headers)[0] == 201, 'not taken')
    status, got, body = http('GET', get)
    check(status == 200 and body == PNG and got['Content-Type'] == 'image/png', f'{status} {got}')
    check(got['X-Content-Type-Options'] == 'nosniff' and 'sandbox' in got['Content-Security-Policy'] and got['Access-Control-Allow-Origin'] == '*', f'{got}')
    status, got, body = http('GET', get, Range='bytes=1-3')
    check(status == 206 and body == b'PNG' and got['Content-Range'] == f'bytes 1-3/{len(PNG)}', f'{status} {got}')
    status, got, body = http('HEAD', get)
    check(status == 200 and got['Content-Length'] == str(len(PNG)) and body == b'', f'{status} {got}')
    check(http('GET', get, If_None_Match=got['ETag'])[0] == 304, 'not modified')

    step('a page is saved, not shown')
    page = b'<script>alert(1)</script>'
    slot = (await upload.request_slot(info['from'], 'a.html', len(page), 'text/html', timeout=PATIENCE))['http_upload_slot']
    headers = {h['name']: h['value'] for h in slot['put']['headers']}
    check(http('PUT', slot['put']['url'], page, Content_Type='text/html', **headers)[0] == 201, 'not taken')
    got = http('GET', slot['get']['url'])[1]
    check(got['Content-Type'] == 'application/octet-stream' and got['Content-Disposition'].startswith('attachment'), f'{got}')

    step('what is refused')
    e = await refused(upload.request_slot(info['from'], 'a', largest + 1, timeout=PATIENCE), 'not-acceptable', 'too large')
    check(e.iq['error'].xml.findtext('{urn:xmpp:http:upload:0}file-too-large/{urn:xmpp:http:upload:0}max-file-size') == str(largest), f'{e.iq}')
    iq = alice.make_iq_get(ito='upload.localhost')
    request = ET.SubElement(iq.xml, '{urn:xmpp:http:upload:0}request', filename='a', size='1')
    ET.SubElement(request, '{%s}ephemeral' % PURPOSE, {'expire-before': '2001-01-01T00:00:00Z'})
    await refused(iq.send(timeout=PATIENCE), 'bad-request', 'expired before it is there')
    await alice.sign_out()

run(main)

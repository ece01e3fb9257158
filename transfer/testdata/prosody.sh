#!/bin/bash
# prosody.sh DIR: runs Debian's Prosody on loopback, fills it, exports to DIR by prosody-migrator. As root.
set -eu
here=$(dirname "$(realpath "$0")"); out=$(realpath "$1"); tmp=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $tmp/key.pem -out $tmp/cert.pem -days 1 -subj /CN=capulet.example 2>/dev/null
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
cat > $tmp/prosody.cfg.lua <<Y
data_path = "$tmp/data"
pidfile = "$tmp/pid"
log = { error = "*console" }
modules_enabled = { "disco"; "roster"; "saslauth"; "tls"; "blocklist"; "pep"; "private"; "vcard_legacy"; "ping"; "mam"; "offline"; "posix" }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_direct_tls_ports = { }
s2s_ports = { }
authentication = "internal_hashed"
storage = "internal"
ssl = { key = "$tmp/key.pem"; certificate = "$tmp/cert.pem" }
VirtualHost "capulet.example"
Y
mkdir $tmp/data $tmp/xml; chown -R prosody $tmp; chmod 711 $tmp
cd $tmp
for u in juliet romeo nurse; do prosodyctl --config $tmp/prosody.cfg.lua register $u capulet.example wherefore; done
setpriv --reuid prosody --clear-groups prosody -F --config $tmp/prosody.cfg.lua & pid=$!
for i in $(seq 50); do (echo > /dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 0.2; done
/usr/bin/python3 $here/fill.py $port
kill $pid; wait $pid || true
cat > $tmp/migrator.cfg.lua <<Y
local stores = { "accounts", "roster", "vcard", "private", "archive-archive", "pep-pubsub" }
input { hosts = { ["capulet.example"] = stores }, type = "internal", path = "$tmp/data" }
output { hosts = { ["capulet.example"] = stores }, type = "xep0227", path = "$tmp/xml" }
Y
PROSODY_CONFIG=$tmp/prosody.cfg.lua prosody-migrator --config $tmp/migrator.cfg.lua --keep-going input output || true

mv /var/lib/prosody/*@capulet.example.xml "$out"/
rm -rf $tmp

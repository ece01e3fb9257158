#!/bin/sh
# desktop.sh dino|gajim: signs alice in with the client of Debian, on a display that nobody sees, with a home of its own, and
# goes on until it is killed. RIG_HOME is empty and goes to the user nobody: Gajim does not run as root. The system's
# authorities are the rig's (desktop_test.go). With RIG_SHOT=FILE.png the display is kept there every second, to be looked at
# (needs import of ImageMagick).
set -eu
home=$RIG_HOME
as() {
	setpriv --reuid nobody --regid nogroup --clear-groups env -i PATH=/usr/bin:/bin HOME="$home" XDG_RUNTIME_DIR="$home" DISPLAY="$DISPLAY" LANG=C.UTF-8 \
		GDK_BACKEND=x11 NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory GIO_USE_NETWORK_MONITOR=base dbus-run-session -- "$@"
}
mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3<>"$home/display" >"$home/xvfb.log" 2>&1 &
read -r number <"$home/display"
export DISPLAY=":$number"
if [ -n "${RIG_SHOT:-}" ]; then
	(while sleep 1; do import -window root "$RIG_SHOT" || true; done) &
fi
case $1 in
dino)
	# The table as Dino 0.4 makes it; it adds what later versions want.
	mkdir -p "$home/.local/share/dino"
	/usr/bin/python3 - "$home/.local/share/dino/dino.db" "$RIG_PASSWORD" <<'P'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.execute('CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT, bare_jid TEXT NOT NULL UNIQUE, resourcepart TEXT, password TEXT, alias TEXT, '
          'enabled INTEGER, roster_version TEXT, mam_earliest_synced INTEGER)')
c.execute("INSERT INTO account (bare_jid, resourcepart, password, alias, enabled) VALUES ('alice@localhost', 'dino.rig', ?, '', 1)", (sys.argv[2],))
c.commit()
P
	chown -R nobody:nogroup "$home"
	as dino-im
	;;
gajim)
	mkdir -p "$home/.config/gajim"
	/usr/bin/python3 - "$home/.config/gajim/settings.sqlite" "$RIG_PASSWORD" <<'P'
import json, sqlite3, sys
sys.path.insert(0, '/usr/lib/python3/dist-packages')
from gajim.common.settings import CREATE_SQL
c = sqlite3.connect(sys.argv[1])
c.executescript(CREATE_SQL)
c.execute("UPDATE settings SET settings = ? WHERE name = 'app'", (json.dumps({'use_keyring': False}),))
c.execute('INSERT INTO account_settings (account, settings) VALUES (?, ?)', ('rig', json.dumps({'contact': {}, 'group_chat': {}, 'account': {
    'name': 'alice', 'hostname': 'localhost', 'resource': 'gajim', 'password': sys.argv[2], 'savepass': True, 'active': True, 'autoconnect': True}})))
c.commit()
P
	chown -R nobody:nogroup "$home"
	as gajim
	;;
esac

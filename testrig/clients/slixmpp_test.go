package clients

import "testing"

// slixmpp runs one of the scripts in py, with a server of its own. The script says which step failed and what it saw.
func slixmpp(t *testing.T, script string) {
	needSlixmpp(t)
	t.Parallel()
	startServer(t).script(python, "py/"+script)
}

func TestSlixmppIM(t *testing.T)     { slixmpp(t, "im.py") }
func TestSlixmppRooms(t *testing.T)  { slixmpp(t, "rooms.py") }
func TestSlixmppGroups(t *testing.T) { slixmpp(t, "groups.py") }

func TestSlixmppBookmarks(t *testing.T) { slixmpp(t, "bookmarks.py") }
func TestSlixmppPEP(t *testing.T)       { slixmpp(t, "pep.py") }
func TestSlixmppUpload(t *testing.T)    { slixmpp(t, "upload.py") }

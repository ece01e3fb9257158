package clients

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
)

// slixmpp runs one of the scripts in py, with a server of its own. The script says which step failed and what it saw.
func slixmpp(t *testing.T, script string) {
	needSlixmpp(t)
	t.Parallel()
	startServer(t).script(python, "py/"+script)
}

func TestSlixmppIM(t *testing.T)     { slixmpp(t, "im.py") }
func TestSlixmppRooms(t *testing.T)  { slixmpp(t, "rooms.py") }
func TestSlixmppGroups(t *testing.T) { slixmpp(t, "groups.py") }

func TestSlixmppSpaces(t *testing.T) { slixmpp(t, "spaces.py") }
func TestSlixmppInbox(t *testing.T)  { slixmpp(t, "inbox.py") }

// TestSlixmppWebhooks lets webhooks reach a program on this machine.
func TestSlixmppWebhooks(t *testing.T) {
	needSlixmpp(t)
	t.Parallel()
	startServer(t, "webhooks.allow=127.0.0.0/8").script(python, "py/webhooks.py")
}

func TestSlixmppSearch(t *testing.T) { slixmpp(t, "search.py") }

func TestSlixmppBookmarks(t *testing.T) { slixmpp(t, "bookmarks.py") }
func TestSlixmppPEP(t *testing.T)       { slixmpp(t, "pep.py") }
func TestSlixmppUpload(t *testing.T)    { slixmpp(t, "upload.py") }

// TestOMEMO is slixmpp-omemo, which Debian has not: scripts/deps puts it into py/venv.
func TestOMEMO(t *testing.T) {
	const venv = "py/venv/bin/python"
	if out, err := exec.CommandContext(t.Context(), venv, "-c", "import slixmpp_omemo").CombinedOutput(); err != nil {
		missing(t, "slixmpp-omemo", fmt.Errorf("%w: %s", err, bytes.TrimSpace(out)))
	}
	t.Parallel()
	startServer(t).script(venv, "py/secrets_omemo.py")
}

func TestSlixmppTeams(t *testing.T) { slixmpp(t, "teams.py") }

func TestSlixmppAppPasswords(t *testing.T) { slixmpp(t, "apps.py") }

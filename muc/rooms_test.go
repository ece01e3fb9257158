package muc_test

import (
	"context"
	"testing"

	"parley/muc"
)

const x = `<x xmlns='http://jabber.org/protocol/muc'/>`

// verona signs in romeo, juliet and nurse, and opens a room that romeo has created and is in as "Romeo".
func verona(t testing.TB, change ...func(*muc.Config)) *rig {
	r := newRig(t, change...)
	r.User("romeo", "juliet", "nurse", "tybalt")
	r.Login("romeo/phone", "juliet/balcony", "nurse/house", "tybalt/street")
	r.Play(`
	romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence from='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc#user'>
		<item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/></x></presence>
	romeo gets: <message type='groupchat' from='orchard@groups.example.org'><subject/><never><body/></never></message>
	romeo sends: <iq type='set' id='c1' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>
	romeo gets: <iq type='result' id='c1' from='orchard@groups.example.org'/>`)
	return r
}

// configure sends a configuration of the orchard; fields are var=value.
func (r *rig) configure(actor, fields string) {
	r.T.Helper()
	r.Play(actor +
		` sends: <iq type='set' id='cfg' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'>
	<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>` + fields + `</x></query></iq>`)
}

func field(name, value string) string {
	return "<field var='muc#roomconfig_" + name + "'><value>" + value + "</value></field>"
}

// enter has actors join the orchard under their nicks and forget what they got.
func (r *rig) enter(actors ...string) {
	r.T.Helper()
	nicks := map[string]string{"romeo": "Romeo", "juliet": "Juliet", "nurse": "Nurse", "tybalt": "Tybalt"}
	for _, a := range actors {
		r.Play(a + " sends: <presence to='orchard@groups.example.org/" + nicks[a] + "'>" + x + "</presence>\n" + a +
			" forgets from orchard@groups.example.org")
	}
	for a := range r.Clients {
		r.Play(a + " forgets from orchard@groups.example.org")
	}
}

func TestJoin(t *testing.T) {
	r := verona(t)
	r.Play(`
	juliet sends: <presence id='j1' to='orchard@groups.example.org/Juliet'><show>away</show>` + x + `</presence>
	juliet gets: <presence from='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc#user'>
		<item affiliation='owner' role='moderator' jid='-'/><never><status code='110'/></never></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{romeoID}'/></presence>
	juliet gets: <presence from='orchard@groups.example.org/Juliet' id='j1'><show>away</show><x xmlns='http://jabber.org/protocol/muc#user'>
		<item affiliation='none' role='participant'/><status code='110'/><never><status code='201'/><status code='100'/></never></x><never>` + x + `</never></presence>
	juliet gets: <message type='groupchat' from='orchard@groups.example.org'><subject/></message>
	romeo gets: <presence from='orchard@groups.example.org/Juliet'><show>away</show><x xmlns='http://jabber.org/protocol/muc#user'>
		<item affiliation='none' role='participant' jid='juliet@example.org/balcony'/><never><status code='110'/></never></x></presence>

	# Somebody else's nick, no nick, no MUC element.
	nurse sends: <presence to='orchard@groups.example.org/Juliet' id='n1'>` + x + `</presence>
	nurse gets: <presence type='error' from='orchard@groups.example.org/Juliet' id='n1'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	nurse sends: <presence to='orchard@groups.example.org' id='n2'>` + x + `</presence>
	nurse gets: <presence type='error' id='n2'><error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	nurse sends: <presence to='orchard@groups.example.org/Nurse' id='n3'/>
	nurse gets: <presence type='unavailable' id='n3'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/><status code='110'/><status code='307'/><status code='333'/></x></presence>
	romeo gets nothing from orchard@groups.example.org

	# A second client of the same person may use the nick.
	`)
	r.Login("juliet2=juliet/chamber")
	r.Play(`
	juliet2 sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet2 gets: <presence from='orchard@groups.example.org/Romeo'/>
	juliet2 gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	juliet2 gets: <message type='groupchat'><subject/></message>
	juliet forgets from orchard@groups.example.org
	romeo forgets from orchard@groups.example.org
	romeo sends: <message type='groupchat' id='m1' to='orchard@groups.example.org'><body>She speaks</body></message>
	juliet gets: <message id='m1'/>
	juliet2 gets: <message id='m1'/>
	# One of them goes: the occupant stays.
	juliet sends: <presence type='unavailable' to='orchard@groups.example.org/Juliet'/>
	juliet gets: <presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	romeo gets: <message id='m1'/>
	romeo sends: <message type='groupchat' id='m2' to='orchard@groups.example.org'><body>Speak again</body></message>
	juliet2 forgets from orchard@groups.example.org
	juliet2 sends: <presence type='unavailable' to='orchard@groups.example.org/Juliet'><status>night</status></presence>
	juliet2 gets: <presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	romeo forgets from orchard@groups.example.org
	juliet gets nothing from orchard@groups.example.org`)
}

func TestLeaveIsSeen(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	r.Play(`
	juliet sends: <presence type='unavailable' to='orchard@groups.example.org/Juliet'><status>gone where the iron bit</status></presence>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none' affiliation='none'/><status code='110'/></x></presence>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><status>gone where the iron bit</status><x xmlns='http://jabber.org/protocol/muc#user'><item role='none' jid='juliet@example.org/balcony'/><never><status code='110'/></never></x></presence>
	nurse gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none' jid='-'/></x></presence>`)
	// A session that ends takes its occupant with it.
	r.Host.Unbind(context.Background(), r.Clients["nurse"].Session)
	r.Play(`romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'/>`)
}

func TestMessage(t *testing.T) {
	r := verona(t)
	r.enter("juliet")
	r.Play(`
	juliet sends: <message type='groupchat' id='m1' to='orchard@groups.example.org'><body>O Romeo &lt;3</body>
		<origin-id xmlns='urn:xmpp:sid:0' id='o1'/><stanza-id xmlns='urn:xmpp:sid:0' by='orchard@groups.example.org' id='forged'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='elsewhere.example' id='kept'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>
		<delay xmlns='urn:xmpp:delay' stamp='2002-10-13T23:58:37Z'/></message>
	romeo gets: <message type='groupchat' id='m1' from='orchard@groups.example.org/Juliet' to='romeo@example.org/phone'><body>O Romeo &lt;3</body>
		<origin-id xmlns='urn:xmpp:sid:0' id='o1'/><stanza-id xmlns='urn:xmpp:sid:0' by='orchard@groups.example.org' id='{stanza}'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='elsewhere.example' id='kept'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{julietID}'/>
		<never><stanza-id xmlns='urn:xmpp:sid:0' id='forged'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><delay xmlns='urn:xmpp:delay'/></never></message>
	juliet gets: <message type='groupchat' id='m1' from='orchard@groups.example.org/Juliet' to='juliet@example.org/balcony'><stanza-id xmlns='urn:xmpp:sid:0' id='{stanza}'/></message>
	juliet sends: <message type='groupchat' id='m2' to='orchard@groups.example.org'><body>again</body></message>
	romeo gets: <message id='m2'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{julietID}'/></message>
	juliet gets: <message id='m2'/>

	# Typing is shown and not kept.
	juliet sends: <message type='groupchat' id='m3' to='orchard@groups.example.org'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
	romeo gets: <message id='m3'><never><stanza-id xmlns='urn:xmpp:sid:0'/></never></message>
	juliet gets: <message id='m3'/>

	# Not from outside, not to an occupant, not to what is not there.
	nurse sends: <message type='groupchat' id='e1' to='orchard@groups.example.org'><body>Madam!</body></message>
	nurse gets: <message type='error' id='e1' from='orchard@groups.example.org'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	juliet sends: <message type='groupchat' id='e2' to='orchard@groups.example.org/Romeo'><body>x</body></message>
	juliet gets: <message type='error' id='e2'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	nurse sends: <message type='groupchat' id='e3' to='nowhere@groups.example.org'><body>x</body></message>
	nurse gets: <message type='error' id='e3'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo gets nothing from orchard@groups.example.org`)
}

func TestPrivateMessage(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	r.Play(`
	juliet sends: <message type='chat' id='p1' to='orchard@groups.example.org/Romeo'><body>Wherefore?</body><x xmlns='http://jabber.org/protocol/muc#user'><status code='301'/></x></message>
	romeo gets: <message type='chat' id='p1' from='orchard@groups.example.org/Juliet' to='romeo@example.org/phone'><body>Wherefore?</body>
		<x xmlns='http://jabber.org/protocol/muc#user'><never><status/></never></x></message>
	juliet sends: <message type='chat' id='p2' to='orchard@groups.example.org/Paris'><body>x</body></message>
	juliet gets: <message type='error' id='p2'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	tybalt sends: <message type='chat' id='p3' to='orchard@groups.example.org/Romeo'><body>x</body></message>
	tybalt gets: <message type='error' id='p3'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	nurse gets nothing from orchard@groups.example.org`)
	r.configure("romeo", field("allowpm", "moderators"))
	r.Play(`
	romeo forgets from orchard@groups.example.org
	juliet forgets from orchard@groups.example.org
	juliet sends: <message type='chat' id='p4' to='orchard@groups.example.org/Nurse'><body>x</body></message>
	juliet gets: <message type='error' id='p4'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo sends: <message type='chat' id='p5' to='orchard@groups.example.org/Juliet'><body>x</body></message>
	juliet gets: <message type='chat' id='p5'/>`)
}

func TestNick(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	r.Play(`
	juliet sends: <presence to='orchard@groups.example.org/Capulet'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item nick='Capulet' role='participant' jid='juliet@example.org/balcony'/><status code='303'/></x></presence>
	romeo gets: <presence type='-' from='orchard@groups.example.org/Capulet'><x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x></presence>
	nurse gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item nick='Capulet' jid='-'/><status code='303'/></x></presence>
	nurse gets: <presence type='-' from='orchard@groups.example.org/Capulet'/>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item nick='Capulet'/><status code='303'/><status code='110'/></x></presence>
	juliet gets: <presence type='-' from='orchard@groups.example.org/Capulet'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	juliet sends: <presence to='orchard@groups.example.org/Romeo' id='taken'/>
	juliet gets: <presence type='error' id='taken'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	juliet sends: <message type='groupchat' id='m' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message from='orchard@groups.example.org/Capulet'/>
	# Availability.
	juliet sends: <presence to='orchard@groups.example.org/Capulet'><show>xa</show></presence>
	juliet gets: <presence from='orchard@groups.example.org/Capulet'><show>xa</show><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	romeo gets: <message id='m'/>
	romeo gets: <presence from='orchard@groups.example.org/Capulet'><show>xa</show><x xmlns='http://jabber.org/protocol/muc#user'><never><status/></never></x></presence>`)
}

func TestSubject(t *testing.T) {
	r := verona(t)
	r.enter("juliet")
	r.Play(`
	juliet sends: <message type='groupchat' id='s1' to='orchard@groups.example.org'><subject>Names</subject></message>
	juliet gets: <message type='error' id='s1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo sends: <message type='groupchat' id='s2' to='orchard@groups.example.org'><subject>Roses</subject></message>
	romeo gets: <message type='groupchat' id='s2' from='orchard@groups.example.org/Romeo'><subject>Roses</subject></message>
	juliet gets: <message type='groupchat' id='s2'><subject>Roses</subject></message>
	# A message with a body has a subject of its own.
	romeo sends: <message type='groupchat' id='s3' to='orchard@groups.example.org'><subject>No</subject><body>b</body></message>
	juliet gets: <message id='s3'/>
	nurse sends: <presence to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence from='orchard@groups.example.org/Romeo'/>
	nurse gets: <presence from='orchard@groups.example.org/Juliet'/>
	nurse gets: <presence from='orchard@groups.example.org/Nurse'/>
	nurse gets: <message id='s3'><body>b</body><delay xmlns='urn:xmpp:delay' from='orchard@groups.example.org' stamp='*'/></message>
	nurse gets: <message type='groupchat' from='orchard@groups.example.org/Romeo'><subject>Roses</subject><never><body/></never></message>`)
	r.configure("romeo", field("changesubject", "1")+field("persistentroom", "1"))
	r.Play(`
	juliet forgets from orchard@groups.example.org
	juliet sends: <message type='groupchat' id='s4' to='orchard@groups.example.org'><subject/></message>
	juliet gets: <message id='s4'><subject/></message>`)
	// Kept over a restart, the archive too.
	r.Restart()
	r.Login("juliet/balcony")
	r.Play(`
	juliet sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><never><status code='201'/></never></x></presence>
	juliet gets: <message id='s3'><body>b</body><delay xmlns='urn:xmpp:delay'/></message>
	juliet gets: <message type='groupchat' from='orchard@groups.example.org/Juliet' id='s4'><subject/></message>`)
}

func TestHistory(t *testing.T) {
	r := verona(t)
	for _, b := range []string{"one", "two", "three"} {
		r.Play(`romeo sends: <message type='groupchat' id='` + b +
			`' to='orchard@groups.example.org'><body>` + b + `</body></message>
		romeo gets: <message id='` + b + `'/>`)
	}
	for _, c := range []struct{ history, want string }{
		{"", "one two three"},
		{"<history maxstanzas='2'/>", "two three"},
		{"<history maxstanzas='0'/>", ""},
		{"<history maxchars='0'/>", ""},
		{"<history seconds='600'/>", "one two three"},
		{"<history seconds='600' maxstanzas='1'/>", "three"},
		{"<history since='2124-01-01T00:00:00Z'/>", ""},
		{"<history since='2024-01-01T00:00:00Z'/>", "one two three"},
	} {
		r.Play(`juliet sends: <presence to='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc'>` + c.history + `</x></presence>
			juliet gets: <presence from='orchard@groups.example.org/Romeo'/>
			juliet gets: <presence from='orchard@groups.example.org/Juliet'/>`)
		got := ""
		for _, e := range r.Settled("juliet", "orchard@groups.example.org") {
			if b := e.Child("jabber:client", "body"); b != nil {
				if got != "" {
					got += " "
				}
				got += b.Text()
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", c.history, got, c.want)
		}
		r.Play(`juliet sends: <presence type='unavailable' to='orchard@groups.example.org/Juliet'/>
			juliet forgets from orchard@groups.example.org`)
	}
}

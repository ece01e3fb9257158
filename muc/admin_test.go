package muc_test

import "testing"

// admin sends one muc#admin set to the orchard.
func (r *rig) admin(actor, id, items string) {
	r.T.Helper()
	r.Play(actor + ` sends: <iq type='set' id='` + id +
		`' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'>` + items +
		`</query></iq>`)
}

func refused(actor, id, typ, condition string) string {
	return actor + ` gets: <iq type='error' id='` + id + `'><error type='` + typ + `'><` + condition +
		` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>` + "\n"
}

func TestKick(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	r.admin("juliet", "k0", `<item nick='Nurse' role='none'/>`)
	r.Play(refused("juliet", "k0", "auth", "forbidden"))
	r.admin("romeo", "k1", `<item nick='Nurse' role='none'><reason>Avaunt</reason></item>`)
	r.Play(`
	nurse gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'>
		<actor nick='Romeo'/><reason>Avaunt</reason></item><status code='307'/><status code='110'/></x></presence>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none' jid='-'/><status code='307'/></x></presence>
	romeo gets: <iq type='result' id='k1'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'/>`)
	r.admin("romeo", "k2", `<item nick='Nobody' role='none'/>`)
	r.Play(refused("romeo", "k2", "cancel", "item-not-found"))
	// She comes back; kicks are not bans. An owner is not kicked by an admin.
	r.enter("nurse")
	r.admin("romeo", "k3", `<item jid='nurse@example.org' affiliation='admin'/>`)
	r.Play(`nurse forgets from orchard@groups.example.org`)
	r.admin("nurse", "k4", `<item nick='Romeo' role='none'/>`)
	r.Play(refused("nurse", "k4", "cancel", "not-allowed"))
}

// Clients submit the whole form, so all roles are named as those whose presence is shown: a kick is shown as before.
func TestKickIsShown(t *testing.T) {
	r := verona(t)
	r.configure("romeo",
		`<field var='muc#roomconfig_presencebroadcast'><value>moderator</value><value>participant</value><value>visitor</value></field>`)
	r.enter("juliet", "nurse")
	r.admin("romeo", "k1", `<item nick='Nurse' role='none'/>`)
	r.Play(`
	romeo gets: <iq type='result' id='k1'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/><status code='307'/></x></presence>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none' jid='-'/><status code='307'/></x></presence>`)
}

func TestVoice(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("moderatedroom", "1"))
	r.enter("juliet")
	r.Play(`juliet sends: <message type='groupchat' id='v1' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message type='error' id='v1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	r.admin("romeo", "v2", `<item nick='Juliet' role='participant'/>`)
	r.Play(`juliet gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item role='participant' affiliation='none'/><status code='110'/></x></presence>
	romeo gets: <iq type='result' id='v2'/>
	romeo gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x></presence>
	juliet sends: <message type='groupchat' id='v3' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message id='v3' type='groupchat'/>
	romeo gets: <message id='v3'/>
	romeo sends: <iq type='get' id='v4' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item role='participant'/></query></iq>
	romeo gets: <iq type='result' id='v4'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Juliet' role='participant' jid='juliet@example.org/balcony'/><never><item nick='Romeo'/></never></query></iq>`)
	r.admin("romeo", "v5", `<item nick='Juliet' role='visitor'/>`)
	r.Play(`juliet gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><item role='visitor'/></x></presence>
	romeo forgets from orchard@groups.example.org`)
	r.admin("romeo", "v6", `<item nick='Juliet' role='moderator'/>`)
	r.Play(`juliet gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator' affiliation='none'/></x></presence>`)
	// A moderator who is not an admin may not take the owner's voice.
	r.admin("juliet", "v7", `<item nick='Romeo' role='visitor'/>`)
	r.Play(refused("juliet", "v7", "cancel", "not-allowed"))
}

func TestAffiliations(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	r.admin("romeo", "a1", `<item jid='juliet@example.org' affiliation='admin'/><item jid='tybalt@example.org' affiliation='member'/><item nick='Nurse' affiliation='member'/>`)
	r.Play(`
	juliet gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='admin' role='moderator'/><status code='110'/></x></presence>
	juliet gets: <message from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' jid='tybalt@example.org'/></x></message>
	juliet gets: <presence from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' jid='nurse@example.org/house'/></x></presence>
	nurse gets: <presence from='orchard@groups.example.org/Juliet'/>
	nurse gets: <presence from='orchard@groups.example.org/Nurse'/>
	romeo forgets from orchard@groups.example.org
	juliet sends: <iq type='get' id='a2' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member'/></query></iq>
	juliet gets: <iq type='result' id='a2'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='tybalt@example.org' affiliation='member'/><item jid='nurse@example.org'/></query></iq>
	nurse sends: <iq type='get' id='a3' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast'/></query></iq>
	` + refused("nurse", "a3", "auth", "forbidden"))
	// Admins do not touch owners and admins; a batch with one bad item changes nothing.
	r.admin("juliet", "a4",
		`<item jid='tybalt@example.org' affiliation='outcast'/><item jid='romeo@example.org' affiliation='none'/>`)
	r.Play(refused("juliet", "a4", "cancel", "not-allowed"))
	r.Play(`juliet sends: <iq type='get' id='a5' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast'/></query></iq>
	juliet gets: <iq type='result' id='a5'><query xmlns='http://jabber.org/protocol/muc#admin'><never><item/></never></query></iq>`)
	r.admin("juliet", "a6", `<item jid='tybalt@example.org' affiliation='owner'/>`)
	r.Play(refused("juliet", "a6", "auth", "forbidden"))
	r.admin("juliet", "a7", `<item jid='juliet@example.org' affiliation='outcast'/>`)
	r.Play(refused("juliet", "a7", "cancel", "conflict"))
	r.admin("romeo", "a8", `<item jid='romeo@example.org' affiliation='member'/>`)
	r.Play(refused("romeo", "a8", "cancel", "conflict"))
	r.admin("juliet", "a9", `<item jid='not an@address' affiliation='member'/>`)
	r.Play(refused("juliet", "a9", "modify", "jid-malformed"))
	r.admin("juliet", "a10", `<item jid='tybalt@example.org' affiliation='king'/>`)
	r.Play(refused("juliet", "a10", "modify", "bad-request"))

	// Ban somebody who is in the room and somebody who is not.
	r.admin("juliet", "b1",
		`<item jid='nurse@example.org' affiliation='outcast'><reason>Treason</reason></item><item jid='tybalt@example.org' affiliation='outcast'/>`)
	r.Play(`
	nurse gets: <presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='outcast' role='none'><actor nick='Juliet'/><reason>Treason</reason></item><status code='301'/><status code='110'/></x></presence>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><status code='301'/></x></presence>
	nurse sends: <presence id='b2' to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence type='error' id='b2'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	tybalt sends: <presence id='b3' to='orchard@groups.example.org/T'>` + x + `</presence>
	tybalt gets: <presence type='error' id='b3'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	tybalt sends: <iq type='set' id='b4' to='orchard@groups.example.org'><query xmlns='urn:xmpp:mam:2'/></iq>
	` + refused("tybalt", "b4", "auth", "forbidden"))
	// Kept: another process knows it too.
	r.Restart()
	r.Login("nurse/house", "romeo/phone")
	r.Play(`nurse sends: <presence id='b5' to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence type='error' id='b5'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
	r.admin("romeo", "b6", `<item jid='nurse@example.org' affiliation='none'/>`)
	r.Play(`romeo gets: <iq type='result' id='b6'/>`)
	r.enter("nurse")
}

func TestMembersOnly(t *testing.T) {
	r := verona(t)
	r.admin("romeo", "m0", `<item jid='juliet@example.org' affiliation='member'/>`)
	r.enter("juliet", "nurse")
	r.configure("romeo", field("membersonly", "1"))
	r.Play(`
	nurse gets: <message type='groupchat' from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>
	nurse gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/><status code='322'/><status code='110'/></x></presence>
	juliet gets: <message><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><status code='322'/></x></presence>
	nurse sends: <presence id='m1' to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence type='error' id='m1'><error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	nurse sends: <iq type='set' id='m2' to='orchard@groups.example.org'><query xmlns='urn:xmpp:mam:2'/></iq>
	` + refused("nurse", "m2", "auth", "forbidden") + `
	romeo forgets from orchard@groups.example.org`)
	r.admin("romeo", "m3", `<item jid='juliet@example.org' affiliation='none'/>`)
	r.Play(`
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><status code='321'/><status code='110'/></x></presence>
	romeo gets: <iq type='result' id='m3'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><status code='321'/></x></presence>

	nurse sends: <presence/>`)
	// An invitation by an owner makes a member.
	r.Play(`romeo sends: <message id='i2' to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='nurse@example.org'><reason>Come</reason></invite></x></message>
	nurse gets: <message from='orchard@groups.example.org' to='nurse@example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='*'><reason>Come</reason></invite></x><x xmlns='jabber:x:conference' jid='orchard@groups.example.org'/></message>
	nurse sends: <presence to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence from='orchard@groups.example.org/Romeo'/>
	nurse gets: <presence from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member'/></x></presence>`)
}

func TestInvite(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("allowinvites", "0")+field("roomsecret", "cauldronburn")+
		field("passwordprotectedroom", "1"))
	r.Play(`romeo forgets from orchard@groups.example.org
	juliet sends: <presence/>
	juliet sends: <presence id='p1' to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence type='error' id='p1'><error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	juliet sends: <presence id='p2' to='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc'><password>wrong</password></x></presence>
	juliet gets: <presence type='error' id='p2'><error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	romeo sends: <message id='i1' to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='juliet@example.org'/></x></message>
	juliet gets: <message from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='*'/><password>cauldronburn</password></x></message>
	juliet sends: <presence to='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc'><password>cauldronburn</password></x></presence>
	juliet gets: <presence from='orchard@groups.example.org/Romeo'/>
	juliet forgets from orchard@groups.example.org
	romeo forgets from orchard@groups.example.org
	juliet sends: <message id='i2' to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='nurse@example.org'/></x></message>
	juliet gets: <message type='error' id='i2'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo sends: <message to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='nurse@example.org/house'/></x></message>
	nurse gets: <message from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='*'/></x></message>
	nurse sends: <message to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><decline to='romeo@example.org'><reason>Too busy</reason></decline></x></message>
	romeo gets: <message from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><decline from='nurse@example.org'><reason>Too busy</reason></decline></x></message>
	nurse sends: <message id='i3' to='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='tybalt@example.org'/></x></message>
	nurse gets: <message type='error' id='i3'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	# A direct invitation passes by.
	juliet sends: <message to='nurse@example.org/house'><x xmlns='jabber:x:conference' jid='orchard@groups.example.org'/></message>
	nurse gets: <message from='juliet@example.org/balcony'><x xmlns='jabber:x:conference' jid='orchard@groups.example.org'/></message>`)
}

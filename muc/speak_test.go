package muc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const orchard = "orchard@groups.example.org"

// speak has an actor's session say something in the orchard without entering it. payload is that of the message.
func (r *rig) speak(actor, id, payload string, nicks ...string) (store.ID, *wire.Stanza, error) {
	r.T.Helper()
	st, err := wire.ParseStanza([]byte("<message xmlns='jabber:client' type='groupchat' id='"+id+"' to='"+orchard+"'>"+
		payload+"</message>"), wire.Limits{Stanza: 1 << 20})
	if err != nil {
		r.T.Fatal(err)
	}
	return r.svc.Speak(context.Background(), r.Clients[actor].Session.JID, nicks, st)
}

// spoken is speak for what the room takes.
func (r *rig) spoken(actor, id, payload string, nicks ...string) (store.ID, *wire.Stanza) {
	r.T.Helper()
	n, shown, err := r.speak(actor, id, payload, nicks...)
	if err != nil {
		r.T.Fatalf("%s may not say %s: %v", actor, payload, err)
	}
	return n, shown
}

// refused fails the test unless an error has this condition.
func (r *rig) refused(want stanza.Condition, err error) {
	r.T.Helper()
	if e, ok := server.Refusal(err); !ok || e.Condition != want {
		r.T.Errorf("got %v, want %s", err, want)
	}
}

func body(text string) string { return "<body>" + text + "</body>" }

func TestSpeak(t *testing.T) {
	r := verona(t)
	r.Play(`romeo forgets from ` + orchard)
	id, shown := r.spoken("juliet", "m1", body("Ay me!")+`<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='`+orchard+`' id='forged'/>`, "Juliet")
	if shown == nil || shown.From.Resource() != "Juliet" || shown.BodyText() != "Ay me!" || id == 0 ||
		shown.Element(wire.NSSID, "stanza-id").Attr("id") != id.String() {
		t.Fatalf("shown as %+v with id %s", shown, id)
	}
	r.Play(`
	romeo gets: <message type='groupchat' id='m1' from='orchard@groups.example.org/Juliet' to='romeo@example.org/phone'>
		<body>Ay me!</body><stanza-id xmlns='urn:xmpp:sid:0' by='orchard@groups.example.org' id='` + id.String() + `'/>
		<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{julietID}'/>
		<never><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' id='forged'/></never></message>
	romeo gets nothing from orchard@groups.example.org
	juliet gets nothing from orchard@groups.example.org`)
	es, _, _, err := r.Store.ReadRoom(context.Background(), "groups.example.org", "orchard",
		store.Page{IDs: []store.ID{id}, Max: 1})
	if err != nil || len(es) != 1 || es[0].Sender != "juliet@example.org" {
		t.Errorf("kept: %+v, %v", es, err)
	}

	// What is not kept has no id.
	id, shown = r.spoken("juliet", "m2", `<composing xmlns='http://jabber.org/protocol/chatstates'/>`, "Juliet")
	if id != 0 || shown == nil {
		t.Errorf("typing: %s, %v", id, shown)
	}
	r.Play(`romeo gets: <message id='m2' from='orchard@groups.example.org/Juliet'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)

	// Somebody who enters is the same person, and is not shown the presence of speakers.
	r.spoken("nurse", "m3", body("Madam!"), "Nurse")
	r.Play(`
	romeo gets: <message id='m3'/>
	juliet sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence from='orchard@groups.example.org/Romeo'/>
	juliet gets: <presence from='orchard@groups.example.org/Juliet'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{julietID}'/></presence>
	juliet gets: <message id='m1'/>
	juliet gets: <message id='m3'/>
	juliet gets: <message><subject/></message>
	romeo gets: <presence from='orchard@groups.example.org/Juliet'/>`)

	// With another client in the room the message is that occupant's.
	r.Login("web=juliet/web")
	if _, shown = r.spoken("web", "m4", body("Come hither"), "Somebody"); shown.From.Resource() != "Juliet" {
		t.Errorf("said by %s", shown.From)
	}
	r.Play(`
	juliet gets: <message id='m4' from='orchard@groups.example.org/Juliet'/>
	romeo gets: <message id='m4' from='orchard@groups.example.org/Juliet'/>
	web gets nothing from orchard@groups.example.org`)
}

func TestSpeakerNick(t *testing.T) {
	r := verona(t)
	nick := func(actor string, nicks ...string) string {
		t.Helper()
		_, shown := r.spoken(actor, "n", body("x"), nicks...)
		return shown.From.Resource()
	}
	if got := nick("juliet", "romeo", "Juliet C", "juliet"); got != "Juliet C" { // Romeo is here
		t.Errorf("juliet is %s", got)
	}
	if got := nick("nurse", "JULIET C", "\u2060", "Nurse"); got != "Nurse" {
		t.Errorf("nurse is %s", got)
	}
	r.Play(`
	tybalt sends: <presence to='orchard@groups.example.org/juliet c' id='t1'>` + x + `</presence>
	tybalt gets: <presence type='error' id='t1'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	romeo forgets from orchard@groups.example.org
	romeo sends: <presence to='orchard@groups.example.org/Paris'/>
	romeo forgets from orchard@groups.example.org`)
	if got := nick("juliet", "romeo", "Juliet C", "juliet"); got != "Juliet C" { // though her first wish is free now
		t.Errorf("juliet is %s", got)
	}
	if got := nick("juliet", "Juliet M"); got != "Juliet M" {
		t.Errorf("juliet is %s", got)
	}
	if got := nick("nurse", "Juliet C"); got != "Juliet C" {
		t.Errorf("nurse is %s", got)
	}
	_, _, err := r.speak("tybalt", "n", body("x"), "Paris", "Juliet C")
	r.refused(stanza.Conflict, err)
	_, _, err = r.speak("tybalt", "n", body("x"), "\u2060")
	r.refused(stanza.NotAcceptable, err)
}

func TestSpeakRefused(t *testing.T) {
	r := verona(t, func(c *muc.Config) {
		c.MessageSize = 1000
		c.MaxOccupants = 1
	})
	admin := func(who, affiliation string) {
		r.T.Helper()
		r.Play(`romeo sends: <iq type='set' id='a' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='` +
			who + `@example.org' affiliation='` + affiliation + `'/></query></iq>
			romeo forgets from orchard@groups.example.org`)
	}
	say := func(actor string) error {
		_, _, err := r.speak(actor, "m", body("x"), actor)
		return err
	}
	r.refused(stanza.ServiceUnavailable, say("juliet")) // the room is full
	admin("juliet", "member")
	admin("tybalt", "outcast")
	r.refused(stanza.Forbidden, say("tybalt"))
	r.configure("romeo", field("membersonly", "1"))
	r.refused(stanza.RegistrationRequired, say("nurse"))
	r.configure("romeo", field("membersonly", "0")+field("maxusers", "")+field("passwordprotectedroom", "1")+
		field("roomsecret", "rose"))
	r.refused(stanza.NotAuthorized, say("juliet"))

	_, _, err := r.speak("romeo", "m", body(strings.Repeat("x", 1000)), "Romeo")
	r.refused(stanza.PolicyViolation, err)
	for _, to := range []string{"nowhere@groups.example.org", "groups.example.org", orchard + "/Romeo"} {
		st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", To: jid.MustParse(to)}
		_, _, err := r.svc.Speak(context.Background(), r.Clients["romeo"].Session.JID, []string{"Romeo"}, st)
		want := stanza.BadRequest
		if to == "nowhere@groups.example.org" {
			want = stanza.ItemNotFound
		}
		r.refused(want, err)
	}
	st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", To: jid.MustParse(orchard)}
	_, _, err = r.svc.Speak(context.Background(), jid.MustParse("romeo@example.org/gone"), []string{"Romeo"}, st)
	r.refused(stanza.BadRequest, err)
}

func TestSpeakLocked(t *testing.T) {
	r := newRig(t)
	r.User("romeo", "juliet")
	r.Login("romeo/phone", "juliet/balcony")
	r.Play(`romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo forgets from orchard@groups.example.org`)
	_, _, err := r.speak("juliet", "m", body("x"), "Juliet")
	r.refused(stanza.ItemNotFound, err)
}

func TestSpeakModerated(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("moderatedroom", "1"))
	_, _, err := r.speak("juliet", "m1", body("x"), "Juliet")
	r.refused(stanza.Forbidden, err)
	_, _, err = r.speak("juliet", "m2", "<subject>Roses</subject>", "Juliet")
	r.refused(stanza.Forbidden, err)
	r.configure("romeo", field("moderatedroom", "0")+field("changesubject", "1"))
	id, _ := r.spoken("juliet", "m3", "<subject>Roses</subject>", "Juliet")
	if id == 0 {
		t.Error("the subject is not kept")
	}
	r.Play(`
	romeo forgets from orchard@groups.example.org
	nurse sends: <presence to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence from='orchard@groups.example.org/Romeo'/>
	nurse gets: <presence from='orchard@groups.example.org/Nurse'/>
	nurse gets: <message from='orchard@groups.example.org/Juliet' id='m3'><subject>Roses</subject></message>`)
}

func TestSpeakPace(t *testing.T) {
	r := verona(t, func(c *muc.Config) {
		c.MessageRate = 1
		c.MessageBurst = 3
	})
	at := time.Now()
	say := func() error {
		st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", To: jid.MustParse(orchard), At: at}
		_, _, err := r.svc.Speak(context.Background(), r.Clients["juliet"].Session.JID, []string{"Juliet"},
			st.Add(wire.T(wire.NSClient, "body", "x")))
		return err
	}
	for range 3 {
		if err := say(); err != nil {
			t.Fatal(err)
		}
	}
	r.refused(stanza.PolicyViolation, say())
	r.Play(`romeo forgets from orchard@groups.example.org`)
	r.enter("juliet") // nobody gets a new pace by entering
	r.refused(stanza.PolicyViolation, say())
	at = at.Add(time.Second)
	if err := say(); err != nil {
		t.Error(err)
	}
}

func TestSpeakRetracts(t *testing.T) {
	r := verona(t)
	r.enter("juliet")
	r.Play(`
	juliet sends: <message type='groupchat' id='m1' to='orchard@groups.example.org'><body>I take thee at thy word</body></message>
	juliet gets: <message id='m1'><stanza-id xmlns='urn:xmpp:sid:0' id='{m1}'/></message>
	romeo gets: <message id='m1'/>
	romeo sends: <message type='groupchat' id='m2' to='orchard@groups.example.org'><body>Call me but love</body></message>
	juliet sends: <presence type='unavailable' to='orchard@groups.example.org/Juliet'/>
	juliet forgets from orchard@groups.example.org
	romeo forgets from orchard@groups.example.org`)
	es, _, _, err := r.Store.ReadRoom(context.Background(), "groups.example.org", "orchard", store.Page{Max: 10})
	if err != nil || len(es) != 2 {
		t.Fatalf("%d messages: %v", len(es), err)
	}
	retract := func(id store.ID) string {
		return "<retract xmlns='urn:xmpp:message-retract:1' id='" + id.String() + "'/>"
	}
	_, _, err = r.speak("juliet", "r1", retract(es[1].ID), "Juliet")
	r.refused(stanza.Forbidden, err)
	r.spoken("juliet", "r2", retract(es[0].ID)+"<store xmlns='urn:xmpp:hints'/>", "Juliet")
	r.Play(`romeo gets: <message id='r2'><retract xmlns='urn:xmpp:message-retract:1' id='` + es[0].ID.String() + `'/></message>`)
	es, _, _, err = r.Store.ReadRoom(context.Background(), "groups.example.org", "orchard",
		store.Page{IDs: []store.ID{es[0].ID}, Max: 1})
	if err != nil || len(es) != 1 || strings.Contains(string(es[0].Stanza), "thy word") {
		t.Errorf("left: %s, %v", es[0].Stanza, err)
	}
}

func TestModerateFromOutside(t *testing.T) {
	r := verona(t)
	ctx, room := context.Background(), jid.MustParse(orchard)
	id, _ := r.spoken("tybalt", "m1", body("villain"), "Tybalt")
	moderate := func(actor string, id string) error {
		return r.svc.Moderate(ctx, r.Clients[actor].Session.JID, room, id, "rude", "The Nurse")
	}
	r.refused(stanza.Forbidden, moderate("nurse", id.String()))
	r.Play(`romeo sends: <iq type='set' id='a' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='nurse@example.org' affiliation='admin'/></query></iq>
	romeo forgets from orchard@groups.example.org`)
	r.refused(stanza.ItemNotFound, moderate("nurse", "0000000000000"))
	r.refused(stanza.BadRequest, moderate("nurse", ""))
	if err := moderate("nurse", id.String()); err != nil {
		t.Fatal(err)
	}
	r.Play(`romeo gets: <message type='groupchat' from='orchard@groups.example.org'><retract xmlns='urn:xmpp:message-retract:1' id='` +
		id.String() + `'><moderated xmlns='urn:xmpp:message-moderate:1' by='orchard@groups.example.org/The Nurse'/><reason>rude</reason></retract></message>
	romeo gets nothing from orchard@groups.example.org`)
	nurse := r.Clients["nurse"].Session.JID
	err := r.svc.Moderate(ctx, nurse, jid.MustParse("nowhere@groups.example.org"), id.String(), "")
	r.refused(stanza.ItemNotFound, err)

	// She puts people out, too.
	err = r.svc.Kick(ctx, nurse, room, jid.MustParse("tybalt@example.org"), "rude")
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	r.enter("tybalt")
	refused := r.svc.Kick(ctx, r.Clients["tybalt"].Session.JID, room, jid.MustParse("romeo@example.org"), "")
	r.refused(stanza.Forbidden, refused)
	r.refused(stanza.NotAllowed, r.svc.Kick(ctx, nurse, room, jid.MustParse("romeo@example.org"), ""))
	if err := r.svc.Kick(ctx, nurse, room, jid.MustParse("tybalt@example.org"), "rude", "The Nurse"); err != nil {
		t.Error(err)
	}
	r.Play(`tybalt gets: <presence type='unavailable' from='orchard@groups.example.org/Tybalt'>
		<x xmlns='http://jabber.org/protocol/muc#user'><item role='none'><actor nick='The Nurse'/><reason>rude</reason></item>
		<status code='110'/><status code='307'/></x></presence>`)
}

// TestSpeakAtOnce has many people speak at the same time: each is told of its own message.
func TestSpeakAtOnce(t *testing.T) {
	r := verona(t)
	const n = 40
	r.Crowd(n)
	errs := make(chan error, n)
	for i := range n {
		go func() {
			who := fmt.Sprint("u", i)
			_, shown, err := r.speak(who, who, body(who), who)
			if err == nil && shown.BodyText() != who {
				err = fmt.Errorf("%s is told of %s", who, shown.BodyText())
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

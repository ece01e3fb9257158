package muc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/muc"
	"parley/store"
	"parley/wire"
)

func TestCreate(t *testing.T) {
	r := newRig(t, func(c *muc.Config) { c.Create = "admins" })
	r.User("!prince", "romeo", "juliet")
	r.Login("prince/palace", "romeo/phone", "juliet/balcony")
	r.Play(`
	romeo sends: <presence id='c1' to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence type='error' id='c1' from='orchard@groups.example.org/Romeo'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	prince sends: <presence to='orchard@groups.example.org/Prince'>` + x + `</presence>
	prince gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/><status code='201'/><status code='110'/></x></presence>
	prince gets: <message><subject/></message>
	# Locked: as if it were not there.
	romeo sends: <presence id='c2' to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence type='error' id='c2'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
	prince sends: <iq type='get' id='c3' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>
	prince gets: <iq type='result' id='c3'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roomconfig</value></field>
		<field var='muc#roomconfig_roomname'/><field var='muc#roomconfig_roomdesc'/><field var='muc#roomconfig_persistentroom' type='boolean'/><field var='muc#roomconfig_publicroom'/>
		<field var='muc#roomconfig_membersonly'/><field var='muc#roomconfig_moderatedroom'/><field var='muc#roomconfig_passwordprotectedroom'/><field var='muc#roomconfig_roomsecret' type='text-private'/>
		<field var='muc#roomconfig_whois' type='list-single'/><field var='muc#roomconfig_changesubject'/><field var='muc#roomconfig_allowinvites'/><field var='muc#roomconfig_allowpm'/>
		<field var='muc#roomconfig_enablelogging'/><field var='muc#roomconfig_maxusers'/></x></query></iq>
	romeo sends: <iq type='get' id='c4' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>
	` + refused("romeo", "c4", "cancel", "item-not-found"))
	// Cancelled: the room is gone, and can be made again.
	r.Play(`prince sends: <iq type='set' id='c5' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='cancel'/></query></iq>
	prince gets: <presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><destroy/></x></presence>
	prince gets: <iq type='result' id='c5'/>
	prince sends: <presence to='orchard@groups.example.org/Prince'>` + x + `</presence>
	prince gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><status code='201'/></x></presence>
	prince gets: <message><subject/></message>`)
	r.configure("prince", field("roomname", "The Orchard")+field("whois", "anyone"))
	r.Play(`prince gets: <iq type='result' id='cfg'/>
	prince gets: <message type='groupchat'><x xmlns='http://jabber.org/protocol/muc#user'><status code='172'/><status code='104'/></x></message>
	romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence from='orchard@groups.example.org/Prince'><x xmlns='http://jabber.org/protocol/muc#user'><item jid='prince@example.org/palace'/></x></presence>
	romeo gets: <presence from='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><status code='100'/></x></presence>`)
}

func TestConfigure(t *testing.T) {
	r := verona(t)
	r.enter("juliet")
	for _, c := range []struct{ fields, codes string }{
		{field("roomname", "Capulet's Orchard"), "<status code='104'/><never><status code='172'/></never>"},
		{field("whois", "anyone"), "<status code='172'/>"},
		{field("whois", "moderators"), "<status code='173'/>"},
		{field("enablelogging", "0"), "<status code='171'/>"},
		{field("enablelogging", "1"), "<status code='170'/>"},
	} {
		r.configure("romeo", c.fields)
		r.Play(`romeo gets: <iq type='result' id='cfg'/>
		romeo gets: <message type='groupchat' from='orchard@groups.example.org'><x xmlns='http://jabber.org/protocol/muc#user'>` + c.codes + `</x></message>
		juliet gets: <message type='groupchat'><x xmlns='http://jabber.org/protocol/muc#user'>` +
			c.codes + `</x></message>`)
	}
	for _, bad := range []string{
		field("whois", "nobody"), field("persistentroom", "perhaps"), field("maxusers", "-1"),
		field("passwordprotectedroom", "1"),
	} {
		r.configure("romeo", bad)
		r.Play(refused("romeo", "cfg", "modify", "not-acceptable"))
	}
	r.configure("juliet", field("roomname", "x"))
	r.Play(refused("juliet", "cfg", "auth", "forbidden"))
	r.configure("romeo", field("maxusers", "10")+field("presencebroadcast", "moderator"))
	r.Play(`romeo forgets from orchard@groups.example.org
	juliet forgets from orchard@groups.example.org
	# Participants are not shown any more.
	nurse sends: <presence to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence from='orchard@groups.example.org/Romeo'/>
	nurse gets: <presence from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	romeo gets nothing from orchard@groups.example.org
	juliet gets nothing from orchard@groups.example.org`)
}

func TestMaxUsers(t *testing.T) {
	r := verona(t, func(c *muc.Config) { c.MaxOccupants = 2 })
	r.enter("juliet")
	r.Play(`nurse sends: <presence id='f' to='orchard@groups.example.org/Nurse'>` + x + `</presence>
	nurse gets: <presence type='error' id='f'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
}

func TestRate(t *testing.T) {
	r := verona(t, func(c *muc.Config) { c.MessageRate, c.MessageBurst, c.MessageSize = 1, 2, 2000 })
	r.enter("juliet")
	r.Play(`juliet sends: <message type='groupchat' id='r1' to='orchard@groups.example.org'><body>1</body></message>
	juliet sends: <message type='groupchat' id='r2' to='orchard@groups.example.org'><body>2</body></message>
	juliet sends: <message type='groupchat' id='r3' to='orchard@groups.example.org'><body>3</body></message>`)
	errors := 0
	for _, e := range r.Settled("juliet", "orchard@groups.example.org") {
		if e.Attr("type") == "error" && e.Child("jabber:client", "error").Attr("type") == "wait" {
			errors++
		}
	}
	if errors != 1 {
		t.Errorf("%d messages were too fast, not 1", errors)
	}
	big := make([]byte, 3000)
	for i := range big {
		big[i] = 'x'
	}
	r.Play(`romeo forgets from orchard@groups.example.org
	romeo sends: <message type='groupchat' id='big' to='orchard@groups.example.org'><body>` +
		string(big) + `</body></message>
	romeo gets: <message type='error' id='big'><error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
}

// A writer who keeps to the pace may write even if the room gets the messages all at once, after a stall of the store.
func TestRateIsOfWhenItWasReceived(t *testing.T) {
	r := verona(t, func(c *muc.Config) { c.MessageRate, c.MessageBurst = 1, 2 })
	r.enter("juliet")
	began := time.Now().Add(-time.Minute)
	for i := range 30 {
		r.Clients["juliet"].SendsAt(fmt.Sprintf("<message type='groupchat' id='r%d' to='orchard@groups.example.org'>"+
			"<body>%d</body></message>", i, i), began.Add(time.Duration(i)*time.Second))
	}
	n := 0
	for _, e := range r.Settled("juliet", "orchard@groups.example.org") {
		switch e.Attr("type") {
		case "error":
			t.Errorf("%s is too fast", e.Attr("id"))
		case "groupchat":
			n++
		}
	}
	if n < 30 {
		t.Errorf("%d of 30 messages are there", n)
	}
}

func TestDestroy(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("persistentroom", "1"))
	r.enter("juliet")
	r.Play(`
	romeo sends: <message type='groupchat' id='old' to='orchard@groups.example.org'><body>a secret</body></message>
	romeo gets: <message id='old'/>
	juliet gets: <message id='old'/>
	juliet sends: <iq type='set' id='d0' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query></iq>
	` + refused("juliet", "d0", "auth", "forbidden") + `
	romeo sends: <iq type='set' id='d1' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='tomb@groups.example.org'><reason>Morning</reason></destroy></query></iq>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><destroy jid='tomb@groups.example.org'><reason>Morning</reason></destroy></x></presence>
	romeo gets: <iq type='result' id='d1'/>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><destroy jid='tomb@groups.example.org'/></x></presence>
	juliet sends: <message type='groupchat' id='d2' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message type='error' id='d2'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>

	# Made anew by another: neither its past nor its owner.
	juliet sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/><status code='201'/></x></presence>
	juliet gets: <message><subject/></message>
	juliet sends: <iq type='set' id='d3' to='orchard@groups.example.org'><query xmlns='urn:xmpp:mam:2'/></iq>
	juliet gets: <iq type='result' id='d3'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>
	romeo sends: <presence id='d4' to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence type='error' id='d4'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
}

func TestTemporary(t *testing.T) {
	r := verona(t)
	r.Play(`
	romeo sends: <presence type='unavailable' to='orchard@groups.example.org/Romeo'/>
	romeo gets: <presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
	juliet sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/><status code='201'/></x></presence>`)
}

func TestTakenOver(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("persistentroom", "1"))
	r.enter("juliet")
	// Another node takes the room: a message sent here is not kept, so it is not shown.
	if _, err := r.Store.TakeRoom(context.Background(), "groups.example.org", "orchard"); err != nil {
		t.Fatal(err)
	}
	r.Play(`romeo sends: <message type='groupchat' id='t1' to='orchard@groups.example.org'><body>x</body></message>
	romeo gets: <message type='error' id='t1'><error type='wait'/></message>`)
	// The room is loaded again and goes on.
	r.Play(`romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo gets: <presence from='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/><status code='110'/></x></presence>
	romeo gets: <message><subject/></message>
	romeo sends: <message type='groupchat' id='t2' to='orchard@groups.example.org'><body>y</body></message>
	romeo gets: <message type='groupchat' id='t2'/>
	juliet gets nothing from orchard@groups.example.org`)
	es, _, _, err := r.Store.ReadRoom(context.Background(), "groups.example.org", "orchard", store.Page{Max: 10})
	if err != nil || len(es) != 1 {
		t.Errorf("%d entries, %v", len(es), err)
	}
}

// A room that restarts puts everyone out and can be entered again: nobody's affiliation has changed. What it was about
// to say is said and kept.
func TestRoomRestarts(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("persistentroom", "1"))
	r.enter("juliet")
	r.svc.PostLoaded("orchard", func(ctx context.Context, room *muc.Room) {
		st, err := wire.ParseStanza([]byte("<message xmlns='jabber:client' type='groupchat' id='w1' from='"+orchard+
			"'><body>Wait</body></message>"), wire.Limits{Stanza: 1 << 20})
		if err != nil {
			t.Error(err)
			return
		}
		room.Post(st)
		room.Restart(ctx)
	})
	gone := func(affiliation string) string {
		return `<presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='` +
			affiliation + `' role='none'/><status code='110'/><status code='307'/><status code='333'/></x></presence>`
	}
	r.Play(`juliet gets: <message type='groupchat' id='w1'><body>Wait</body></message>
	juliet gets: ` + gone("none") + `
	romeo gets: <message type='groupchat' id='w1'/>
	romeo gets: ` + gone("owner") + `
	juliet sends: <presence to='orchard@groups.example.org/Juliet'>` + x + `</presence>
	juliet gets: <presence from='orchard@groups.example.org/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><never><status code='201'/></never></x></presence>
	juliet gets: <message id='w1'><body>Wait</body><delay xmlns='urn:xmpp:delay'/></message>
	juliet gets: <message><subject/></message>
	juliet sends: <message type='groupchat' id='w2' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message type='groupchat' id='w2'/>`)
}

// TestLoadTogether: many people who enter a room that is not in memory at the same moment find one room.
func TestLoadTogether(t *testing.T) {
	r := verona(t)
	r.configure("romeo", field("persistentroom", "1"))
	for range 5 {
		r.Restart()
		r.Login("romeo/phone", "juliet/balcony", "nurse/house", "tybalt/street")
		done := make(chan struct{}, 4)
		for _, a := range []string{"romeo", "juliet", "nurse", "tybalt"} {
			go func() {
				r.Clients[a].Sends(`<presence to='orchard@groups.example.org/` + a + `'>` + x + `</presence>`)
				r.Clients[a].Sends(`<message type='groupchat' id='` + a +
					`' to='orchard@groups.example.org'><body>x</body></message>`)
				done <- struct{}{}
			}()
		}
		for range 4 {
			<-done
		}
		for _, a := range []string{"romeo", "juliet", "nurse", "tybalt"} {
			for _, e := range r.Settled(a, "orchard@groups.example.org") {
				if e.Attr("type") == "error" {
					t.Errorf("%s gets %s", a, e.AppendXML(nil, ""))
				}
			}
		}
		if es, _, _, err := r.Store.ReadRoom(context.Background(), "groups.example.org", "orchard",
			store.Page{Max: 100}); err != nil || len(es)%4 != 0 {
			t.Errorf("%d messages are kept, %v", len(es), err)
		}
	}
}

func TestGhost(t *testing.T) {
	r := verona(t)
	r.enter("juliet", "nurse")
	// A client's stream is gone without a word: a bounced stanza takes the client out.
	c := r.Clients["nurse"]
	c.Shut()
	r.Play(`romeo sends: <message type='groupchat' id='g1' to='orchard@groups.example.org'><body>x</body></message>
	juliet gets: <message id='g1'/>
	juliet gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'><x xmlns='http://jabber.org/protocol/muc#user'><status code='333'/></x></presence>
	# A bounce of what the room has sent does it too.
	juliet sends: <message type='error' id='g1' to='orchard@groups.example.org/Romeo'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo gets: <message id='g1'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Nurse'/>
	romeo gets: <presence type='unavailable' from='orchard@groups.example.org/Juliet'/>`)
}

func TestIdle(t *testing.T) {
	r := newRig(t, func(c *muc.Config) { c.Idle = 40 * time.Millisecond })
	r.User("romeo")
	r.Login("romeo/phone")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.svc.Run(ctx) }()
	r.Play(`
	romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo forgets from orchard@groups.example.org`)
	r.configure("romeo", field("persistentroom", "1"))
	r.Play(`romeo sends: <presence type='unavailable' to='orchard@groups.example.org/Romeo'/>
	romeo forgets from orchard@groups.example.org`)
	epoch := func() int64 {
		row, err := r.Store.Room(ctx, "groups.example.org", "orchard")
		if err != nil {
			t.Fatal(err)
		}
		return row.Epoch
	}
	// Out of memory and in again is another epoch.
	deadline := time.After(time.Minute)
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	for was := epoch(); epoch() == was; {
		select {
		case <-tick.C:
			r.Settled("romeo", "orchard@groups.example.org")
		case <-deadline:
			t.Fatal("an empty room stays in memory")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestMaxPeople: a free room's list of people ends somewhere, whoever adds to it.
func TestMaxPeople(t *testing.T) {
	r := newRig(t, func(c *muc.Config) { c.MaxPeople = 2 })
	r.User("romeo", "juliet")
	r.Login("romeo/phone")
	r.Login("juliet/phone")
	r.Play(`
	romeo sends: <presence to='orchard@groups.example.org/Romeo'>` + x + `</presence>
	romeo forgets from orchard@groups.example.org`)
	r.configure("romeo", field("persistentroom", "1"))
	r.Play(`
	romeo forgets from orchard@groups.example.org
	romeo sends: <iq type='set' id='1' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='a@example.org' affiliation='member'/><item jid='b@example.org' affiliation='member'/></query></iq>
	romeo gets: <iq type='error' id='1'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
	romeo sends: <iq type='set' id='2' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='a@example.org' affiliation='member'/></query></iq>
	romeo forgets from orchard@groups.example.org
	juliet sends: <iq type='set' id='3' to='orchard@groups.example.org'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'><value>Juliet</value></field></x></query></iq>
	juliet gets: <iq type='error' id='3'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
	romeo sends: <iq type='set' id='4' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='a@example.org' affiliation='outcast'/></query></iq>
	romeo forgets from orchard@groups.example.org
	romeo sends: <iq type='set' id='5' to='orchard@groups.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='a@example.org' affiliation='none'/></query></iq>
	romeo forgets from orchard@groups.example.org
	juliet sends: <iq type='set' id='6' to='orchard@groups.example.org'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'><value>Juliet</value></field></x></query></iq>
	juliet gets: <iq type='result' id='6'/>`)
}

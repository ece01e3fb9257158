package testrig_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/auth"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/testrig"
	"parley/transfer"
	"parley/wire/jid"
)

// A fresh parley imports an account exported by parley, and nothing is missing.
func TestExportLosesNothing(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, nil)}
	from := p.rig
	from.Account("romeo", "juliet")
	st, ctx := from.Node.Store, t.Context()
	const day = 24 * time.Hour
	at := time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)
	var err error
	p.check(st.SetRetention(ctx, testrig.Host,
		"romeo", func(r *store.Retention) { r.Set, r.Own = store.Forever, 7*day }))
	p.check(st.SetQuietHours(ctx, testrig.Host, "romeo", store.QuietHours{
		On:    true,
		From:  22*60 + 30,
		To:    7 * 60,
		Days:  1<<time.Monday | 1<<time.Friday,
		Zone:  "Asia/Kathmandu",
		Until: time.Now().Add(day).UTC().Truncate(time.Second),
	}))
	p.check(st.SetDigest(ctx, testrig.Host, store.Digest{Owner: "romeo", Every: store.DigestWeekly, Due: at}))
	p.check(st.SetLastSeen(ctx, testrig.Host, "romeo", at, "to <bed>"))
	p.check(st.SetDisplayed(ctx, testrig.Host, "romeo", 100,
		store.Displayed{Chat: "r@groups.example.org", ID: store.FirstID(at) + 7, Marked: store.FirstID(at) + 9}))
	p.check(st.SaveMessage(ctx, store.SavedMessage{Host: testrig.Host, Owner: "romeo", ID: store.FirstID(at) + 9,
		Chat: "r@groups.example.org", Message: store.FirstID(at) + 7}, 9))
	keys, err := auth.NewKeys("abcd-efgh-ijkl-mnop-qrst", 4096)
	p.check(err)
	kept, err := keys.MarshalBinary()
	p.check(err)
	p.check(st.AddAppPassword(ctx, testrig.Host, "romeo", store.AppPassword{
		ID:      "0rs6a2t0yyjgj",
		Name:    "mail on 'phone'",
		Keys:    kept,
		Created: at,
		Used:    at.Add(day),
	}, 9))
	// A group, whose room is bookmarked, and which is not the account's own.
	_, err = from.Node.Org.CreateGroup(ctx, acts.System, testrig.Host, newGroup("Friends", "juliet", "romeo"))
	p.check(err)
	_, err = from.Node.Org.CreateGroup(ctx, acts.System, testrig.Host,
		org.NewGroup{Name: "Plot", Kind: org.Private, Owner: jid.MustParse("romeo@" + testrig.Host)})
	p.check(err)
	from.Run(t, `
romeo signs in
romeo sends: <iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='juliet@example.org' name='J'><group>Capulets</group></item></query></iq>
romeo gets: <iq type='result' id='1'/>
romeo sends: <presence type='subscribed' to='nurse@c.example'/>
romeo sends: <presence type='subscribe' to='juliet@example.org'/>
romeo sends: <iq type='set' id='2'><query xmlns='jabber:iq:private'><e xmlns='x:y' a='b'>text</e></query></iq>
romeo gets: <iq type='result' id='2'/>
romeo sends: <iq type='set' id='3'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@c.example'/></block></iq>
romeo gets: <iq type='result' id='3'/>
romeo sends: <iq type='set' id='5'><vCard xmlns='vcard-temp'><FN>Romeo</FN><NOTE>x</NOTE></vCard></iq>
romeo gets: <iq type='result' id='5'/>
romeo sends: <iq type='set' id='6'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='b@c.example'><conference xmlns='urn:xmpp:bookmarks:1' name='B' autojoin='true'><nick>R</nick><password>p</password><extensions><x xmlns='e:e'/></extensions></conference></item></publish></pubsub></iq>
romeo gets: <iq type='result' id='6'/>
romeo sends: <iq type='set' id='7'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mds:displayed:0'><item id='juliet@example.org'><displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@example.org' id='x'/></displayed></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#max_items'><value>max</value></field><field var='pubsub#access_model'><value>whitelist</value></field></x></publish-options></pubsub></iq>
romeo gets: <iq type='result' id='7'/>
romeo sends: <iq type='set' id='8'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:omemo:2:devices'><item id='current'><devices xmlns='urn:xmpp:omemo:2'><device id='1'/></devices></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub></iq>
romeo gets: <iq type='result' id='8'/>
romeo sends: <message to='juliet@example.org' type='chat' id='m1'><body>Good &amp; night</body></message>
romeo sends: <message to='romeo@example.org' type='chat' id='m2'><body>to myself</body></message>
romeo sends: <iq type='set' id='4'><prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@c.example</jid></always><never/></prefs></iq>
romeo gets: <iq type='result' id='4'/>
`)
	define := func(r *testrig.Rig, name, kind string, choices ...string) {
		c := people.FieldChange{Name: &name, Kind: &kind, Choices: &choices}
		_, err := r.Node.People(testrig.Host).CreateField(ctx, people.System, "", c)
		p.check(err)
	}
	for _, name := range []string{"Extension", "Motto", "Hobby"} {
		define(from, name, store.FieldText)
	}
	_, _, err = st.UpdatePerson(ctx, testrig.Host, "romeo", func(p *store.Person) error {
		p.Fields = map[string]string{"extension": "0042", "motto": "Love & <war>", "hobby": "night walks"}
		p.FullName, p.Email, p.Phone, p.Title, p.Department, p.Lang, p.Role = "Romeo & Co", "romeo@montague.example",
			"+39 045", "Heir", "Été", "fr", store.RoleSupervisor
		p.Shown = store.Shown{Phone: store.ShownToTeam, Email: store.ShownToAdmins}
		return nil
	})
	p.check(err)
	_, err = st.UpdateContact(ctx, testrig.Host, "romeo", "abbot@c.example",
		100, func(c *store.Contact) (bool, error) { c.Approved = true; return false, nil })
	p.check(err)
	p.check(st.SetSecondFactor(ctx, testrig.Host, "romeo",
		store.SecondFactor{Secret: "NEVERNEVER234567", Confirmed: true}))
	export := func(r *testrig.Rig, h string) []byte {
		var b bytes.Buffer
		all := func(*server.Host, string) bool { return true }
		p.check(transfer.Exporter{Store: r.Node.Store, Archive: true, Passwords: true}.Write(ctx, &b,
			[]*server.Host{r.Node.Host(h)}, all))
		return b.Bytes()
	}
	one := export(from, testrig.Host)
	for _, want := range []string{
		"email='romeo@montague.example'", "department='Été'", "lang='fr'", "shown-email='admins'", "shown-phone='team'",
		"retention='forever'",
		"<quiet-hours on='true' from='22:30' to='07:00' days='mon fri' time-zone='Asia/Kathmandu' paused-until='2",
		"own-retention='604800'", "digest='weekly'", "last-status='to &lt;bed&gt;'",
		"<approved jid='abbot@c.example'/>", "<saved chat='r@groups.example.org'",
		"<displayed chat='r@groups.example.org'",
		"name='mail on &apos;phone&apos;'", " id='friends@groups.example.org'", "<body>Good &amp; night</body>",
		"<body>to myself</body>", "from='romeo@example.org' type='subscribe'", "node='urn:xmpp:mds:displayed:0'",
		"<extensions", "role='supervisor'", "<field key='extension'>0042</field>",
		"<field key='motto'>Love &amp; &lt;war&gt;</field>",
	} {
		if !bytes.Contains(one, []byte(want)) {
			t.Errorf("no %s in\n%s", want, one)
		}
	}
	if bytes.Contains(one, []byte("<x-extension")) {
		t.Error("what the organization says of him is in the file as his own card")
	}
	if bytes.Contains(one, []byte("NEVERNEVER")) {
		t.Error("the second factor is in the file")
	}
	to := testrig.Start(t, nil)
	define(to, "Extension", store.FieldNumber)
	define(to, "Motto", store.FieldText)
	report, err := (&transfer.Importer{
		Host:   to.Node.Host,
		Config: transfer.Config{Store: to.Node.Store, Iterations: 4096},
	}).Read(ctx, bytes.NewReader(one))
	p.check(err)
	problems := strings.Join(report.Problems, "\n")
	if len(report.Problems) != 2 || !strings.Contains(problems, "was supervisor on the server that it comes from") ||
		!strings.Contains(problems, `its value of the profile field "hobby" is left out: there is no such field here`) {
		t.Errorf("%q", report.Problems)
	}
	// Element by element; in which order attributes stand says nothing.
	elements := func(file []byte) (es []string) {
		for _, e := range strings.Split(strings.ReplaceAll(string(file), "\n", ""), ">") {
			words := strings.Fields(strings.TrimSuffix(e, "/"))
			slices.Sort(words)
			es = append(es, strings.Join(words, " "))
		}
		return es
	}
	again, was := elements(export(to, testrig.Host)),
		elements(without(one, " role='supervisor'", "<field key='hobby'>night walks</field>"))
	for i := range min(len(was), len(again)) {
		if was[i] != again[i] {
			t.Fatalf("it was\n%s\nand is\n%s", strings.Join(was[max(0, i-3):min(i+5, len(was))], ">"),
				strings.Join(again[max(0, i-3):min(i+5, len(again))], ">"))
		}
	}
	if len(was) != len(again) {
		t.Errorf("%d and %d elements", len(was), len(again))
	}
	ps, err := to.Node.Store.AppPasswords(ctx, testrig.Host, "romeo")
	p.check(err)
	if len(ps) != 1 || !bytes.Equal(ps[0].Keys, kept) || !ps[0].Created.Equal(at) || !ps[0].Used.Equal(at.Add(day)) {
		t.Errorf("%+v", ps)
	}
	if u, err := to.Node.Store.Person(ctx, testrig.Host, "romeo"); err != nil || u.Role != store.RoleMember || u.Admin {
		t.Errorf("a file gives rights: %+v, %v", u, err)
	}
	bs, err := to.Node.Store.Bookmarks(ctx, testrig.Host, "romeo")
	p.check(err)
	if !slices.ContainsFunc(bs, func(b store.Bookmark) bool { return b.Room == "friends@groups.example.org" }) {
		t.Errorf("%+v", bs)
	}
	// A value that is impossible for a field of another kind is left out and reported.
	other := testrig.Start(t, nil)
	for _, name := range []string{"Extension", "Hobby"} {
		define(other, name, store.FieldText)
	}
	define(other, "Motto", store.FieldChoice, "Peace")
	report, err = (&transfer.Importer{
		Host:   other.Node.Host,
		Config: transfer.Config{Store: other.Node.Store, Iterations: 4096},
	}).Read(ctx, bytes.NewReader(one))
	p.check(err)
	if problems := strings.Join(report.Problems, "\n"); !strings.Contains(problems,
		`"motto" is left out: Motto is one of: Peace`) {
		t.Errorf("%s", problems)
	}
	if u, err := other.Node.Store.Person(ctx, testrig.Host, "romeo"); err != nil ||
		!maps.Equal(u.Fields, map[string]string{"extension": "0042", "hobby": "night walks"}) {
		t.Errorf("%+v, %v", u.Fields, err)
	}
	// He signs in with the password he had.
	to.Run(t, "romeo signs in\nromeo sends: <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>\n"+
		"romeo gets: <iq type='result' id='1'/>\n")
}

// without is a file without these texts.
func without(file []byte, texts ...string) []byte {
	for _, text := range texts {
		file = bytes.Replace(file, []byte(text), nil, 1)
	}
	return file
}

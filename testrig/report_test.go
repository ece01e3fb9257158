package testrig_test

import (
	"fmt"
	"testing"

	"parley/store"
	"parley/testrig"
)

// A person's report about somebody whom they block is kept for administrators, with the messages that it names
// (XEP-0377).
func TestReport(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, nil)}
	p.rig.Account("romeo", "juliet")
	p.juliet = p.signIn("juliet", "")
	romeo := p.signIn("romeo", "")
	p.check(romeo.Write("<presence/>"))
	p.ask(romeo, "get", "<ping xmlns='urn:xmpp:ping'/>")
	p.says("1", "<body>Buy now</body>")
	id := ""
	for id == "" {
		e, err := romeo.Next()
		p.check(err)
		if s := e.Find("stanza-id"); s != nil {
			id = s.Attr("id")
		}
	}
	block := "<block xmlns='urn:xmpp:blocking'><item jid='juliet@example.org'>" +
		"<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='romeo@example.org' id='%s'/><stanza-id xmlns='urn:xmpp:sid:0' " +
		"by='juliet@example.org' id='%[1]s'/><text>Never came through the capulets</text></report></item>" +
		"<item jid='tybalt@example.org'/></block>"
	if e := p.ask(romeo, "set", fmt.Sprintf(block, id)); e.Attr("type") != "result" {
		t.Fatalf("%s", e)
	}
	rs, err := p.rig.Node.Store.Reports(t.Context(), testrig.Host, 0, 10)
	p.check(err)
	if len(rs) != 1 {
		t.Fatalf("%+v", rs)
	}
	want, _ := store.ParseID(id)
	if r := rs[0]; r.Reporter != "romeo" || r.Who != "juliet@example.org" || r.Reason != "spam" ||
		r.Text != "Never came through the capulets" || len(r.Messages) != 1 || r.Messages[0] != want {
		t.Errorf("%+v", r)
	}
}

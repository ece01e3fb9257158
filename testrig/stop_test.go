package testrig_test

import (
	"testing"

	"parley/config"
	"parley/testrig"
)

const stopNow = "<command xmlns='http://jabber.org/protocol/commands' " +
	"node='http://jabber.org/protocol/admin#shutdown'><x xmlns='jabber:x:data' type='submit'>" +
	"<field var='FORM_TYPE'><value>http://jabber.org/protocol/admin</value></field></x></command>"

// An administrator stops the server from a client (XEP-0133, section 4.31), where the operator allows it.
func TestShutdownByCommand(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) { c.Shutdown.ByCommand = allowed })}
		p.rig.Account("!friar", "romeo")
		romeo, friar := p.signIn("romeo", ""), p.signIn("friar", "")
		if e := p.ask(romeo, "set' to='example.org", stopNow); e.Attr("type") != "error" {
			t.Fatalf("anybody may: %s", e)
		}
		e := p.ask(friar, "set' to='example.org", stopNow)
		if !allowed {
			if e.Find("item-not-found") == nil {
				t.Errorf("not allowed, and %s", e)
			}
			continue
		}
		if e.Attr("type") != "result" {
			t.Fatalf("%s", e)
		}
		for {
			e, err := romeo.Next()
			if err != nil {
				break
			}
			if e.Name.Local == "error" && e.Find("system-shutdown") == nil {
				t.Errorf("ended with %s", e)
			}
		}
	}
}

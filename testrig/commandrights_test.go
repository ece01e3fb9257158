package testrig_test

import (
	"strings"
	"testing"

	"parley/acts"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// done is the effect of an administrator's command on the account named in its form, and the other fields of the form.
var done = map[string]struct {
	act    acts.Deed
	fields string
}{
	"http://jabber.org/protocol/admin#add-user":         {people.Create, ""},
	"http://jabber.org/protocol/admin#delete-user":      {people.Delete, ""},
	"http://jabber.org/protocol/admin#disable-user":     {people.Disable, ""},
	"http://jabber.org/protocol/admin#reenable-user":    {people.Disable, ""},
	"http://jabber.org/protocol/admin#end-user-session": {people.Disable, ""},
	"http://jabber.org/protocol/admin#change-user-password": {people.Reset,
		"<field var='password'><value>Another-Word-77</value></field>"},
	"http://jabber.org/protocol/admin#get-user-roster":    {people.See, ""},
	"http://jabber.org/protocol/admin#get-user-lastlogin": {people.See, ""},
	"http://jabber.org/protocol/admin#user-stats":         {people.See, ""},
	"urn:parley:admin#edit-user":                          {people.Edit, ""},
}

// Every command about an account applies the rules of package people: the test tries each such command of the host, as
// each role, on each role.
func TestCommandsAskTheRulesOfPeople(t *testing.T) {
	r := testrig.Start(t, nil)
	h := r.Node.Host(testrig.Host)
	r.Account("!friar", "!!prince")
	actors := map[string]people.Actor{
		"friar":  {Name: "friar", Role: store.RoleAdmin, Door: acts.Client},
		"prince": {Name: "prince", Role: store.RoleOwner, Door: acts.Client},
	}
	n := 0
	for name, actor := range actors {
		c := signIn(t, r, name)
		for _, f := range h.Features {
			for _, cmd := range f.Commands {
				field := ""
				if cmd.Form != nil {
					form, err := cmd.Form(t.Context(), jid.MustParse(name+"@"+testrig.Host+"/x"))
					if err != nil {
						continue // needs somebody who is in a team, or the like
					}
					for _, fd := range form.Fields {
						if fd.Var == "accountjid" || fd.Var == "accountjids" {
							field = fd.Var
						}
					}
				}
				what, known := done[cmd.Node]
				if field == "" {
					continue
				}
				if n++; !known {
					t.Errorf("%s is about an account: say in done what it does", cmd.Node)
					continue
				}
				for _, role := range []string{
					store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner,
				} {
					target := store.Person{User: store.User{Host: testrig.Host, Name: fresh()}, Role: role}
					if what.act != people.Create {
						r.Account(target.Name)
						if _, _, err := r.Node.Store.UpdateOwner(t.Context(), testrig.Host,
							target.Name, func(p *store.Person) error { p.Role = role; return nil }); err != nil {
							t.Fatal(err)
						}
						r.AccountChanged(testrig.Host, target.Name)
					} else if role != store.RoleMember {
						continue // it makes members
					}
					e := ask(t, c, testrig.Host, "set",
						"<command xmlns='http://jabber.org/protocol/commands' node='"+cmd.Node+"'/>")
					e = ask(t, c, testrig.Host, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+
						cmd.Node+"' sessionid='"+e.Find("command").Attr("sessionid")+
						"'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"+
						"<value>http://jabber.org/protocol/admin</value></field><field var='"+field+"'><value>"+
						target.Address()+"</value></field>"+what.fields+"</x></command>")
					refused := strings.Contains(e.String(), "your role does not allow this")
					if !ok(e) || refused == actor.May(what.act, target) {
						t.Errorf("%s by an %s to %s %s: refused %v\n%s",
							cmd.Node, actor.Role, role, target.Name, refused, e)
					}
				}
			}
		}
	}
	if n < 2*len(done) {
		t.Errorf("%d forms are about accounts", n)
	}
}

// A form leaves out fields that its user may not set: making administrators, or closing somebody else's account.
func TestFormsOfferWhatMayBeDone(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("!friar", "!!prince", "romeo")
	for name, want := range map[string]string{
		"friar":  "name disabled retention",
		"prince": "name admin disabled retention",
	} {
		c := signIn(t, r, name)
		const node = "urn:parley:admin#edit-user"
		e := ask(t, c, testrig.Host, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+"'/>")
		e = ask(t, c, testrig.Host, "set", "<command xmlns='http://jabber.org/protocol/commands' node='"+node+
			"' sessionid='"+e.Find("command").Attr("sessionid")+
			"'><x xmlns='jabber:x:data' type='submit'><field var='accountjid'><value>romeo@example.org</value>"+
			"</field></x></command>")
		var got []string
		for _, f := range e.Find("x").Children {
			if v := f.Attr("var"); v != "" && v != "FORM_TYPE" {
				got = append(got, v)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is asked for %v", name, got)
		}
	}
}

package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// DemoAccount is an account that SeedDemo has made, with its password.
type DemoAccount struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// ErrSeeded is returned by SeedDemo if the demo accounts exist.
var ErrSeeded = errors.New("the demo accounts are there already")

const (
	nsMUC     = "http://jabber.org/protocol/muc"
	nsMUCUser = "http://jabber.org/protocol/muc#user"
)

// SeedDemo makes accounts that know each other, a group with a theme, and some messages, on a running node. It uses the
// same acts as people do, and sessions of these accounts.
func (n *Node) SeedDemo(ctx context.Context, domain string) ([]DemoAccount, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	p := n.people[domain]
	accounts := []DemoAccount{
		{Address: "alice", Name: "Alice Martin"},
		{Address: "bob", Name: "Bob Fischer"},
		{Address: "carol", Name: "Carol Rossi"},
	}
	for i := range accounts {
		a := &accounts[i]
		name := a.Address
		a.Address += "@" + domain
		a.Password = demoPassword()
		role := store.RoleMember
		if i == 0 {
			role = store.RoleAdmin
		}
		_, err := p.Create(ctx, people.System, people.NewPerson{
			Name:     name,
			FullName: a.Name,
			Password: a.Password,
			Role:     role,
		})
		if fault.Is(err, fault.Exists) && i == 0 {
			return nil, ErrSeeded
		}
		if err != nil {
			return nil, fmt.Errorf("demo account %s: %w", a.Address, err)
		}
	}
	if err := n.demoColleagues(ctx, domain); err != nil {
		return nil, err
	}
	owner := jid.MustParse(accounts[0].Address)
	group := org.NewGroup{Slug: "engineering", Name: "Engineering", Description: "How we build it", Owner: owner}
	for _, a := range accounts[1:] {
		group.Members = append(group.Members, jid.MustParse(a.Address))
	}
	g, err := n.Org.CreateGroup(ctx, acts.System, domain, group)
	if err != nil {
		return nil, fmt.Errorf("demo group: %w", err)
	}
	t, err := n.Org.CreateTheme(ctx, acts.System, domain, g.ID, org.NewTheme{Name: "Q4 launch", Creator: owner})
	if err != nil {
		return nil, fmt.Errorf("demo theme: %w", err)
	}
	if err := n.demoTalk(ctx, accounts, n.Org.RoomJID(domain, g.Room), n.Org.RoomJID(domain, t.Room)); err != nil {
		return nil, fmt.Errorf("demo messages: %w", err)
	}
	if err := n.demoTeam(ctx, domain, g.Slug); err != nil {
		return nil, fmt.Errorf("demo team: %w", err)
	}
	return accounts, nil
}

// demoTeam makes a team of two that shares something. It comes last, because its people then see each other by it.
func (n *Node) demoTeam(ctx context.Context, domain, group string) error {
	t, err := n.Org.CreateTeam(ctx, acts.System, domain, org.NewTeam{
		Slug:        "platform",
		Name:        "Platform",
		Description: "Who keeps the machines running.",
		People:      []string{"alice", "bob"},
	})
	if err != nil {
		return err
	}
	defaults := []string{group}
	if _, err := n.Org.UpdateTeam(ctx, acts.System, domain, t.ID, org.TeamChange{Defaults: &defaults}); err != nil {
		return err
	}
	if err := n.Org.PutSnippet(ctx, acts.System, domain, t.Slug, "maintenance",
		"We restart the servers tonight at 22:00. Expect two minutes of silence."); err != nil {
		return err
	}
	return n.Org.PutContact(ctx, acts.System, domain, t.Slug, jid.MustParse("noc@hosting.example"), "Hosting, on call")
}

// demoColleagues fills in the profiles, and adds people who are invited and have not come yet.
func (n *Node) demoColleagues(ctx context.Context, domain string) error {
	p := n.people[domain]
	if p == nil {
		return nil
	}
	for _, c := range []struct{ name, role, title, department string }{
		{"alice", "owner", "Head of engineering", "Engineering"},
		{"bob", "supervisor", "Platform engineer", "Engineering"},
		{"carol", "member", "Release manager", "Operations"},
	} {
		email := c.name + "@work.example"
		profile := people.Profile{Role: &c.role, Title: &c.title, Department: &c.department, Email: &email}
		if _, err := p.Update(ctx, people.System, c.name, people.Change{Profile: profile}); err != nil {
			return fmt.Errorf("demo account %s: %w", c.name, err)
		}
	}
	for _, c := range []people.NewPerson{
		{FullName: "Daniel Okafor", Email: "daniel@work.example", Title: "Account manager", Department: "Sales"},
		{
			FullName:   "Élodie Marchand",
			Email:      "elodie@work.example",
			Title:      "Designer",
			Department: "Product",
			Lang:       "fr",
		},
		{FullName: "Farid Haddad", Email: "farid@work.example", Title: "Support lead", Department: "Support"},
		{FullName: "Grace Lindqvist", Email: "grace@work.example", Title: "Finance", Department: "Operations"},
	} {
		u, err := p.Create(ctx, people.System, c)
		if err == nil && c.Department != "Operations" {
			_, _, err = p.Invite(ctx, people.Actor{Name: "alice", Role: "owner", Door: acts.Server},
				people.Invite{Username: u.Name, Send: p.Mails(), Note: "Glad to have you with us!"})
		}
		if err != nil {
			return fmt.Errorf("demo account %s: %w", c.FullName, err)
		}
	}
	return nil
}

// demoPassword makes a password of 80 bits in four groups that can be typed.
func demoPassword() string {
	s := strings.ToLower(rand.Text()[:16])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// demoTalk makes the accounts contacts of each other and lets them write messages.
func (n *Node) demoTalk(ctx context.Context, accounts []DemoAccount, group, theme jid.JID) error {
	actors := make([]*actor, len(accounts))
	for i, a := range accounts {
		x, err := n.actor(ctx, jid.MustParse(a.Address))
		if err != nil {
			return err
		}
		defer x.leave(ctx)
		actors[i] = x
	}
	alice, bob, carol := actors[0], actors[1], actors[2]
	for _, x := range actors {
		for _, y := range actors {
			if x != y {
				x.send(ctx, &wire.Stanza{Kind: wire.Presence, Type: "subscribe", To: y.s.JID.Bare()})
				y.send(ctx, &wire.Stanza{Kind: wire.Presence, Type: "subscribed", To: x.s.JID.Bare()})
			}
		}
	}
	for _, x := range actors {
		for _, room := range []jid.JID{group, theme} {
			if err := x.join(ctx, room); err != nil {
				return err
			}
		}
	}
	for _, m := range []struct {
		who  *actor
		to   jid.JID
		text string
	}{
		{alice, group, "Welcome! Everyone in Engineering reads this room; for one subject start a theme: !theme NAME"},
		{bob, group, "Good morning."},
		{alice, theme, "All about the launch in here, please."},
		{carol, theme, "The checklist is nearly done. Bob, can you look at the certificates?"},
		{bob, theme, "On it."},
		{alice, bob.s.JID.Bare(), "Coffee at three?"},
		{bob, alice.s.JID.Bare(), "With pleasure."},
	} {
		if err := m.who.say(ctx, m.to, m.text); err != nil {
			return err
		}
	}
	return nil
}

// actor is a session without a connection.
type actor struct {
	s   *server.Session
	got chan *wire.Stanza
}

func (n *Node) actor(ctx context.Context, who jid.JID) (*actor, error) {
	a := &actor{got: make(chan *wire.Stanza, 256)}
	h := n.Host(who.Domain())
	s, err := h.Bind(ctx, who.Local(), "", server.Generate, a, server.SessionInfo{Transport: "demo"})
	if err != nil {
		return nil, err
	}
	a.s = s
	a.send(ctx, &wire.Stanza{Kind: wire.Presence})
	return a, nil
}

// Send takes a stanza for the session (server.Outbound). Stanzas that do not fit into the queue are dropped: nobody
// waits for them.
func (a *actor) Send(st *wire.Stanza, _ jid.JID) error {
	select {
	case a.got <- st:
	default:
	}
	return nil
}

func (a *actor) Close(*wire.StreamError) {}

func (a *actor) leave(ctx context.Context) { a.s.Host.Unbind(ctx, a.s) }

func (a *actor) send(ctx context.Context, st *wire.Stanza) {
	st.Name = wire.Name{Space: wire.NSClient, Local: st.Kind.String()}
	st.From = a.s.JID
	a.s.Host.Sent(ctx, a.s, st)
}

func (a *actor) join(ctx context.Context, room jid.JID) error {
	return a.joinAs(ctx, room, a.s.JID.Local())
}

func (a *actor) joinAs(ctx context.Context, room jid.JID, nick string) error {
	here, err := jid.New(room.Local(), room.Domain(), nick)
	if err != nil {
		return err
	}
	a.send(ctx, (&wire.Stanza{Kind: wire.Presence, To: here}).Add(wire.E(nsMUC, "x")))
	return a.wait(ctx, func(st *wire.Stanza) bool {
		x := st.Element(nsMUCUser, "x")
		// the room may have changed the nick
		return st.Kind == wire.Presence && st.From.Bare() == room.Bare() && x != nil && hasStatus(x, "110")
	})
}

func hasStatus(x *wire.Element, code string) bool {
	for _, c := range x.Elements() {
		if c.Name.Local == "status" && c.Attr("code") == code {
			return true
		}
	}
	return false
}

// say sends a message; one to a room is done when the room has sent it to everyone.
func (a *actor) say(ctx context.Context, to jid.JID, text string, more ...*wire.Element) error {
	st := &wire.Stanza{Kind: wire.Message, Type: "chat", ID: strings.ToLower(rand.Text()), To: to}
	room := a.s.Host.Router.Host(to.Domain()) == nil
	if room {
		st.Type = "groupchat"
	}
	a.send(ctx, st.Add(wire.T(wire.NSClient, "body", text)).Add(more...))
	if !room {
		return nil
	}
	return a.wait(ctx, func(got *wire.Stanza) bool { return got.Kind == wire.Message && got.ID == st.ID })
}

// wait reads what the session gets until is returns true; an error stanza ends it with an error.
func (a *actor) wait(ctx context.Context, is func(*wire.Stanza) bool) error {
	for {
		select {
		case st := <-a.got:
			if st.Type == "error" {
				return fmt.Errorf("%s has answered %s", st.From, st.Payload)
			}
			if is(st) {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("no answer for %s: %w", a.s.JID, ctx.Err())
		}
	}
}

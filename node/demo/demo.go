// Package demo fills a server with people and messages to look at.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/muc/puppet"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Account is an account that Seed has made, with its password.
type Account struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// ErrSeeded is returned by Seed if the demo accounts exist.
var ErrSeeded = errors.New("the demo accounts are there already")

// Server is what Seed fills: a hosted domain of a running node, with its rules.
type Server struct {
	Host   *server.Host
	People *people.People
	Org    *org.Org
}

// Seed makes accounts that know each other, a group with a theme, and some messages. It uses the same acts as people
// do, and sessions of these accounts. It returns ErrSeeded if it has been called before.
func Seed(ctx context.Context, s Server) ([]Account, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	p, domain := s.People, s.Host.Domain
	accounts := []Account{
		{Address: "alice", Name: "Alice Martin"},
		{Address: "bob", Name: "Bob Fischer"},
		{Address: "carol", Name: "Carol Rossi"},
	}
	for i := range accounts {
		a := &accounts[i]
		name := a.Address
		a.Address += "@" + domain
		a.Password = password()
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
	if err := s.colleagues(ctx); err != nil {
		return nil, err
	}
	owner := jid.MustParse(accounts[0].Address)
	group := org.NewGroup{Slug: "engineering", Name: "Engineering", Description: "How we build it", Owner: owner}
	for _, a := range accounts[1:] {
		group.Members = append(group.Members, jid.MustParse(a.Address))
	}
	g, err := s.Org.CreateGroup(ctx, acts.System, domain, group)
	if err != nil {
		return nil, fmt.Errorf("demo group: %w", err)
	}
	t, err := s.Org.CreateTheme(ctx, acts.System, domain, g.ID, org.NewTheme{Name: "Q4 launch", Creator: owner})
	if err != nil {
		return nil, fmt.Errorf("demo theme: %w", err)
	}
	if err := s.talk(ctx, accounts, s.Org.RoomJID(domain, g.Room), s.Org.RoomJID(domain, t.Room)); err != nil {
		return nil, fmt.Errorf("demo messages: %w", err)
	}
	if err := s.team(ctx, g.Slug); err != nil {
		return nil, fmt.Errorf("demo team: %w", err)
	}
	return accounts, nil
}

// team makes a team of two that shares something. It comes last, because its people then see each other by it.
func (s Server) team(ctx context.Context, group string) error {
	domain := s.Host.Domain
	t, err := s.Org.CreateTeam(ctx, acts.System, domain, org.NewTeam{
		Slug:        "platform",
		Name:        "Platform",
		Description: "Who keeps the machines running.",
		People:      []string{"alice", "bob"},
	})
	if err != nil {
		return err
	}
	defaults := []string{group}
	if _, err := s.Org.UpdateTeam(ctx, acts.System, domain, t.ID, org.TeamChange{Defaults: &defaults}); err != nil {
		return err
	}
	if err := s.Org.PutSnippet(ctx, acts.System, domain, t.Slug, "maintenance",
		"We restart the servers tonight at 22:00. Expect two minutes of silence."); err != nil {
		return err
	}
	return s.Org.PutContact(ctx, acts.System, domain, t.Slug, jid.MustParse("noc@hosting.example"), "Hosting, on call")
}

// colleagues fills in the profiles, and adds people who are invited and have not come yet.
func (s Server) colleagues(ctx context.Context) error {
	p := s.People
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

// password makes a password of 80 bits in four groups that can be typed.
func password() string {
	s := strings.ToLower(rand.Text()[:16])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// talk makes the accounts contacts of each other and lets them write messages.
func (s Server) talk(ctx context.Context, accounts []Account, group, theme jid.JID) error {
	actors := make([]*puppet.Session, len(accounts))
	for i, a := range accounts {
		x, err := s.enter(ctx, jid.MustParse(a.Address))
		if err != nil {
			return err
		}
		defer x.Leave(ctx)
		actors[i] = x
	}
	alice, bob, carol := actors[0], actors[1], actors[2]
	for _, x := range actors {
		for _, y := range actors {
			if x != y {
				x.Write(ctx, &wire.Stanza{Kind: wire.Presence, Type: "subscribe", To: y.JID.Bare()})
				y.Write(ctx, &wire.Stanza{Kind: wire.Presence, Type: "subscribed", To: x.JID.Bare()})
			}
		}
	}
	for _, x := range actors {
		for _, room := range []jid.JID{group, theme} {
			if err := x.Join(ctx, room, x.JID.Local()); err != nil {
				return err
			}
		}
	}
	for _, m := range []struct {
		who  *puppet.Session
		to   jid.JID
		text string
	}{
		{alice, group, "Welcome! Everyone in Engineering reads this room; for one subject start a theme: !theme NAME"},
		{bob, group, "Good morning."},
		{alice, theme, "All about the launch in here, please."},
		{carol, theme, "The checklist is nearly done. Bob, can you look at the certificates?"},
		{bob, theme, "On it."},
		{alice, bob.JID.Bare(), "Coffee at three?"},
		{bob, alice.JID.Bare(), "With pleasure."},
	} {
		if err := m.who.Say(ctx, m.to, m.text); err != nil {
			return err
		}
	}
	return nil
}

// enter makes an available session of an account.
func (s Server) enter(ctx context.Context, who jid.JID) (*puppet.Session, error) {
	x, err := puppet.Bind(ctx, s.Host, who.Local(), "demo")
	if err != nil {
		return nil, err
	}
	x.Write(ctx, &wire.Stanza{Kind: wire.Presence})
	return x, nil
}

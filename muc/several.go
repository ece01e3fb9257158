package muc

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A conversation of several people is a room for a few people of the host. Only its members know of it, everybody in it
// is a member, and nobody owns or moderates it: each may add somebody, give it a name, and leave. Clients find it by
// bookmarks, as they find the rooms of groups. The same people have one such conversation: who asks for another gets
// the one that there is.

// MinSeveral and MaxSeveral are how many people such a conversation has when it is made, and at most.
const (
	MinSeveral = 3
	MaxSeveral = 9
)

// namingRate and namingBurst are how often somebody may name conversations, a second and at once: the room says each.
const (
	namingRate  = 0.1
	namingBurst = 10
)

// maxSeverals is how many conversations of several people somebody may be in.
const maxSeverals = 500

// Company is what conversations of several people ask of the organization.
type Company interface {
	// Converses returns a refusal if a person may neither make conversations nor add somebody to one.
	Converses(ctx context.Context, who jid.JID) error
	// Joins returns a refusal if a person may not have somebody in a conversation.
	Joins(ctx context.Context, by, who jid.JID) error
	// Changed writes into the accounts of people what follows from who is in a conversation now. It is called in the
	// transaction of that change, perhaps more than once. It returns what is to be done when that is kept.
	Changed(ctx context.Context, c SeveralChange) (after func(ctx context.Context), err error)
	// Says gives what the room says of a change to its people; "" for nothing.
	Says(ctx context.Context, c SeveralChange) (string, error)
}

// SeveralChange is how a conversation of several people is after a change.
type SeveralChange struct {
	Room   jid.JID
	By     jid.JID   // zero: the server
	Title  string    // that its people gave it; "": none
	People []jid.JID // its members, in order
	Added  []jid.JID // those who were none before, unless the conversation is new
	Left   []jid.JID // who was one before
	Named  bool      // the title has changed
}

// several keeps a conversation of several people. The people are those of a free room, all of them members.
type several struct{ *free }

// freeOf gives the keeper of a room that belongs to no group; nil for another one.
func freeOf(r *Room) *free {
	switch k := r.keeper.(type) {
	case *free:
		return k
	case *several:
		return k.free
	}
	return nil
}

var (
	errNoConversation = fault.New(fault.NotFound, "", "no such conversation")
	errManyPeople     = fault.New(fault.Limit, "people",
		"A conversation has at most {{.Max}} people. Make a group for more", "Max", MaxSeveral)
)

// Knows keeps the conversation from everybody who is not in it.
func (k *several) Knows(ctx context.Context, who jid.JID, _ bool) error {
	a, err := k.Affiliation(ctx, who)
	if err == nil && a != Member {
		err = server.ItemNotFound
	}
	return err
}

// Visits is false: nobody is there without being a member.
func (k *several) Visits(context.Context, jid.JID) bool { return false }

// Register lets a member choose a nick, or leave for good (section 7.10). Nobody asks to become one.
func (k *several) Register(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if err := k.Knows(ctx, st.From, false); err != nil {
		return nil, err
	}
	return k.free.Register(ctx, st, q)
}

// Affiliate lets members add people and leave. What people who run the host want is no matter: nobody else may.
func (k *several) Affiliate(ctx context.Context, by acts.Actor, cs []Change) ([]Change, error) {
	more := 0
	for _, c := range cs {
		_, in := k.people[c.Who]
		switch own := by.Machine() || by.Who == c.Who; {
		case c.Affiliation == None && in && own, c.Affiliation == Member && in && own:
		case c.Affiliation == Member && !in:
			if err := k.joins(ctx, by.Who, c.Who); err != nil {
				return nil, err
			}
			more++
		default:
			return nil, server.NotAllowed
		}
	}
	if more > 0 && len(k.people)+more > MaxSeveral {
		return nil, errManyPeople
	}
	return cs, k.change(ctx, by.Who, cs)
}

// joins returns a refusal if a member may not add somebody.
func (k *several) joins(ctx context.Context, by, who jid.JID) error {
	company := k.r.s.cfg.Company
	if k.people[by].Affiliation != Member {
		return server.NotAllowed
	}
	if err := company.Converses(ctx, by); err != nil {
		return err
	}
	if err := company.Joins(ctx, by, who); err != nil {
		return err
	}
	return k.r.s.roomFor(ctx, who)
}

// roomFor returns a refusal if somebody is in as many conversations as allowed.
func (s *Service) roomFor(ctx context.Context, who jid.JID) error {
	all, err := s.st.SeveralOf(ctx, s.cfg.Domain, who.String(), maxSeverals)
	if err == nil && len(all) >= maxSeverals {
		err = fault.New(fault.Limit, "people", "{{.Name}} is in too many conversations", "Name", who.Name())
	}
	return err
}

// change keeps changes of people together with what follows for their accounts, and ends the room when the last has
// left.
func (k *several) change(ctx context.Context, by jid.JID, cs []Change) error {
	r := k.r
	c := SeveralChange{Room: r.jid, By: by, Title: r.cfg.Name, People: k.members()}
	for _, x := range cs {
		i := slices.Index(c.People, x.Who)
		switch {
		case x.Affiliation != None && i < 0:
			c.People, c.Added = append(c.People, x.Who), append(c.Added, x.Who)
		case x.Affiliation == None && i >= 0:
			c.People, c.Left = slices.Delete(c.People, i, i+1), append(c.Left, x.Who)
		}
	}
	sortPeople(c.People)
	var after func(context.Context)
	err := r.s.st.Atomic(ctx, func(ctx context.Context) (err error) {
		if after, err = r.s.cfg.Company.Changed(ctx, c); err != nil {
			return err
		}
		return k.setPeople(ctx, cs)
	})
	if err != nil {
		k.reread(ctx)
		return err
	}
	r.s.PostLoaded(r.name, endIfDeserted) // once everyone has seen the change
	r.s.Background(func(ctx context.Context) {
		after(ctx) // browsers of those who are new hear from now on
		r.s.PostLoaded(r.name, func(ctx context.Context, r *Room) {
			if !r.over {
				k.tell(ctx, c)
			}
		})
	})
	return nil
}

// members gives the people, in order.
func (k *several) members() []jid.JID {
	js := slices.Collect(maps.Keys(k.people))
	sortPeople(js)
	return js
}

// tell has the room say what somebody has changed. Only that somebody was added is news: who is new reads along.
func (k *several) tell(ctx context.Context, c SeveralChange) {
	if c.By.IsZero() {
		return
	}
	r := k.r
	text, err := r.s.cfg.Company.Says(ctx, c)
	if err != nil {
		r.s.log.Error("cannot say what has changed in a conversation", "room", r.jid.String(), "err", err)
	}
	if text == "" {
		return
	}
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: r.jid, ID: r.s.host.NewID()}
	m := r.Post(st.Add(wire.T(wire.NSClient, "body", text)))
	if m.Entry != nil && len(c.Added) == 0 {
		m.Entry.Quiet = true
	}
	r.Flush(ctx)
}

// endIfDeserted ends a conversation that nobody is in any more.
func endIfDeserted(ctx context.Context, r *Room) {
	if k, ok := r.keeper.(*several); ok && len(k.people) == 0 && !r.over {
		r.end(ctx)
	}
}

// endDeserted ends the conversations whose last members have no account any more.
func (s *Service) endDeserted(ctx context.Context) error {
	names, err := s.st.SeveralDeserted(ctx, s.cfg.Domain)
	if err != nil {
		return err
	}
	for _, name := range names {
		_, err := s.asks.deserted.Ask(ctx, name, patience, Nothing{})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("room %s: %w", name, err)
		}
	}
	return nil
}

func (r *Room) desertedCall(ctx context.Context, _ Nothing) (none Nothing, err error) {
	endIfDeserted(ctx, r)
	return none, nil
}

// reread makes the people in memory those of the store, after a transaction that was not kept.
func (k *several) reread(ctx context.Context) {
	now, err := newFree(context.WithoutCancel(ctx), k.r)
	if err != nil {
		k.r.s.log.Error("cannot read who is in a conversation: everyone has to enter it again",
			"room", k.r.jid.String(), "err", err)
		k.r.Restart(ctx)
		return
	}
	k.r.mu.Lock()
	k.people = now.people
	k.r.mu.Unlock()
	k.hold()
}

func sortPeople(js []jid.JID) {
	slices.SortFunc(js, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
}

// cleanTitle checks the name of a conversation.
func cleanTitle(title string) (string, error) {
	title = strings.Join(strings.Fields(title), " ")
	if len(title) > maxRoomName {
		return "", fault.New(fault.Invalid, "name", "This name is too long")
	}
	return title, nil
}

// OpenSeveral gives the conversation of a person and others, and makes it if there is none. A refusal says why there
// can be none. It is safe on any goroutine.
func (s *Service) OpenSeveral(
	ctx context.Context, by acts.Actor, others []jid.JID, title string,
) (room jid.JID, made bool, err error) {
	title, err = cleanTitle(title)
	if err != nil {
		return room, false, err
	}
	people, err := s.company(by.Who, others)
	if err != nil {
		return room, false, err
	}
	name, after := "", func(context.Context) {}
	err = s.st.Atomic(ctx, func(ctx context.Context) error {
		made = false
		addresses := make([]string, len(people))
		for i, j := range people {
			addresses[i] = j.String()
		}
		if name, err = s.st.SeveralAmong(ctx, s.cfg.Domain, addresses...); store.KindOf(err) != fault.NotFound {
			return err
		}
		made, name = true, "c-"+strings.ToLower(rand.Text())[:20]
		after, err = s.makeSeveral(ctx, by, name, title, people)
		return err
	})
	if err != nil {
		return room, false, err
	}
	if made {
		s.Background(after)
	}
	room, err = jid.New(name, s.cfg.Domain, "")
	return room, made, err
}

// company gives the people of a conversation, each once and in order.
func (s *Service) company(by jid.JID, others []jid.JID) ([]jid.JID, error) {
	if s.cfg.Company == nil || by.IsZero() {
		return nil, server.NotAllowed
	}
	people := []jid.JID{by}
	for _, j := range others {
		if j = j.Bare(); !slices.Contains(people, j) {
			people = append(people, j)
		}
	}
	switch {
	case len(people) < MinSeveral:
		return nil, fault.New(fault.Invalid, "people", "Choose at least two others")
	case len(people) > MaxSeveral:
		return nil, errManyPeople
	}
	sortPeople(people)
	return people, nil
}

// makeSeveral writes a new conversation, within a transaction.
func (s *Service) makeSeveral(
	ctx context.Context, by acts.Actor, name, title string, people []jid.JID,
) (after func(context.Context), err error) {
	if err := s.mayCreate(ctx, by.Who); err != nil {
		return nil, err
	}
	if err := s.cfg.Company.Converses(ctx, by.Who); err != nil {
		return nil, err
	}
	now := s.host.Clock.Now().UTC().Truncate(time.Microsecond)
	var as []store.Affiliation
	for _, j := range people {
		if j != by.Who {
			if err := s.cfg.Company.Joins(ctx, by.Who, j); err != nil {
				return nil, err
			}
		}
		if err := s.roomFor(ctx, j); err != nil {
			return nil, err
		}
		as = append(as, store.Affiliation{JID: j.String(), Affiliation: Member, Since: now})
	}
	c := severalConfig(s.cfg.Defaults, title)
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	row := store.Room{Host: s.cfg.Domain, Name: name, Config: config, Access: c.access(), Created: now}
	if err := s.st.CreateRoom(ctx, row, as...); err != nil {
		return nil, err
	}
	room, err := jid.New(name, s.cfg.Domain, "")
	if err != nil {
		return nil, err
	}
	return s.cfg.Company.Changed(ctx, SeveralChange{Room: room, Title: title, People: people})
}

// severalConfig is what such a room is. Who is added reads what is said from then on.
func severalConfig(c RoomConfig, title string) RoomConfig {
	c.Name, c.Several = title, true
	c.Persistent, c.Public, c.MembersOnly, c.NonAnonymous, c.SinceJoin = true, false, true, true, true
	c.Invites, c.ChangeSubject, c.Moderated, c.Password, c.PM = true, true, false, "", "none"
	return c
}

// changeSeveral is what one of the people of a conversation does with it: add people, name it, or leave it.
type changeSeveral struct {
	By    acts.Actor
	Add   []jid.JID `json:",omitempty"`
	Title *string   `json:",omitempty"`
	Leave bool      `json:",omitempty"`
}

func (s *Service) changeSeveral(ctx context.Context, room jid.JID, c changeSeveral) error {
	_, err := s.asks.several.Ask(ctx, room.Local(), Patience, c)
	if store.KindOf(err) == fault.NotFound {
		err = errNoConversation
	}
	return err
}

func (r *Room) severalCall(ctx context.Context, c changeSeveral) (none Nothing, err error) {
	k, ok := r.keeper.(*several)
	if !ok || k.people[c.By.Who].Affiliation != Member {
		return none, errNoConversation
	}
	switch {
	case c.Leave:
		return none, r.affiliate(ctx, c.By, nil, Change{Who: c.By.Who, Affiliation: None})
	case c.Title != nil:
		return none, k.name(ctx, c.By, *c.Title)
	}
	return none, k.add(ctx, c.By, c.Add)
}

// AddToSeveral adds people to a conversation of several people. It is safe on any goroutine.
func (s *Service) AddToSeveral(ctx context.Context, by acts.Actor, room jid.JID, who ...jid.JID) error {
	return s.changeSeveral(ctx, room, changeSeveral{By: by, Add: who})
}

// LeaveSeveral takes a person out of a conversation of several people for good. It is safe on any goroutine.
func (s *Service) LeaveSeveral(ctx context.Context, by acts.Actor, room jid.JID) error {
	return s.changeSeveral(ctx, room, changeSeveral{By: by, Leave: true})
}

// NameSeveral gives a conversation of several people a name; "" takes it away. It is safe on any goroutine.
func (s *Service) NameSeveral(ctx context.Context, by acts.Actor, room jid.JID, title string) error {
	title, err := cleanTitle(title)
	if err != nil {
		return err
	}
	return s.changeSeveral(ctx, room, changeSeveral{By: by, Title: &title})
}

// add adds people to the conversation.
func (k *several) add(ctx context.Context, by acts.Actor, who []jid.JID) error {
	var cs []Change
	for _, j := range who {
		c := Change{Who: j.Bare(), Affiliation: Member}
		if _, in := k.people[c.Who]; !in && !slices.Contains(cs, c) {
			cs = append(cs, c)
		}
	}
	if len(cs) == 0 {
		return nil
	}
	return k.r.affiliate(ctx, by, k.r.Voice(by.Who), cs...)
}

// name gives the conversation a name.
func (k *several) name(ctx context.Context, by acts.Actor, title string) error {
	r := k.r
	s := r.s
	if !s.naming.Allow(by.Who, time.Now()) {
		return ErrTooFast
	}
	now := r.cfg
	c := SeveralChange{Room: r.jid, By: by.Who, Title: title, People: k.members(), Named: now.Name != title}
	now.Name = title
	var after func(context.Context)
	err := s.st.Atomic(ctx, func(ctx context.Context) (err error) {
		if after, err = s.cfg.Company.Changed(ctx, c); err != nil {
			return err
		}
		return r.storeConfig(ctx, now)
	})
	if err != nil {
		return err
	}
	r.showConfig(ctx, now)
	k.tell(ctx, c)
	s.Background(after)
	return nil
}

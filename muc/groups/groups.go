// Package groups has the rooms of the product: groups and their themes, which are rooms (package muc) whose people and
// rules package org has. A group's room and each theme's has a keeper here. The rules here, one file each, are what
// these rooms do besides: commands as lines of text, closed themes, people who only read, following. Mentions are for
// free rooms too.
package groups

import (
	"context"
	"log/slog"

	"parley/acts"
	"parley/internal/everywhere"
	"parley/internal/fault"
	"parley/messages"
	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Store is what groups ask of the store.
type Store interface {
	messages.Store

	Bookmarks(ctx context.Context, host string, user string) ([]store.Bookmark, error)
	FindUsers(
		ctx context.Context,
		host string,
		words []string,
		p store.UserPage,
	) (us []store.User, total, before int, err error)
	FullNames(ctx context.Context, host string, names []string) (map[string]string, error)
	Member(ctx context.Context, host string, id string, jid string) (store.Member, error)
	Room(ctx context.Context, host string, name string) (store.Room, error)
	User(ctx context.Context, host string, name string) (store.User, error)
}

// Config of the rooms of groups on one host. Functions may be nil, and do nothing then.
type Config struct {
	Store Store
	Org   *org.Org

	// Web returns the beginning of links to pages; "" if the server has no pages.
	Web func() string

	// Hats gives what somebody wears in the rooms of a group (its id): roles and teams. It is called when they enter
	// and after HatsChanged, on the room's goroutine: it must not wait.
	Hats func(ctx context.Context, group string, who jid.JID) []muc.Hat

	// Meetings is the template of addresses of meetings, with {secret} and perhaps {room}; "" for no meetings.
	Meetings string

	// Commands are what else there is to do in a group's room (XEP-0050), by the group's id.
	Commands func(group string) []server.Command

	// Mentioned has people told who were mentioned in a message, wherever they are.
	Mentioned func(ctx context.Context, m Mention)

	// Heard is called for each message with something to read that any room keeps: after the message is shown, and
	// after Mentioned was called for the people whom it mentions. It must return at once.
	Heard func(Heard)

	// Watching gives people who follow a room in a browser, are not in it, and are not away. It may be called on the
	// room's goroutine: it must return at once.
	Watching func(room jid.JID) []jid.JID

	// Said is called for each message that a group's room keeps, after the message is shown. It must return at once.
	Said func(group, theme string, e *store.RoomEntry)
}

// Service is the service of a host's rooms: free rooms, groups and themes. Its methods are safe on any goroutine.
type Service struct {
	*muc.Service

	cfg    Config
	st     Store
	host   *server.Host
	log    *slog.Logger
	asks   asks
	texts  []textCommand
	search bool // archives may be searched for words
}

// XEPs are what the rules here implement besides those of package muc, for docs/xeps.md.
var XEPs = []server.XEP{
	{
		Number:  372,
		Title:   "References",
		Version: "0.5.0",
		Notes:   "mentions: people who are not in the room are told",
		Partial: true,
	},
	{
		Number:  482,
		Title:   "Call Invites",
		Version: "0.1.0",
		Notes:   "invitations to meetings elsewhere, by !meet",
		Partial: true,
	},
	{
		Number:  513,
		Title:   "Explicit Mentions",
		Version: "0.1.0",
		Notes:   "people, rooms, spaces, roles and affiliations, hats of teams; not servers",
		Partial: true,
	},
}

// New makes the service of rooms that rooms describes, with the groups of the host, and puts it on the host's router.
// It follows the changes that c.Org tells of. New sets Name and Keepers of rooms, and adds rules.
func New(c Config, rooms muc.Config) (*Service, error) {
	s := &Service{
		cfg:    c,
		st:     c.Store,
		host:   rooms.Host,
		log:    rooms.Host.Log.With("service", rooms.Domain),
		search: rooms.Search,
	}
	s.texts = append(groupTexts(), snippetTexts()...)
	if c.Meetings != "" {
		s.texts = append(s.texts, meetingTexts()...)
	}
	rooms.Name, rooms.Keepers = "Groups", keepers{s}
	rooms.Rules = append(rooms.Rules, s.rules()...)
	var err error
	if s.Service, err = muc.NewService(rooms); err != nil {
		return nil, err
	}
	everywhere.On(s.host.Everywhere, watchingName, func(_ context.Context, room jid.JID) (any, error) {
		return s.watching(room), nil
	})
	s.asks = newAsks(s)
	c.Org.Subscribe(s.changed)
	c.Org.SubscribeEverywhere(s.changedInRooms)
	return s, nil
}

// rules are those of this package, in their order: a line of text is a command before a theme is closed for it.
func (s *Service) rules() []muc.Rule {
	grouped := func(rule func(k *keeper) muc.Hooks) muc.Rule {
		return func(r *muc.Room) muc.Hooks {
			if k := keeperOf(r); k != nil {
				return rule(k)
			}
			return muc.Hooks{}
		}
	}
	return []muc.Rule{
		grouped(textRule),
		grouped(closedRule),
		grouped(reactingRule),
		grouped(readersRule),
		grouped(hatRule),
		grouped(spaceRule),
		s.mentionRule,
		grouped(followRule),
		grouped(saidRule),
	}
}

// by is the actor of what somebody asks for by a stanza: a form, a command, a change of affiliations.
func (s *Service) by(who jid.JID) acts.Actor { return s.host.By(who, acts.Client) }

// ignoreGone leaves out that a group or a theme is not there any more.
func ignoreGone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

var messageName = wire.Name{Space: wire.NSClient, Local: "message"}

// toAll begins a message to everyone in a room.
func (s *Service) toAll(from jid.JID, body string, more ...*wire.Element) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: from, ID: s.host.NewID()}
	return st.Add(wire.T(wire.NSClient, "body", body)).Add(more...)
}

// say has a room itself say something. It is called on the room's goroutine.
func (s *Service) say(ctx context.Context, r *muc.Room, body string, more ...*wire.Element) {
	r.Post(s.toAll(r.JID(), body, more...))
	r.Flush(ctx)
}

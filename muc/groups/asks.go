package groups

import (
	"context"

	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// asks are what rooms do for who asks, on whatever node (muc.Call).
type asks struct {
	look     muc.Call[looking, view]
	say      muc.Call[Said, store.ID]
	announce muc.Call[announcement, muc.Nothing]
	find     muc.Call[string, store.ID]
	meet     muc.Call[meeting, muc.Nothing]
	sayAs    muc.Call[saying, bool]
}

func newAsks(s *Service) asks {
	return asks{
		look:     muc.NewCall(s.Service, "look", s.look),
		say:      muc.NewCall(s.Service, "say", s.sayFor),
		announce: muc.NewCall(s.Service, "announce", s.announce),
		find: muc.NewCall(s.Service, "find", func(r *muc.Room, ctx context.Context, id string) (store.ID, error) {
			n, _, _ := r.Find(ctx, id)
			return n, nil
		}),
		meet:  muc.NewCall(s.Service, "meet", kept((*keeper).meet)),
		sayAs: muc.NewCall(s.Service, "say as", kept((*keeper).sayAsAsked)),
	}
}

// kept makes a call of what the keeper of a group's room, or of a theme, does.
func kept[A, R any](do func(k *keeper, ctx context.Context, a A) (R, error)) func(*muc.Room, context.Context,
	A) (R, error) {
	return func(r *muc.Room, ctx context.Context, a A) (out R, err error) {
		k := keeperOf(r)
		if k == nil {
			return out, server.ItemNotFound
		}
		return do(k, ctx, a)
	}
}

// announcement is something that is said in a room for a person who need not be there.
type announcement struct {
	Who         jid.JID
	Own, Names  []string // nicks: names only where addresses are shown
	Body, About string   // about is an address
}

// meeting is a meeting that somebody begins in a room.
type meeting struct {
	Who       jid.JID
	Topic, At string
}

// saying is what somebody says in a room by a command.
type saying struct {
	Who  jid.JID
	Text string
}

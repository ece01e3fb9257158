package groups

import (
	"context"
	"strings"

	"parley/internal/limit"
	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// keepers finds the keepers of the rooms of groups and themes.
type keepers struct{ s *Service }

func (ks keepers) Keeps(row store.Room) bool { return row.Group != "" }

func (ks keepers) Keeper(_ context.Context, r *muc.Room, row store.Room) (muc.Keeper, error) {
	return &keeper{
		s:     ks.s,
		r:     r,
		org:   ks.s.cfg.Org,
		host:  ks.s.host.Domain,
		group: row.Group,
		theme: row.Theme,
		calls: limit.New[jid.JID](callingRate, callingBurst, limit.Most),
	}, nil
}

// Listed leaves themes out: they are items of their group's room.
func (ks keepers) Listed(ctx context.Context, row store.Room, who jid.JID) (c muc.RoomConfig, ok bool, err error) {
	o, host := ks.s.cfg.Org, ks.s.host.Domain
	if row.Theme != "" {
		return c, false, nil
	}
	ok, err = o.Visible(ctx, host, row.Group, "", who)
	if err != nil || !ok {
		return c, false, ignoreGone(err)
	}
	g, err := o.GroupByID(ctx, host, row.Group)
	if err != nil {
		return c, false, ignoreGone(err)
	}
	return groupConfig(g), true, nil
}

// Create makes a theme of a room whose name looks like that of a theme.
func (ks keepers) Create(ctx context.Context, st *wire.Stanza) (taken bool, err error) {
	group, slug, ok := strings.Cut(st.To.Local(), ".")
	if !ok {
		return false, nil
	}
	row, err := ks.s.st.Room(ctx, ks.s.Domain(), group)
	if err != nil || row.Group == "" {
		return false, nil
	}
	return true, ks.s.makeTheme(ctx, st, row.Group, slug)
}

func (ks keepers) Commands() []server.Command { return ks.s.commands() }

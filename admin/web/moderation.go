package web

import (
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Acts of moderators in the view of a room. They go through the room itself, as from an app: everybody sees them at
// once, and the room's rules apply.

func (s *Server) moderation() {
	for _, where := range []string{"/g/{slug}", "/g/{slug}/t/{key}"} {
		s.handle("POST "+where+"/m/{id}/retract", member, (*request).retract)
		s.handle("POST "+where+"/out", member, (*request).showOut)
	}
}

// retract retracts a message: the person's own (XEP-0424), or as a moderator somebody else's (XEP-0425).
func (c *request) retract() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	ctx, at := c.r.Context(), c.s.Org.RoomJID(c.host(), r.Local)
	id, err := store.ParseID(c.r.PathValue("id"))
	if err != nil || !r.Access.Read {
		return notFound
	}
	m, err := c.oneMessage(r, id)
	if err != nil {
		return err
	}
	if m.Removed != nil {
		return c.done(r.Path, "This message is already removed")
	}
	switch {
	case m.Mine:
		err = c.s.Rooms.Retract(ctx, c.self(), at, m.ID.String())
	case r.Manages():
		err = c.s.Rooms.Moderate(ctx, c.self(), at, m.ID.String(), cut(c.form("reason"), 500))
	default:
		return fault.ErrRole
	}
	if err != nil {
		return c.oops(r.Path, err)
	}
	c.P.Audit(ctx, c.Actor, acts.MessageRetract, roomName(r),
		acts.Detail{"message": m.ID.String(), "sender": m.By.Address, "reason": c.form("reason")})
	return c.done(r.Path+"#end", "The message was removed for everyone")
}

func roomName(r room) string {
	if r.Theme != nil {
		return r.Group.Slug + "/" + r.Theme.Key
	}
	return r.Group.Slug
}

// showOut removes somebody from a room, or bans somebody from the group.
func (c *request) showOut() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	address := c.form("who")
	if !strings.Contains(address, "@") {
		address += "@" + c.host()
	}
	who, err := jid.Parse(address)
	if err != nil || who.Local() == "" {
		return badForm
	}
	who = who.Bare()
	if who == c.self() {
		return c.oops(r.Path, fault.New(fault.Invalid, "", "You cannot do this to yourself"))
	}
	if c.form("do") == "ban" {
		had, err := c.s.Org.RoleOf(ctx, c.host(), r.Group.ID, who)
		if err == nil {
			by := c.Actor
			by.Reason = cut(c.form("reason"), 500)
			err = c.s.Org.SetMember(ctx, by, c.host(), r.Group.ID, who, store.RoleBanned)
		}
		if err != nil {
			return c.oops(r.Path, err)
		}
		if had == "" {
			had = "remove"
		}
		return c.undoable(r.Path,
			undo("/g/"+r.Group.Slug+"/members", "role", had, "member", who.String(), "back", r.Path),
			"{{.Name}} is banned from {{.Group}}", "Name", who.String(), "Group", r.Group.Name)
	}
	if err := c.s.Rooms.Kick(ctx, c.self(), c.s.Org.RoomJID(c.host(), r.Local), who,
		cut(c.form("reason"), 500)); err != nil {
		return c.oops(r.Path, err)
	}
	c.P.Audit(ctx, c.Actor, acts.GroupKick, roomName(r),
		acts.Detail{"members": []string{who.String()}, "reason": c.form("reason")})
	return c.done(r.Path, "{{.Name}} was removed and can come back", "Name", who.String())
}

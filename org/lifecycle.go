package org

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"image"
	_ "image/gif" // photos may be GIFs
	_ "image/jpeg"
	_ "image/png"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Restorable is how long a deleted group can be restored.
const Restorable = 30 * 24 * time.Hour

const (
	maxPhoto  = 100 << 10 // bytes
	maxPixels = 2048      // width and height
)

// DeleteGroup deletes a group: its rooms close, their history is kept, and its addresses are never used again. The
// group's owners may do this.
func (o *Org) DeleteGroup(ctx context.Context, by acts.Actor, host, id string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		if err := o.mustOwn(ctx, by, host, id); err != nil {
			return err
		}
		if err := o.st.DeleteGroup(ctx, host, id, o.now()); err != nil {
			return notFound(err, "no such group")
		}
		c.drop(host, id)
		c.Note(acts.GroupDelete, s.group.Slug, acts.Detail{"name": s.group.Name})
		e := Event{Kind: GroupDeleted, Host: host, Group: s.group, Rooms: []jid.JID{o.RoomJID(host, s.group.Room)}}
		for _, key := range s.order {
			e.Rooms = append(e.Rooms, o.RoomJID(host, s.themes[key].Room))
		}
		for j := range s.members {
			if j.Domain() == host {
				e.Left = append(e.Left, j.Local())
			}
		}
		c.tell(e)
		return nil
	})
}

// DeletedGroups gives the groups that can still be restored.
func (o *Org) DeletedGroups(ctx context.Context, host string) ([]store.Group, error) {
	return o.st.DeletedGroups(ctx, host, o.now().Add(-Restorable))
}

// RestoreGroup brings back a deleted group with its members, themes and history. Administrators may do this.
func (o *Org) RestoreGroup(ctx context.Context, by acts.Actor, host, slug string) (g store.Group, err error) {
	err = o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		if err := o.mustRun(ctx, host, by); err != nil {
			return err
		}
		gs, _, err := o.FindDeleted(ctx, host, store.GroupFilter{Slugs: []string{slug}, Limit: 1})
		if err != nil {
			return err
		}
		if len(gs) == 0 || gs[0].Slug != slug {
			return fault.New(fault.NotFound, "", "there is no group "+slug+" that was deleted in the last 30 days")
		}
		g = gs[0]
		return o.restore(ctx, c, &g)
	})
	return g, err
}

func (o *Org) restore(ctx context.Context, c *change, g *store.Group) error {
	if _, err := c.turn(ctx, versionGroup, g.Host, g.ID); err != nil {
		return err
	}
	s, err := o.read(ctx, *g)
	if err != nil {
		return err
	}
	var users []string
	for j, role := range s.members {
		if j.Domain() == g.Host && role != store.RoleBanned {
			users = append(users, j.Local())
		}
	}
	bs := o.bookmarksOf(s, 0)
	if err := o.st.RestoreGroup(ctx, g.Host, g.ID, users, bs); err != nil {
		return notFound(err, "no such group")
	}
	c.drop(g.Host, g.ID)
	c.Note(acts.GroupRestore, g.Slug, nil)
	g.Deleted = time.Time{}
	e := Event{Kind: GroupCreated, Host: g.Host, Group: *g, Joined: users}
	for _, b := range bs {
		e.Rooms = append(e.Rooms, jid.MustParse(b.Room))
	}
	c.tell(e)
	return nil
}

// SetPhoto sets a group's photo (PNG, JPEG or GIF, at most 100 KiB); no bytes remove it. The group's owners may do
// this.
func (o *Org) SetPhoto(ctx context.Context, by acts.Actor, host, id string, data []byte) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		s, err := c.lock(ctx, host, id)
		if err != nil {
			return err
		}
		if err := o.mustOwn(ctx, by, host, id); err != nil {
			return err
		}
		p, err := readPhoto(data)
		if err != nil {
			return err
		}
		if err := o.st.SetGroupPhoto(ctx, host, id, p); err != nil {
			return notFound(err, "no such group")
		}
		c.drop(host, id)
		d := make(acts.Detail)
		acts.Was(d, "hash", s.group.PhotoHash, p.Hash)
		c.Note(acts.GroupPhoto, s.group.Slug, d)
		g := s.group
		g.PhotoHash = p.Hash
		c.tell(Event{Kind: GroupChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}})
		return nil
	})
}

func readPhoto(data []byte) (p store.Photo, err error) {
	p.Data = data
	if len(data) > 0 {
		c, format, err := image.DecodeConfig(bytes.NewReader(data))
		switch {
		case len(data) > maxPhoto:
			return p, fault.At(fault.Invalid, "photo", "is too large: at most 100 KiB")
		case err != nil:
			return p, fault.At(fault.Invalid, "photo", "is not an image: PNG, JPEG or GIF")
		case c.Width > maxPixels || c.Height > maxPixels:
			return p, fault.At(fault.Invalid, "photo", "has too many pixels: at most 2048 by 2048")
		}
		sum := sha1.Sum(data)
		p.Type, p.Hash = "image/"+format, hex.EncodeToString(sum[:])
	}
	return p, nil
}

// Photo returns a group's photo; NotFound if it has none.
func (o *Org) Photo(ctx context.Context, host, id string) (store.Photo, error) {
	p, err := o.st.GroupPhoto(ctx, host, id)
	return p, notFound(err, "the group has no photo")
}

package org

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"image"
	_ "image/gif" // photos are one of these
	_ "image/jpeg"
	_ "image/png"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// Restorable is how long a deleted group can be restored.
const Restorable = 30 * 24 * time.Hour

const (
	maxPhoto  = 100 << 10 // bytes
	maxPixels = 2048      // of a photo's side
)

// DeleteGroup ends a group: its rooms are closed, their history is kept, its addresses are never used again.
func (o *Org) DeleteGroup(ctx context.Context, host, id string) error {
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	if err := o.st.DeleteGroup(ctx, host, id, time.Now()); err != nil {
		return notFound(err, "no such group")
	}
	o.drop(host, id)
	e := Event{Kind: GroupDeleted, Host: host, Group: s.group, Rooms: []jid.JID{o.RoomJID(host, s.group.Room)}}
	for _, key := range s.order {
		e.Rooms = append(e.Rooms, o.RoomJID(host, s.themes[key].Room))
	}
	for j := range s.members {
		if j.Domain() == host {
			e.Left = append(e.Left, j.Local())
		}
	}
	o.tell(e)
	return nil
}

// DeletedGroups lists what can still be restored.
func (o *Org) DeletedGroups(ctx context.Context, host string) ([]store.Group, error) {
	return o.st.DeletedGroups(ctx, host, time.Now().Add(-Restorable))
}

// RestoreGroup has a deleted group live again, with members, themes and history as they were.
func (o *Org) RestoreGroup(ctx context.Context, host, slug string) (store.Group, error) {
	o.change.Lock()
	defer o.change.Unlock()
	gs, err := o.DeletedGroups(ctx, host)
	if err != nil {
		return store.Group{}, err
	}
	for _, g := range gs {
		if g.Slug != slug {
			continue
		}
		s, err := o.read(ctx, g)
		if err != nil {
			return g, err
		}
		var users []string
		for j, role := range s.members {
			if j.Domain() == host && role != store.RoleBanned {
				users = append(users, j.Local())
			}
		}
		bs := o.bookmarksOf(s, 0)
		if err := o.st.RestoreGroup(ctx, host, g.ID, users, bs); err != nil {
			return g, notFound(err, "no such group")
		}
		o.drop(host, g.ID)
		g.Deleted = time.Time{}
		e := Event{Kind: GroupCreated, Host: host, Group: g, Joined: users}
		for _, b := range bs {
			e.Rooms = append(e.Rooms, jid.MustParse(b.Room))
		}
		o.tell(e)
		return g, nil
	}
	return store.Group{}, &Error{NotFound, "", "there is no group " + slug + " that was deleted in the last 30 days"}
}

// SetPhoto takes an image (PNG, JPEG, GIF); one of no bytes takes the photo away.
func (o *Org) SetPhoto(ctx context.Context, host, id string, data []byte) error {
	p := store.Photo{Data: data}
	if len(data) > 0 {
		c, format, err := image.DecodeConfig(bytes.NewReader(data))
		switch {
		case len(data) > maxPhoto:
			return &Error{Invalid, "photo", "is too large: at most 100 KiB"}
		case err != nil:
			return &Error{Invalid, "photo", "is no image: PNG, JPEG or GIF"}
		case c.Width > maxPixels || c.Height > maxPixels:
			return &Error{Invalid, "photo", "has too many pixels: at most 2048 by 2048"}
		}
		sum := sha1.Sum(data)
		p.Type, p.Hash = "image/"+format, hex.EncodeToString(sum[:])
	}
	o.change.Lock()
	defer o.change.Unlock()
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	if err := o.st.SetGroupPhoto(ctx, host, id, p); err != nil {
		return notFound(err, "no such group")
	}
	o.drop(host, id)
	g := s.group
	g.PhotoHash = p.Hash
	o.tell(Event{Kind: GroupChanged, Host: host, Group: g, Rooms: []jid.JID{o.RoomJID(host, g.Room)}})
	return nil
}

// Photo gives a group's photo; NotFound if it has none.
func (o *Org) Photo(ctx context.Context, host, id string) (store.Photo, error) {
	p, err := o.st.GroupPhoto(ctx, host, id)
	return p, notFound(err, "the group has no photo")
}

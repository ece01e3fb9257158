package org

import (
	"context"
	"time"

	"parley/messages"
	"parley/store"
	"parley/wire/jid"
)

// Hit is a search result as people see it.
type Hit struct {
	ID      store.ID // as it was found: older results are those before it
	Message messages.Message
	At      time.Time
	By      string // the sender's name
	Text    string // the names of files, if there is no text
	Where   string // group and theme, or the other person
	Link    string // path of the page that shows it; "" if no page does
}

// Hits describes messages that somebody found, as they are now; who is that person, and own their name. A message that
// was found by its old text and by a correction is one.
func (o *Org) Hits(ctx context.Context, host string, who jid.JID, own string, fs []store.Found) ([]Hit, error) {
	owner := ""
	if who.Domain() == host {
		owner = who.Local()
	}
	ms, err := messages.Reader{Store: o.st}.Found(ctx, host, o.RoomDomain(host), owner, fs)
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for i, m := range ms {
		if m.ID != 0 && m.Removed == nil {
			hits = append(hits, o.hit(ctx, host, own, fs[i], m))
		}
	}
	return hits, nil
}

func (o *Org) hit(ctx context.Context, host, own string, f store.Found, m messages.Message) Hit {
	h := Hit{ID: f.ID, Message: m, At: m.At, By: f.Nick, Text: m.Short()}
	if f.Room == "" {
		h.Where = f.With
		if h.By = f.With; !f.Incoming {
			h.By = own
		}
		return h
	}
	slug := ""
	if f.Group != "" {
		if g, err := o.GroupByID(ctx, host, f.Group); err == nil { // otherwise the group was deleted meanwhile
			slug = g.Slug
		}
	}
	at := "/m/" + m.ID.String() + "#m-" + m.ID.String()
	switch {
	case slug != "" && f.Theme != "":
		h.Where, h.Link = f.GroupName+" › "+f.ThemeName, "/g/"+slug+"/t/"+f.Theme+at
	case slug != "":
		h.Where, h.Link = f.GroupName, "/g/"+slug+at
	default:
		if h.Where = f.GroupName; h.Where == "" {
			h.Where = jid.Unescape(f.Room)
		}
	}
	return h
}

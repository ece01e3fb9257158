package org

import (
	"context"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Hit is a message that was found, as people see it.
type Hit struct {
	At    time.Time
	By    string // who said it
	Text  string
	Where string // group and theme, or with whom
	Link  string // path of the page that shows it; "" for what is on none
}

// found bounds what is read of a message: it is a stanza that came in through a door with smaller limits.
var found = wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200}

// Hit describes a message that was found for somebody; own is what that person is called.
func (o *Org) Hit(ctx context.Context, host, own string, m store.Found) Hit {
	h := Hit{At: m.ID.Time(), By: m.Nick}
	if st, err := wire.ParseStanza(m.Stanza, found); err == nil {
		h.Text = st.BodyText()
	}
	if m.Room == "" {
		h.Where = m.With
		if h.By = m.With; !m.Incoming {
			h.By = own
		}
		return h
	}
	slug := ""
	if m.Group != "" {
		if g, err := o.GroupByID(ctx, host, m.Group); err == nil { // else it is gone meanwhile
			slug = g.Slug
		}
	}
	at := "/m/" + m.ID.String() + "#m-" + m.ID.String()
	switch {
	case slug != "" && m.Theme != "":
		h.Where, h.Link = m.GroupName+" › "+m.ThemeName, "/g/"+slug+"/t/"+m.Theme+at
	case slug != "":
		h.Where, h.Link = m.GroupName, "/g/"+slug+at
	default:
		if h.Where = m.GroupName; h.Where == "" {
			h.Where = jid.Unescape(m.Room)
		}
	}
	return h
}

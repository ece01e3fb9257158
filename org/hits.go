package org

import (
	"context"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Hit is a search result as people see it.
type Hit struct {
	At    time.Time
	By    string // the sender's name
	Text  string
	Where string // group and theme, or the other person
	Link  string // path of the page that shows it; "" if no page does
}

// found limits the parsing of stored messages, which came in through doors with lower limits.
var found = wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200}

// Hit describes a message that somebody found; own is that person's name.
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
		if g, err := o.GroupByID(ctx, host, m.Group); err == nil { // otherwise the group was deleted meanwhile
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

package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"parley/internal/fault"
	"parley/store"
	"parley/store/fulltext"
)

func (s *Server) searching() {
	s.handle("GET /search", member, (*request).search)
}

// search finds messages, people and groups. The store's queries find only messages that the person may read.
func (c *request) search() error {
	ctx, q := c.r.Context(), c.form("q")
	if c.form("palette") != "" && c.r.Header.Get("HX-Request") != "" {
		return c.palette(q)
	}
	d := map[string]any{"Q": q, "From": c.form("from"), "Group": c.form("group")}
	gs, err := c.s.Org.GroupsOf(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	d["Groups"] = gs
	if q == "" {
		return c.show("search", c.T("Search"), d)
	}
	f := c.s.Find(ctx, c.host(), c.self(), q)
	f.Max = 30
	if from := c.form("from"); from != "" {
		if !strings.Contains(from, "@") {
			from += "@" + c.host()
		}
		f.From = from
	}
	if slug := c.form("group"); slug != "" {
		if f.Group, err = c.s.searchedGroup(ctx, c.host(), slug); err != nil {
			return err
		}
	}
	if older := c.form("older"); older != "" {
		if f.Older, err = store.ParseID(older); err != nil {
			return notFound
		}
	}
	found, complete, err := c.s.Store.SearchMessages(ctx, f)
	if errors.Is(err, fulltext.ErrTooMuch) {
		d["Error"] = c.T("This is too much to search for: use fewer words")
		return c.page(http.StatusUnprocessableEntity, "search", c.T("Search"), d)
	}
	if err != nil {
		return err
	}
	if d["Hits"], err = c.s.Org.Hits(ctx, c.host(), c.self(), c.Me.Display(), found); err != nil {
		return err
	}
	d["Done"] = true
	if !complete && len(found) > 0 {
		d["Older"] = found[len(found)-1].ID.String()
	}
	if f.Older == 0 {
		fields := strings.Fields(q)
		total := 0
		if d["People"], total, err = c.colleagues(store.PeopleFilter{
			Words: fields[:min(len(fields), 8)],
			State: store.StateActive,
			Limit: 5,
		}); err != nil {
			return err
		}
		d["MorePeople"] = max(0, total-5)
	}
	return c.show("search", c.T("Search"), d)
}

// searchedGroup returns the ID of a group by its slug, or an ID that no group has: only the results show whether a
// group exists.
func (s *Server) searchedGroup(ctx context.Context, host, slug string) (string, error) {
	g, err := s.Org.Group(ctx, host, slug)
	if fault.Is(err, fault.NotFound) {
		return "none", nil
	}
	return g.ID, err
}

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/org"
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
	d := map[string]any{"Q": q}
	for _, name := range []string{"From", "Group", "After", "Before", "Has"} {
		d[name] = c.form(strings.ToLower(name))
	}
	gs, err := c.s.Org.GroupsOf(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	d["Groups"] = gs
	if strings.TrimSpace(q) == "" && !slices.ContainsFunc([]string{"from", "group", "after", "before", "has"},
		func(name string) bool { return c.form(name) != "" }) {
		return c.show("search", c.T("Search"), d)
	}
	f, err := c.searched(q)
	if err != nil {
		return err
	}
	err = c.findMessages(f, d)
	if errors.Is(err, fulltext.ErrTooMuch) {
		d["Error"] = c.T("This is too much to search for: use fewer words")
		return c.page(http.StatusUnprocessableEntity, "search", c.T("Search"), d)
	}
	if err != nil {
		return err
	}
	d["Done"] = true
	if f.Older == 0 && q != "" {
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

// searched reads the filters of a search. Days are those of UTC, as on all pages.
func (c *request) searched(q string) (f store.Find, err error) {
	ctx := c.r.Context()
	f = c.s.Find(ctx, c.host(), c.self(), q)
	f.Max = 30
	if from := c.form("from"); from != "" {
		if !strings.Contains(from, "@") {
			from += "@" + c.host()
		}
		f.From = from
	}
	if slug := c.form("group"); slug != "" {
		if f.Group, err = c.s.searchedGroup(ctx, c.host(), slug); err != nil {
			return f, err
		}
	}
	if older := c.form("older"); older != "" {
		if f.Older, err = store.ParseID(older); err != nil {
			return f, notFound
		}
	}
	for name, at := range map[string]*time.Time{"after": &f.After, "before": &f.Before} {
		if day := c.form(name); day != "" {
			if *at, err = time.Parse(time.DateOnly, day); err != nil {
				return f, notFound
			}
		}
	}
	if !f.Before.IsZero() {
		f.Before = f.Before.Add(-time.Microsecond)
	}
	return f, nil
}

// findMessages finds messages by words, or by the filters alone.
func (c *request) findMessages(f store.Find, d map[string]any) error {
	ctx, has := c.r.Context(), c.form("has")
	var found []store.Found
	noted := false
	if strings.TrimSpace(f.Text) == "" {
		if noted = has == "mention"; noted {
			f.Mentioned = true
		} else {
			f.Any = messages.Traces(has)
		}
		looked, err := c.s.Store.LookMessages(ctx, f)
		if err != nil {
			return err
		}
		if found = looked.Found; looked.Upto != 0 {
			d["Older"] = looked.Upto.String()
		}
		if looked.Upto != 0 && len(found) < f.Max {
			d["Until"] = looked.Upto.Time()
		}
	} else {
		var complete bool
		var err error
		if found, complete, err = c.s.Store.SearchMessages(ctx, f); err != nil {
			return err
		}
		if !complete && len(found) > 0 {
			d["Older"] = found[len(found)-1].ID.String()
		}
	}
	hits, err := c.s.Org.Hits(ctx, c.host(), c.self(), c.Me.Display(), found)
	d["Hits"] = slices.DeleteFunc(hits, func(h org.Hit) bool {
		return !noted && !h.Message.Has(has, c.self().String())
	})
	return err
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

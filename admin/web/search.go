package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/admin"
	"parley/org"
	"parley/store"
	"parley/store/words"
	"parley/wire"
)

func (s *Server) searching() {
	s.handle("GET /search", member, (*ctx).search)
}

// hit is a message that has the words.
type hit struct {
	Where, Link, By, Text string
	At                    time.Time
}

// search finds messages, people and groups. What may be read is the store's to say, in the query itself.
func (c *ctx) search() error {
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
	if errors.Is(err, words.ErrTooMuch) {
		d["Error"] = c.T("This is too much to look for: fewer words, please")
		return c.page(http.StatusUnprocessableEntity, "search", c.T("Search"), d)
	}
	if err != nil {
		return err
	}
	var hits []hit
	for _, m := range found {
		hits = append(hits, c.s.hitOf(ctx, c.host(), c.Me.Display(), m))
	}
	d["Hits"], d["Done"] = hits, true
	if !complete && len(found) > 0 {
		d["Older"] = found[len(found)-1].ID.String()
	}
	if f.Older == 0 {
		fields := strings.Fields(q)
		if d["People"], _, err = c.colleagues(store.PeopleFilter{Words: fields[:min(len(fields), 8)], State: store.StateActive, Limit: 5}); err != nil {
			return err
		}
	}
	return c.show("search", c.T("Search"), d)
}

// searchedGroup gives the id of a group by its slug, or what none has: whether there is such a group is told by nothing but
// what is found in it.
func (s *Server) searchedGroup(ctx context.Context, host, slug string) (string, error) {
	g, err := s.Org.Group(ctx, host, slug)
	var oe *org.Error
	if errors.As(err, &oe) && oe.Kind == org.NotFound {
		return "none", nil
	}
	return g.ID, err
}

// hitOf shows one that was found; own is what the asker is called. Who may read what is in a group may open its page.
func (s *Server) hitOf(ctx context.Context, host, own string, m store.Found) hit {
	slug := ""
	if m.Group != "" {
		if g, err := s.Org.GroupByID(ctx, host, m.Group); err == nil { // else it is gone meanwhile
			slug = g.Slug
		}
	}
	h := hit{At: m.ID.Time(), By: m.Nick}
	if st, err := wire.ParseStanza(m.Stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200}); err == nil {
		h.Text = st.BodyText()
	}
	switch {
	case m.Room == "":
		h.Where = m.With
		if h.By = m.With; !m.Incoming {
			h.By = own
		}
	case slug != "" && m.Theme != "":
		h.Where, h.Link = m.GroupName+" › "+m.ThemeName, "/g/"+slug+"/t/"+m.Theme+"/m/"+m.ID.String()+"#m-"+m.ID.String()
	case slug != "":
		h.Where, h.Link = m.GroupName, "/g/"+slug+"/m/"+m.ID.String()+"#m-"+m.ID.String()
	default:
		if h.Where = m.GroupName; h.Where == "" {
			h.Where = m.Room
		}
	}
	return h
}

func (s *Server) federation() {
	s.handle("GET /admin/federation", runs, (*ctx).federationPage)
	s.handle("POST /admin/federation/test", runs, (*ctx).testDomain)
	s.handle("POST /admin/federation/rules", runs, (*ctx).domainRule)
}

func (c *ctx) federationData() (map[string]any, error) {
	d := map[string]any{"Actions": []string{"block", "allow", "certificate", "dialback"}, "Operates": c.P.Operates(c.Actor)}
	rules, err := c.s.Ops.DomainRules(c.r.Context())
	if err != nil {
		return nil, err
	}
	d["Rules"] = rules
	ds, err := c.s.Ops.Domains(c.r.Context())
	if text, _, ok := c.explain(err); ok {
		d["Off"] = text
		return d, nil
	}
	if !c.P.Operates(c.Actor) {
		ds = ownDomains(ds, c.host())
	}
	d["Domains"] = ds
	return d, err
}

// ownDomains leaves what concerns one host: with whom another organization speaks is its own affair.
func ownDomains(ds []admin.Domain, host string) (out []admin.Domain) {
	for _, d := range ds {
		d.Streams = slices.DeleteFunc(slices.Clone(d.Streams), func(s admin.Stream) bool {
			own := s.From
			if s.Incoming {
				own = s.To
			}
			return own != host && !strings.HasSuffix(own, "."+host)
		})
		if len(d.Streams) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func (c *ctx) federationPage() error {
	d, err := c.federationData()
	if err != nil {
		return err
	}
	return c.show("federation", c.T("Federation"), d)
}

// testDomain tries to reach a domain, step by step.
func (c *ctx) testDomain() error {
	d, err := c.federationData()
	if err != nil {
		return err
	}
	d["Tested"] = c.form("domain")
	steps, err := c.s.Ops.TestDomain(c.r.Context(), c.host(), c.form("domain"))
	if err != nil {
		text, _, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"] = text
		return c.page(http.StatusUnprocessableEntity, "federation", c.T("Federation"), d)
	}
	d["Steps"] = steps
	return c.show("federation", c.T("Federation"), d)
}

func (c *ctx) domainRule() error {
	const page = "/admin/federation"
	ctx, domain := c.r.Context(), c.form("domain")
	if !c.P.Operates(c.Actor) {
		return forbidden
	}
	var err error
	switch do := c.form("do"); do {
	case "remove":
		err = c.s.Ops.DeleteDomainRule(ctx, domain)
	case "only", "all":
		err = c.s.Ops.SetOnlyListed(ctx, do == "only")
	default:
		err = c.s.Ops.SetDomainRules(ctx, adminRules(domain, do, c.form("note")))
	}
	if err != nil {
		return c.oops(page, err)
	}
	c.P.Audit(ctx, c.Actor, "system.federation", domain, map[string]any{"do": c.form("do")})
	return c.done(page, "Saved")
}

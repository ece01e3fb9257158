package people

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
)

// MaxLinks is how many links an organization may show to its people.
const MaxLinks = 50

// LinkChange is a change of a link that the organization shows to its people; nil: unchanged. Every door makes its
// input from its tags: see package shape.
type LinkChange struct {
	Name   *string   `json:"name,omitempty" label:"Name in English" maxLength:"60"`
	NameFR *string   `json:"name_fr,omitempty" label:"Name in French" maxLength:"60" doc:"empty: use the English name"`
	URL    *string   `json:"url,omitempty" label:"Link address" maxLength:"2000" doc:"begins with https:// or http://"`
	Icon   *string   `json:"icon,omitempty" label:"Icon" enum:"link,ticket,phone,calendar,book-open,folder,life-buoy,globe,briefcase,wrench,chart-column,graduation-cap,clock"`
	Roles  *[]string `json:"roles,omitempty" label:"Roles that see it" maxItems:"4" doc:"without roles and teams everybody sees it"`
	Teams  *[]string `json:"teams,omitempty" label:"Teams that see it" maxItems:"100" doc:"their slugs"`
	Place  *int      `json:"place,omitempty" minimum:"1" maximum:"50" doc:"place in the order of links, from 1"`
}

// LinkAs gives the change that would make a link. Teams that were deleted are not in it.
func (p *People) LinkAs(ctx context.Context, l store.Link) (LinkChange, error) {
	slugs, err := p.teamSlugs(ctx, l.Teams)
	if err != nil {
		return LinkChange{}, err
	}
	roles := append([]string{}, l.Roles...)
	return LinkChange{Name: &l.Name, NameFR: &l.NameFR, URL: &l.URL, Icon: &l.Icon, Roles: &roles, Teams: &slugs}, nil
}

// Links gives all links of the organization, in order. Administrators may read them.
func (p *People) Links(ctx context.Context, by Actor) ([]store.Link, error) {
	if !by.Runs() {
		return nil, fault.ErrRole
	}
	return p.st.Links(ctx, p.h.Domain)
}

// LinksFor gives the links that are shown to a person: those for everybody, for their role, or for one of their teams.
func (p *People) LinksFor(ctx context.Context, u store.Person) ([]store.Link, error) {
	ls, err := p.st.Links(ctx, p.h.Domain)
	if err != nil || len(ls) == 0 {
		return nil, err
	}
	ts, err := p.cfg.Org.TeamsOf(ctx, p.h.Domain, u.Name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ls, func(l store.Link) bool { return !isAmong(l.Roles, l.Teams, u, ts) }), nil
}

// CreateLink defines a link, behind the others unless a place is given. Administrators may do this.
func (p *People) CreateLink(ctx context.Context, by Actor, c LinkChange) (l store.Link, err error) {
	err = p.changeLinks(ctx, by, func(ctx context.Context, a *acts.Act, ls []store.Link) ([]store.Link, error) {
		if len(ls) >= MaxLinks {
			return nil, fault.New(fault.Limit, "", "There are already {{.Max}} links, and there cannot be more",
				"Max", strconv.Itoa(MaxLinks))
		}
		l = store.Link{ID: p.h.IDs.Next().String(), Icon: "link"}
		if err := p.changeLink(ctx, &l, c); err != nil {
			return nil, err
		}
		ls = moved(append(ls, l), len(ls), c.Place)
		l.Place = int64(linkAt(ls, l.ID) + 1)
		a.Note(acts.LinkCreate, l.ID, acts.Detail{"name": l.Name, "url": l.URL})
		return ls, nil
	})
	return l, err
}

// ChangeLink changes a link. Administrators may do this.
func (p *People) ChangeLink(ctx context.Context, by Actor, id string, c LinkChange) (l store.Link, err error) {
	err = p.changeLinks(ctx, by, func(ctx context.Context, a *acts.Act, ls []store.Link) ([]store.Link, error) {
		at := linkAt(ls, id)
		if at < 0 {
			return nil, errNoLink
		}
		was, err := p.LinkAs(ctx, ls[at])
		if err != nil {
			return nil, err
		}
		if err := p.changeLink(ctx, &ls[at], c); err != nil {
			return nil, err
		}
		l = ls[at]
		is, err := p.LinkAs(ctx, l)
		if err != nil {
			return nil, err
		}
		detail := acts.Detail{}
		shape.Differences(was, is, func(name string, before, after any) { detail[name] = []any{before, after} })
		ls = moved(ls, at, c.Place)
		now := linkAt(ls, id)
		if now != at {
			detail["place"] = []any{at + 1, now + 1}
		}
		l.Place = int64(now + 1)
		if len(detail) > 0 {
			a.Note(acts.LinkChange, id, detail)
		}
		return ls, nil
	})
	return l, err
}

// DeleteLink removes a link. Administrators may do this.
func (p *People) DeleteLink(ctx context.Context, by Actor, id string) error {
	return p.changeLinks(ctx, by, func(ctx context.Context, a *acts.Act, ls []store.Link) ([]store.Link, error) {
		at := linkAt(ls, id)
		if at < 0 {
			return nil, errNoLink
		}
		if err := p.st.DeleteLink(ctx, p.h.Domain, id); err != nil {
			return nil, err
		}
		a.Note(acts.LinkDelete, id, acts.Detail{"name": ls[at].Name, "url": ls[at].URL})
		return slices.Delete(ls, at, at+1), nil
	})
}

// linksAct gives the new list of links, in order, within an act. It must use the act's context for the store.
type linksAct func(ctx context.Context, a *acts.Act, ls []store.Link) ([]store.Link, error)

// changeLinks changes the list of links in one act.
func (p *People) changeLinks(ctx context.Context, by Actor, f linksAct) error {
	list := ordered[store.Link]{
		read:  func(ctx context.Context) ([]store.Link, error) { return p.Links(ctx, by) },
		write: p.st.SetLink,
		id:    func(l *store.Link) string { return l.ID },
		place: func(l *store.Link) *int64 { return &l.Place },
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error { return list.change(ctx, a, p.h.Domain, f) })
}

var errNoLink = fault.New(fault.NotFound, "", "There is no such link")

func linkAt(ls []store.Link, id string) int {
	return slices.IndexFunc(ls, func(l store.Link) bool { return l.ID == id })
}

// changeLink makes the given changes to a link. It refuses a link that is not complete.
func (p *People) changeLink(ctx context.Context, l *store.Link, c LinkChange) (err error) {
	if err := fits(c); err != nil {
		return err
	}
	if c.Name != nil {
		if l.Name, err = line("name", *c.Name); err != nil {
			return err
		}
	}
	if c.NameFR != nil {
		if l.NameFR, err = line("name_fr", *c.NameFR); err != nil {
			return err
		}
	}
	if c.URL != nil {
		if l.URL, err = webAddress("url", *c.URL); err != nil {
			return err
		}
	}
	if c.Icon != nil {
		l.Icon = *c.Icon
	}
	if c.Roles != nil {
		if l.Roles, err = chosenRoles(*c.Roles); err != nil {
			return err
		}
	}
	if c.Teams != nil {
		if l.Teams, err = p.chosenTeams(ctx, *c.Teams); err != nil {
			return err
		}
	}
	switch {
	case l.Name == "":
		return fault.New(fault.Invalid, "name", "A link needs a name")
	case l.URL == "":
		return fault.New(fault.Invalid, "url", "A link needs an address")
	}
	return nil
}

// webAddress checks the address of a page on the web; "" is none.
func webAddress(field, s string) (string, error) {
	s, err := lineOf(field, s, 2000)
	if err != nil || s == "" {
		return "", err
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(s, " \"<>") {
		return "", fault.New(fault.Invalid, field, "This is no address of a page: it begins with https://")
	}
	return s, nil
}

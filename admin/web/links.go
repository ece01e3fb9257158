package web

import (
	"net/http"
	"slices"

	"parley/people"
	"parley/store"
)

const linksPath = "/admin/settings/links"

// links are the pages on which administrators define the links that people see at home and in the chat.
func (s *Server) links() {
	s.handle("GET "+linksPath, runs, (*request).linkList)
	s.handle("POST "+linksPath, runs, (*request).createLink)
	s.handle("GET "+linksPath+"/{link}", runs, (*request).linkPage)
	s.handle("POST "+linksPath+"/{link}", runs, (*request).saveLink)
	s.handle("POST "+linksPath+"/{link}/{act}", runs, (*request).linkAct)
}

// linkRow is a link on a page.
type linkRow struct {
	store.Link
	Label string // its name in the page's language
	For   audience
}

// linksData is the data of the pages of links: all links with the form of a new one, or one link with its form.
type linksData struct {
	Links []linkRow
	One   linkRow
	Rows  []formRow
	Roles []input // boxes
	Teams []input // boxes
	Error string  // an error that belongs to no input
}

// refuse shows an error at its input, or above the form.
func (d *linksData) refuse(text, field string) {
	for i := range d.Rows {
		if d.Rows[i].Name == field {
			d.Rows[i].Error = text
			return
		}
	}
	d.Error = text
}

// linkName returns a link's name in the page's language.
func (c *request) linkName(l store.Link) string {
	if c.Lang.Code == "fr" && l.NameFR != "" {
		return l.NameFR
	}
	return l.Name
}

// linksForm returns the data of the pages with a form that has a change's values.
func (c *request) linksForm(change people.LinkChange) (d linksData, err error) {
	ls, err := c.P.Links(c.r.Context(), c.Actor)
	if err != nil {
		return d, err
	}
	ts, err := c.s.Org.Teams(c.r.Context(), c.host())
	if err != nil {
		return d, err
	}
	for _, l := range ls {
		d.Links = append(d.Links, linkRow{l, c.linkName(l), c.audienceOf(l.Roles, l.Teams, ts)})
	}
	d.Rows = slices.DeleteFunc(c.formRows("link", change, "name", "url"), func(r formRow) bool {
		return r.Name == "roles" || r.Name == "teams"
	})
	for i := range d.Rows {
		if d.Rows[i].Name == "url" {
			d.Rows[i].input = has("type=url placeholder=https://", d.Rows[i].input)
		}
	}
	d.Roles, d.Teams = c.audienceBoxes(change.Roles, change.Teams, ts)
	return d, nil
}

// linkForm is linksForm for the link in the path; a change takes precedence over its values.
func (c *request) linkForm(change *people.LinkChange) (d linksData, err error) {
	ls, err := c.P.Links(c.r.Context(), c.Actor)
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(ls, func(l store.Link) bool { return l.ID == c.r.PathValue("link") })
	if at < 0 {
		return d, notFound
	}
	as, err := c.P.LinkAs(c.r.Context(), ls[at])
	if err != nil {
		return d, err
	}
	if change != nil {
		as = *change
	}
	if d, err = c.linksForm(as); err == nil {
		d.One = d.Links[at]
	}
	return d, err
}

// linkChange reads the form of a link. Boxes that are not ticked are not sent.
func (c *request) linkChange() (ch people.LinkChange, err error) {
	if err := c.r.ParseForm(); err != nil {
		return ch, badForm
	}
	if err := c.readChange(&ch); err != nil {
		return ch, badForm
	}
	roles, teams := slices.Clone(c.r.Form["roles"]), slices.Clone(c.r.Form["teams"])
	ch.Roles, ch.Teams = &roles, &teams
	return ch, nil
}

func (c *request) linkList() error {
	d, err := c.linksForm(people.LinkChange{})
	if err != nil {
		return err
	}
	return c.show("links", c.T("Links"), d)
}

func (c *request) createLink() error {
	ch, err := c.linkChange()
	if err != nil {
		return err
	}
	l, err := c.P.CreateLink(c.r.Context(), c.Actor, ch)
	if err == nil {
		return c.done(linksPath, "The link {{.Name}} was created", "Name", c.linkName(l))
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	d, err := c.linksForm(ch)
	if err != nil {
		return err
	}
	d.refuse(text, field)
	return c.page(http.StatusUnprocessableEntity, "links", c.T("Links"), d)
}

func (c *request) linkPage() error {
	d, err := c.linkForm(nil)
	if err != nil {
		return err
	}
	return c.show("link", d.One.Label, d)
}

func (c *request) saveLink() error {
	ch, err := c.linkChange()
	if err != nil {
		return err
	}
	if _, err = c.P.ChangeLink(c.r.Context(), c.Actor, c.r.PathValue("link"), ch); err == nil {
		return c.done(linksPath, "Saved")
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	d, err := c.linkForm(&ch)
	if err != nil {
		return err
	}
	d.refuse(text, field)
	return c.page(http.StatusUnprocessableEntity, "link", d.One.Label, d)
}

// linkAct moves a link among the others, or deletes it.
func (c *request) linkAct() error {
	d, err := c.linkForm(nil)
	if err != nil {
		return err
	}
	ctx, l := c.r.Context(), d.One
	place := 1 + slices.IndexFunc(d.Links, func(o linkRow) bool { return o.ID == l.ID })
	switch c.r.PathValue("act") {
	case "up":
		place = max(1, place-1)
	case "down":
		place = min(len(d.Links), place+1)
	case "delete":
		if err := c.P.DeleteLink(ctx, c.Actor, l.ID); err != nil {
			return c.oops(linksPath, err)
		}
		return c.done(linksPath, "The link {{.Name}} was deleted", "Name", l.Label)
	default:
		return notFound
	}
	if _, err := c.P.ChangeLink(ctx, c.Actor, l.ID, people.LinkChange{Place: &place}); err != nil {
		return c.oops(linksPath, err)
	}
	return c.to(linksPath)
}

// ownLink is a link as a person sees it, on pages and in the chat.
type ownLink struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	Icon string `json:"icon"`
}

// ownLinks gives the links that are shown to the signed-in person.
func (c *request) ownLinks() ([]ownLink, error) {
	ls, err := c.P.LinksFor(c.r.Context(), *c.Me)
	out := []ownLink{}
	for _, l := range ls {
		out = append(out, ownLink{c.linkName(l), l.URL, l.Icon})
	}
	return out, err
}

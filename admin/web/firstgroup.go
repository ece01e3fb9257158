package web

import (
	"parley/internal/fault"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

// offersFirstGroup says whether a person is to be offered the organization's first group: there is none yet, and they
// may create groups.
func (c *request) offersFirstGroup() (bool, error) {
	if !c.mayCreate() {
		return false, nil
	}
	n, err := c.s.Org.CountGroups(c.r.Context(), c.host())
	return n == 0, err
}

// makeFirstGroup makes the organization's first group, owned by a person, with a theme in which people introduce
// themselves. Its words are in the page's language.
func (c *request) makeFirstGroup(by people.Actor) (store.Group, error) {
	owner, err := jid.New(by.Name, c.host(), "")
	if err != nil {
		return store.Group{}, err
	}
	return c.s.Org.CreateFirstGroup(c.r.Context(), by, c.host(), org.NewGroup{
		Name:        c.T("General"),
		Description: c.T("News and questions that concern everyone"),
		Kind:        org.Public,
		Owner:       owner,
	}, c.T("Introductions"))
}

// createFirstGroup makes the first group from the home page.
func (c *request) createFirstGroup() error {
	if !c.mayCreate() {
		return fault.ErrRole
	}
	g, err := c.makeFirstGroup(c.Actor)
	if err != nil {
		return c.oops("/", err)
	}
	return c.done("/g/"+g.Slug, "The group {{.Name}} was created and is in its members' apps", "Name", g.Name)
}

package web

import (
	"net/http"

	"parley/store"
)

const savedPath = "/me/saved"

// saved is the page with what the teams of the signed-in person share.
func (s *Server) saved() {
	s.handle("GET "+savedPath, member, (*request).savedPage)
	s.handle("POST "+savedPath, member, (*request).save)
}

// savedTeam is a team with what it shares.
type savedTeam struct {
	store.Team
	Snippets, Contacts []store.Shared
}

// savedData is the data of the page. The texts are those of a form that was refused.
type savedData struct {
	Teams            []savedTeam
	Team, Kind       string
	Name, Text       string
	Error, Field     string
	Snippets, People int // how many there are in all
}

func (c *request) savedData() (d savedData, err error) {
	ctx := c.r.Context()
	ts, err := c.s.Org.TeamsOf(ctx, c.host(), c.Me.Name)
	if err != nil {
		return d, err
	}
	for _, t := range ts {
		one := savedTeam{Team: t}
		if one.Snippets, err = c.s.Org.TeamShares(ctx, c.host(), t.ID, store.SharedSnippet); err != nil {
			return d, err
		}
		if one.Contacts, err = c.s.Org.TeamShares(ctx, c.host(), t.ID, store.SharedContact); err != nil {
			return d, err
		}
		d.Teams = append(d.Teams, one)
		d.Snippets, d.People = d.Snippets+len(one.Snippets), d.People+len(one.Contacts)
	}
	return d, nil
}

func (c *request) savedPage() error {
	d, err := c.savedData()
	if err != nil {
		return err
	}
	return c.show("saved", c.T("Saved replies and contacts"), d)
}

// save shares something with a team of the person, or takes it back.
func (c *request) save() error {
	team := c.form("team")
	if c.form("do") == "remove" {
		return c.unshare(savedPath, team)
	}
	err := c.shareWith(team)
	if err == nil {
		return c.done(savedPath, "{{.Name}} is shared with the team", "Name", c.form("name"))
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	d, err := c.savedData()
	if err != nil {
		return err
	}
	d.Team, d.Kind, d.Name, d.Text = team, c.form("kind"), c.form("name"), c.form("text")
	d.Error, d.Field = text, field
	return c.page(http.StatusUnprocessableEntity, "saved", c.T("Saved replies and contacts"), d)
}

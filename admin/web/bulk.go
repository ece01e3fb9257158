package web

import (
	"parley/internal/fault"
	"parley/people"
)

// chosenPeople returns the selected people, or all that the form's filter matches, without the caller.
func (c *request) chosenPeople() ([]string, error) {
	if c.form("all") == "" {
		return c.r.Form["name"], nil
	}
	f := c.peopleFilter()
	f.Limit = maxChosen
	ps, total, err := c.s.Store.People(c.r.Context(), c.host(), f)
	if err != nil {
		return nil, err
	}
	if total > maxChosen {
		return nil, fault.New(fault.Invalid, "", "Too many people at once: narrow the list")
	}
	var names []string
	for _, p := range ps {
		if p.Name != c.Me.Name {
			names = append(names, p.Name)
		}
	}
	return names, nil
}

// maxUndo is how many people one form can undo: the browser keeps them until the next page.
const maxUndo = 30

// bulk does one thing to all chosen people, and says to how many.
func (c *request) bulk() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	back := c.back("/admin/people")
	names, err := c.chosenPeople()
	if err != nil {
		return c.oops(back, err)
	}
	if len(names) == 0 {
		return c.oops(back, fault.New(fault.Invalid, "", "Select some people first"))
	}
	do := c.form("do")
	yes, no := true, false
	change := map[string]people.Change{
		"disable": {Disabled: &yes},
		"enable":  {Disabled: &no, Archived: &no},
		"archive": {Archived: &yes},
	}
	var done []string
	failed := ""
	for _, n := range names {
		var err error
		switch do {
		case "invite":
			_, _, err = c.P.Invite(c.r.Context(), c.Actor, people.Invite{Username: n, Send: true})
		case "disable", "enable", "archive":
			_, err = c.P.Update(c.r.Context(), c.Actor, n, change[do])
		default:
			return notFound
		}
		if err == nil {
			done = append(done, n)
			continue
		}
		text, _, ok := c.explain(err)
		if !ok {
			return err
		}
		failed = text
	}
	if len(done) < len(names) {
		c.say("error", c.T("Done for {{.Count}} people", "Count", len(done))+". "+
			c.T("Not done for the others: {{.Why}}", "Why", failed))
		return c.to(back)
	}
	if other := map[string]string{"disable": "enable", "archive": "enable"}[do]; other != "" && len(done) <= maxUndo {
		u := undo("/admin/people", "do", other, "back", back)
		for _, n := range done {
			u.Fields = append(u.Fields, [2]string{"name", n})
		}
		return c.undoable(back, u, "Done for {{.Count}} people", "Count", len(done))
	}
	return c.done(back, "Done for {{.Count}} people", "Count", len(done))
}

package web

import (
	"net/http"
	"slices"

	"parley/people"
	"parley/store"
)

const actionsPath = "/admin/settings/actions"

// actions are the pages on which administrators define what people can have programs do with messages.
func (s *Server) actions() {
	s.handle("GET "+actionsPath, runs, (*request).actionList)
	s.handle("POST "+actionsPath, runs, (*request).createAction)
	s.handle("GET "+actionsPath+"/{action}", runs, (*request).actionPage)
	s.handle("POST "+actionsPath+"/{action}", runs, (*request).saveAction)
	s.handle("POST "+actionsPath+"/{action}/{act}", runs, (*request).actionAct)
}

// actionRow is an action on a page.
type actionRow struct {
	store.Action
	Label string // its name in the page's language
	For   audience
}

// actionsData is the data of the pages of actions: all with the form of a new one, or one with its form.
type actionsData struct {
	Actions []actionRow
	One     actionRow
	Made    *store.Action // has just got its secret
	Rows    []formRow
	Comment formRow
	Tells   []input // boxes
	Roles   []input // boxes
	Teams   []input // boxes
	Chosen  bool    // it is for some groups only
	Groups  picker
	Error   string
}

// actionName returns an action's name in the page's language.
func (c *request) actionName(a store.Action) string {
	if c.Lang.Code == "fr" && a.NameFR != "" {
		return a.NameFR
	}
	return a.Name
}

// actionsForm returns the data of the pages with a form that has a change's values.
func (c *request) actionsForm(change people.ActionChange) (d actionsData, err error) {
	as, err := c.P.Actions(c.r.Context(), c.Actor)
	if err != nil {
		return d, err
	}
	ts, err := c.s.Org.Teams(c.r.Context(), c.host())
	if err != nil {
		return d, err
	}
	for _, a := range as {
		d.Actions = append(d.Actions, actionRow{a, c.actionName(a), c.audienceOf(a.Roles, a.Teams, ts)})
	}
	for _, r := range c.formRows("link", change, "name", "url") {
		switch r.Name {
		case "comment":
			d.Comment = r
		case "url":
			r.input = has("type=url placeholder=https://", r.input)
			d.Rows = append(d.Rows, r)
		case "name", "name_fr", "icon":
			d.Rows = append(d.Rows, r)
		}
	}
	for _, what := range people.Tells {
		in := newInput("box", "tells", c.T("tell "+what), what)
		in.On = change.Tells == nil || ticked(change.Tells, what)
		d.Tells = append(d.Tells, in)
	}
	d.Roles, d.Teams = c.audienceBoxes(change.Roles, change.Teams, ts)
	var groups []string
	if change.Groups != nil {
		groups = *change.Groups
	}
	d.Chosen = len(groups) > 0
	d.Groups, err = c.allGroupsPicker("groups", groups)
	return d, err
}

// actionForm is actionsForm for the action in the path; a change takes precedence over its values.
func (c *request) actionForm(change *people.ActionChange) (d actionsData, err error) {
	as, err := c.P.Actions(c.r.Context(), c.Actor)
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(as, func(a store.Action) bool { return a.ID == c.r.PathValue("action") })
	if at < 0 {
		return d, notFound
	}
	is, err := c.P.ActionAs(c.r.Context(), as[at])
	if err != nil {
		return d, err
	}
	if change != nil {
		is = *change
	}
	if d, err = c.actionsForm(is); err == nil {
		d.One = d.Actions[at]
		d.Chosen = d.Chosen || change == nil && len(as[at].Groups) > 0
	}
	return d, err
}

// actionChange reads the form of an action. Boxes that are not ticked are not sent.
func (c *request) actionChange() (ch people.ActionChange, err error) {
	if err := c.r.ParseForm(); err != nil {
		return ch, badForm
	}
	for _, f := range []struct {
		to   **string
		name string
	}{{&ch.Name, "name"}, {&ch.NameFR, "name_fr"}, {&ch.URL, "url"}, {&ch.Icon, "icon"}} {
		if c.r.Form.Has(f.name) {
			text := c.form(f.name)
			*f.to = &text
		}
	}
	roles, teams := slices.Clone(c.r.Form["roles"]), slices.Clone(c.r.Form["teams"])
	groups, tells := slices.Clone(c.r.Form["groups"]), slices.Clone(c.r.Form["tells"])
	comment := c.r.Form.Has("comment")
	ch.Roles, ch.Teams, ch.Groups, ch.Tells, ch.Comment = &roles, &teams, &groups, &tells, &comment
	return ch, nil
}

// askedGroups says why the groups of a form are no choice: none is chosen, and the action is not for all.
func (c *request) askedGroups(ch *people.ActionChange) (wrong string) {
	if c.form("where") != "groups" {
		*ch.Groups = nil
		return ""
	}
	if len(*ch.Groups) == 0 {
		return c.T("Choose the groups in which the action is")
	}
	return ""
}

func (c *request) actionList() error {
	d, err := c.actionsForm(people.ActionChange{})
	if err != nil {
		return err
	}
	return c.show("actions", c.T("Actions on messages"), d)
}

// createAction shows the secret in the answer itself: this once.
func (c *request) createAction() error {
	ch, err := c.actionChange()
	if err != nil {
		return err
	}
	again := func(status int, d actionsData, err error) error {
		if err != nil {
			return err
		}
		return c.page(status, "actions", c.T("Actions on messages"), d)
	}
	if c.picks("groups") {
		d, err := c.actionsForm(ch)
		d.Chosen = true
		return again(http.StatusOK, d, err)
	}
	if wrong := c.askedGroups(&ch); wrong != "" {
		d, err := c.actionsForm(ch)
		d.Error, d.Chosen = wrong, true
		return again(http.StatusUnprocessableEntity, d, err)
	}
	a, err := c.P.CreateAction(c.r.Context(), c.Actor, ch)
	if err != nil {
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d, err := c.actionsForm(ch)
		d.refuse(text, field)
		return again(http.StatusUnprocessableEntity, d, err)
	}
	d, err := c.actionsForm(people.ActionChange{})
	d.Made = &a
	return again(http.StatusOK, d, err)
}

// refuse shows an error at its input, or above the form.
func (d *actionsData) refuse(text, field string) {
	for i := range d.Rows {
		if d.Rows[i].Name == field {
			d.Rows[i].Error = text
			return
		}
	}
	d.Error = text
}

func (c *request) actionPage() error {
	d, err := c.actionForm(nil)
	if err != nil {
		return err
	}
	return c.show("action", d.One.Label, d)
}

func (c *request) saveAction() error {
	ch, err := c.actionChange()
	if err != nil {
		return err
	}
	again := func(status int, text, field string) error {
		d, err := c.actionForm(&ch)
		if err != nil {
			return err
		}
		d.Chosen = c.form("where") == "groups"
		d.refuse(text, field)
		return c.page(status, "action", d.One.Label, d)
	}
	if c.picks("groups") {
		return again(http.StatusOK, "", "")
	}
	if wrong := c.askedGroups(&ch); wrong != "" {
		return again(http.StatusUnprocessableEntity, wrong, "")
	}
	if _, err = c.P.ChangeAction(c.r.Context(), c.Actor, c.r.PathValue("action"), ch); err == nil {
		return c.done(actionsPath, "Saved")
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	return again(http.StatusUnprocessableEntity, text, field)
}

// actionAct moves an action among the others, gives it a new secret, or deletes it.
func (c *request) actionAct() error {
	d, err := c.actionForm(nil)
	if err != nil {
		return err
	}
	ctx, a := c.r.Context(), d.One
	place := 1 + slices.IndexFunc(d.Actions, func(o actionRow) bool { return o.ID == a.ID })
	switch c.r.PathValue("act") {
	case "up":
		place = max(1, place-1)
	case "down":
		place = min(len(d.Actions), place+1)
	case "secret":
		made, err := c.P.RenewAction(ctx, c.Actor, a.ID)
		if err != nil {
			return c.oops(actionsPath, err)
		}
		d.Made = &made
		return c.show("action", a.Label, d)
	case "delete":
		if err := c.P.DeleteAction(ctx, c.Actor, a.ID); err != nil {
			return c.oops(actionsPath, err)
		}
		return c.done(actionsPath, "The action {{.Name}} was deleted", "Name", a.Label)
	default:
		return notFound
	}
	if _, err := c.P.ChangeAction(ctx, c.Actor, a.ID, people.ActionChange{Place: &place}); err != nil {
		return c.oops(actionsPath, err)
	}
	return c.to(actionsPath)
}

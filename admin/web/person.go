package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/acts"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/internal/sheet"
	"parley/people"
	"parley/store"
)

var badForm = fault.New(fault.Invalid, "", "The form arrived incomplete: try again")

// personData is what the page of a person shows.
type personData struct {
	store.Person
	Can         map[string]bool
	Grants      []string
	Departments []string
	Groups      []store.Group
	Invitations []invitation
	MoreInvited bool // there are older invitations
	Waits       bool // a good link is out
	Devices     []deviceRow
	Online      bool
	Browsers    []store.WebSession
	Audit       []entry
	MoreAudit   bool // there are older entries
	TwoFactor   bool
	Mails       bool
	Self        bool
	Shown       []shownRow
	Own         []fieldRow // the organization's own profile fields
	Error       string
	Field       string
}

type deviceRow struct {
	Address, Resource, Software, Device, Transport, Remote string
	Since                                                  time.Time
	Available                                              bool
}

func (c *request) devices(name string) (ds []deviceRow) {
	for _, s := range c.P.Sessions(name) {
		presence, _ := s.Presence()
		ds = append(ds, deviceRow{s.JID.String(), s.JID.Resource(), s.Info.Client.Software, s.Info.Client.Device,
			s.Info.Transport, s.Info.Remote, s.Started, presence != nil})
	}
	return ds
}

func (c *request) personData(u store.Person) (d personData, err error) {
	ctx := c.r.Context()
	d = personData{
		Person: u,
		Grants: c.Actor.Grants(),
		Mails:  c.P.Mails(),
		Self:   u.Name == c.Me.Name,
		Can: map[string]bool{
			"edit":    c.Actor.May(people.Edit, u),
			"disable": c.Actor.May(people.Disable, u) && u.Name != c.Me.Name,
			"delete":  c.Actor.May(people.Delete, u) && u.Name != c.Me.Name,
			"reset":   c.Actor.May(people.Reset, u),
			"invite":  c.Actor.May(people.Create, u),
			"role":    c.Actor.May(people.SetRole, u) && (u.Name != c.Me.Name || c.Actor.Role == store.RoleOwner),
		},
	}
	d.Shown = c.shownRows(u)
	if d.Own, err = c.fieldRows(u); err != nil {
		return d, err
	}
	if d.Departments, err = c.s.Store.Departments(ctx, c.host()); err != nil {
		return d, err
	}
	if d.Groups, err = c.s.Store.GroupsOf(ctx, c.host(), u.Address()); err != nil {
		return d, err
	}
	is, total, err := c.s.Store.Invitations(ctx, c.host(), store.InvitationFilter{Username: u.Name, Limit: 5})
	if err != nil {
		return d, err
	}
	d.MoreInvited = total > len(is)
	for _, i := range is {
		v, err := c.showInvitation(i, true)
		if err != nil {
			return d, err
		}
		d.Invitations = append(d.Invitations, v)
		d.Waits = d.Waits || i.Kind == store.KindInvite && i.Good(c.now)
	}
	// Only people who may sign this person out see the person's sessions and their addresses.
	if d.Can["disable"] || d.Self {
		d.Devices = c.devices(u.Name)
		if d.Browsers, err = c.s.Store.WebSessionsOf(ctx, c.host(), u.Name, c.now); err != nil {
			return d, err
		}
	}
	d.Online = len(c.P.Sessions(u.Name)) > 0
	const most = 20
	es, err := c.s.Store.AuditEntries(ctx, c.host(), store.AuditFilter{Target: u.Address(), Limit: most + 1})
	if err != nil {
		return d, err
	}
	if d.MoreAudit = len(es) > most; d.MoreAudit {
		es = es[:most]
	}
	d.Audit = c.entries(es)
	f, err := c.s.Store.SecondFactor(ctx, c.host(), u.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return d, err
	}
	d.TwoFactor = f.Confirmed
	return d, nil
}

// person gives who the path names, if the actor may see that person.
func (c *request) person() (store.Person, error) {
	return c.P.Find(c.r.Context(), c.Actor, c.r.PathValue("name"))
}

func (c *request) personPage() error {
	u, err := c.person()
	if err != nil {
		return err
	}
	d, err := c.personData(u)
	if err != nil {
		return err
	}
	return c.show("person", u.Display(), d)
}

// given gives a form's field where it was sent at all.
func (c *request) given(name string) *string {
	if !c.r.Form.Has(name) {
		return nil
	}
	s := c.form(name)
	return &s
}

func (c *request) personSave() error {
	u, err := c.person()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch, err := c.profileChange()
	if err != nil {
		return err
	}
	if _, err := c.P.Update(c.r.Context(), c.Actor, u.Name, ch); err != nil {
		d, derr := c.personData(u)
		if derr != nil {
			return derr
		}
		var ok bool
		if d.Error, d.Field, ok = c.explain(c.inWords(err)); !ok {
			return err
		}
		d.Error = keepRows(d.Own, ch.Fields, d.Error, d.Field)
		role, lang := d.Role, d.Lang
		ch.Into(&d.Person)
		d.Role, d.Lang = role, lang
		return c.page(http.StatusUnprocessableEntity, "person", u.Display(), d)
	}
	return c.done("/admin/people/"+u.Name, "Saved")
}

// personAct does to a person what the last part of the path names.
func (c *request) personAct() error {
	u, err := c.person()
	if err != nil {
		return err
	}
	ctx, page := c.r.Context(), "/admin/people/"+u.Name
	switch c.r.PathValue("act") {
	case "disable", "enable", "archive":
		return c.changeState(u, page)
	case "invite", "reset":
		return c.sendLink(u, page)
	case "signout":
		if _, err := c.P.SignOut(ctx, c.Actor, u.Name); err != nil {
			return c.oops(page, err)
		}
		return c.done(page, "{{.Name}} is signed out everywhere", "Name", u.Display())
	case "undo":
		if err := c.P.Undo(ctx, c.Actor, u.Name); err != nil {
			return c.oops(page, err)
		}
		return c.done("/admin/people", "The creation of {{.Name}} was undone", "Name", u.Display())
	case "photo":
		return c.setPhoto(u, page)
	case "factor":
		if u.Name == c.Me.Name { // people do this for themselves on their own page
			return fault.ErrRole
		}
		if err := c.P.FactorOff(ctx, c.Actor, u.Name); err != nil {
			return c.oops(page, err)
		}
		return c.done(page, "The second step is off: the password alone signs in")
	case "delete":
		return c.deletePerson(u, page)
	}
	return notFound
}

// changeState disables, enables or archives an account. A button undoes it where one step leads back.
func (c *request) changeState(u store.Person, page string) error {
	yes, no := true, false
	ch, text, back := people.Change{Disabled: &yes}, "", "enable"
	if was := u.State(); was == store.StateDisabled || was == store.StateArchived {
		back = "" // no single step leads back
	}
	switch c.r.PathValue("act") {
	case "disable":
		text = "{{.Name}} is disabled and signed out everywhere"
	case "archive":
		ch, text = people.Change{Archived: &yes}, "{{.Name}} is archived and signed out everywhere"
	case "enable":
		ch, text = people.Change{Disabled: &no, Archived: &no}, "{{.Name}} can sign in again"
		back = map[string]string{store.StateDisabled: "disable", store.StateArchived: "archive"}[u.State()]
	}
	if _, err := c.P.Update(c.r.Context(), c.Actor, u.Name, ch); err != nil {
		return c.oops(page, err)
	}
	if back == "" {
		return c.done(page, text, "Name", u.Display())
	}
	return c.undoable(page, undo(page+"/"+back), text, "Name", u.Display())
}

// sendLink makes a link for an invitation or for a new password, and sends it by e-mail if that is possible.
func (c *request) sendLink(u store.Person, page string) (err error) {
	send := c.P.Mails() && u.Email != ""
	if c.r.PathValue("act") == "reset" {
		if _, _, err = c.P.Reset(c.r.Context(), c.Actor, u.Name, send); err != nil {
			return c.oops(page, err)
		}
		return c.done(page+"#access", "The link for a new password is ready")
	}
	if _, _, err = c.P.Invite(c.r.Context(), c.Actor, people.Invite{Username: u.Name, Send: send}); err != nil {
		return c.oops(page, err)
	}
	return c.done(page+"#access", "{{.Name}} is invited", "Name", u.Display())
}

// deletePerson deletes an account whose name was typed to confirm it.
func (c *request) deletePerson(u store.Person, page string) error {
	if c.form("confirm") != u.Name {
		c.say("error", c.T("Type {{.Name}} to delete the account", "Name", u.Name))
		return c.to(page + "#danger")
	}
	if err := c.P.Delete(c.r.Context(), c.Actor, u.Name); err != nil {
		return c.oops(page, err)
	}
	return c.done("/admin/people", "{{.Name}} is deleted", "Name", u.Display())
}

// export gives the people of the current filter as a table for other programs.
func (c *request) export() error {
	fs, err := c.P.FieldsFor(c.r.Context(), c.Actor)
	if err != nil {
		return err
	}
	f := c.peopleFilter()
	f.Limit = 500
	h := c.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	out := sheet.NewWriter(c.w, c.comma())
	head := []string{
		"name", "full_name", "email", "phone", "title", "department", "role", "state", "created", "last_seen",
	}
	for _, own := range fs {
		head = append(head, own.Key)
	}
	out.Write(head...)
	for {
		ps, _, err := c.s.Store.People(c.r.Context(), c.host(), f)
		if err != nil {
			door.Failed(c.r.Context(), c.s.Log, "export", "err", err) // the head is out
			return nil
		}
		for _, p := range ps {
			seen := ""
			if !p.LastSeen.IsZero() {
				seen = p.LastSeen.Format(time.RFC3339)
			}
			line := []string{
				p.Name,
				p.FullName,
				p.Email,
				p.Phone,
				p.Title,
				p.Department,
				p.Role,
				p.State(),
				p.Created.Format(time.RFC3339),
				seen,
			}
			for _, own := range fs {
				line = append(line, p.Fields[own.Key])
			}
			out.Write(line...)
		}
		f.Offset += len(ps)
		if len(ps) < f.Limit {
			break
		}
	}
	if err := out.Flush(); err != nil {
		c.s.Log.Debug("export", "err", err) // the asker has gone
	}
	// The table may have been read, whether or not the asker waits for its end.
	ctx := context.WithoutCancel(c.r.Context())
	if err := c.P.Note(ctx, c.Actor, acts.PersonExport, "", acts.Detail{"count": f.Offset}); err != nil {
		c.s.Log.Error("export", "err", err) // the answer is out
	}
	return nil
}

// comma is the character that separates cells in spreadsheets of a language: Excel reads a file by the user's country.
// separator=comma, semicolon or tab in the address asks for another.
func (c *request) comma() rune {
	switch c.r.URL.Query().Get("separator") {
	case "comma":
		return ','
	case "semicolon":
		return ';'
	case "tab":
		return '\t'
	}
	if c.Lang.Code == "fr" {
		return ';'
	}
	return ','
}

package web

import (
	"net/http"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
)

// colleague holds the form of a new colleague.
type colleague struct {
	people.NewPerson
	Days    string
	Note    string
	Domain  string
	Error   string
	Field   string
	Known   string       // account that has the address already
	Made    string       // the person created just before
	MadeAs  string       // the localpart of that person
	Link    string       // of the invitation made just before
	Preview *mailPreview // nil: not asked for
	NoPhoto bool         // a picture was chosen and has to be chosen again
	Again   bool         // a deleted account had the name recently, and the actor may reuse it

	Grants      []string
	Departments []string
	Own         []fieldRow    // the organization's own profile fields
	Places      picker        // groups
	Mandatory   []store.Group // the first groups that everyone is a member of
	MoreOfThem  int           // and the number of other such groups
	Mails       bool
	MayInvite   bool
	Usual       string // how long a link is valid by default
}

// mailPreview is the mail of an invitation before the invitation exists.
type mailPreview struct{ To, Subject, Text, Error string }

func (c *request) colleague(groups []string) (colleague, error) {
	f := colleague{
		Domain:    c.host(),
		Grants:    c.Actor.Grants(),
		Mails:     c.P.Mails(),
		Usual:     c.span(c.P.Policy().InviteTime),
		MayInvite: c.P.Policy().MayInvite(c.Actor.Role),
	}
	if len(f.Grants) == 0 {
		f.Grants = []string{store.RoleMember}
	}
	f.Role, f.Lang = store.RoleMember, c.Lang.Code
	if c.Actor.Role == store.RoleSupervisor {
		f.Department = c.Actor.Department
	}
	var err error
	if f.Departments, err = c.s.Store.Departments(c.r.Context(), c.host()); err != nil {
		return f, err
	}
	if f.Own, err = c.fieldRows(store.Person{}); err != nil {
		return f, err
	}
	for i := range f.Own {
		f.Own[i].Edit, f.Own[i].New = true, true // the person who creates an account fills it in
	}
	total := 0
	if f.Mandatory, total, err = c.mandatoryFor(); err != nil {
		return f, err
	}
	f.MoreOfThem = total - len(f.Mandatory)
	f.Groups = groups
	f.Places, err = c.placesPicker(groups)
	return f, err
}

func (c *request) newPage() error {
	f, err := c.colleague(nil)
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "colleague", "panel", c.T("New colleague"), f)
}

var validity = map[string]time.Duration{
	"1":  24 * time.Hour,
	"3":  72 * time.Hour,
	"7":  168 * time.Hour,
	"14": 336 * time.Hour,
	"30": 720 * time.Hour,
}

// filled returns the form as it was filled in, and how long the link is valid; 0: the default.
func (c *request) filled() (f colleague, expiry time.Duration, err error) {
	c.form("name") // reads the form, whatever its kind
	groups := c.r.Form["groups"]
	if f, err = c.colleague(groups); err != nil {
		return f, 0, err
	}
	f.NewPerson = people.NewPerson{
		Name:       c.form("name"),
		FullName:   c.form("full_name"),
		Email:      c.form("email"),
		Phone:      c.form("phone"),
		Title:      c.form("title"),
		Department: c.form("department"),
		Role:       c.form("role"),
		Lang:       c.form("lang"),
		ReuseName:  c.form("reuse_name") != "",
		Fields:     c.fieldValues(),
	}
	keepRows(f.Own, f.Fields, "", "")
	f.Groups, f.Days, f.Note = groups, c.form("days"), c.form("note")
	var ok bool
	if expiry, ok = validity[f.Days]; !ok {
		f.Days = ""
	}
	return f, expiry, nil
}

// previewMail shows the mail of an invitation and creates nothing.
func (c *request) previewMail() error {
	f, expiry, err := c.filled()
	if err != nil {
		return err
	}
	subject, text, err := c.P.Preview(c.r.Context(), c.Actor, f.NewPerson,
		people.Invite{Note: f.Note, Lang: f.Lang, Expiry: expiry})
	f.Preview = &mailPreview{To: f.Email, Subject: subject, Text: text}
	if err != nil {
		var ok bool
		if f.Preview.Error, _, ok = c.explain(err); !ok {
			return err
		}
	}
	return c.panel(http.StatusOK, "colleague", "mailpreview", c.T("New colleague"), f)
}

// create creates an account. The button says whether to invite the person and whether to show the form for another
// person, with the same role, department, groups and language.
func (c *request) create() error {
	f, expiry, err := c.filled()
	if err != nil {
		return err
	}
	if c.picks("groups") {
		_, f.NoPhoto, _ = c.upload()
		return c.panel(http.StatusOK, "colleague", "panel", c.T("New colleague"), f)
	}
	do := c.form("do")
	invite, another := strings.Contains(do, "invite"), strings.Contains(do, "another")
	refuse := func(err error) error {
		var ok bool
		if f.Error, f.Field, ok = c.explain(c.inWords(err)); !ok {
			return err
		}
		f.Error = keepRows(f.Own, nil, f.Error, f.Field)
		f.Again = f.ReuseName || people.IsReserved(err) && c.Actor.Role == store.RoleOwner
		if e := fault.Of(err); e.Kind == fault.Exists && len(e.Args) == 4 {
			f.Known, _ = e.Args[3].(string)
		}
		return c.panel(http.StatusUnprocessableEntity, "colleague", "panel", c.T("New colleague"), f)
	}
	photo, has, err := c.upload() // looked at before anything is made
	if err != nil {
		return refuse(err)
	}
	f.NoPhoto = has
	if invite && c.P.Mails() && f.Email == "" {
		return refuse(fault.New(fault.Invalid, "email", "Enter the e-mail address to send the invitation to"))
	}
	n := people.Newcomer{NewPerson: f.NewPerson, Photo: photo}
	if invite {
		n.Invite = &people.Invite{Expiry: expiry, Note: f.Note, Send: c.P.Mails(), Lang: f.Lang, Wait: undoTime}
	}
	w, err := c.P.Welcome(c.r.Context(), c.Actor, n)
	if err != nil {
		return refuse(err)
	}
	u, link := w.Person, ""
	if invite {
		link = c.P.LinkURL(store.KindInvite, w.Token)
	}
	if another {
		next, err := c.colleague(f.Groups)
		if err != nil {
			return err
		}
		next.Role, next.Department, next.Lang, next.Days = f.Role, f.Department, f.Lang, f.Days
		next.Made, next.MadeAs, next.Link = u.Display(), u.Name, link
		return c.panel(http.StatusOK, "colleague", "panel", c.T("New colleague"), next)
	}
	return c.created(u, invite, link)
}

// undoTime is how long pages offer to undo something. Mail waits as long.
const undoTime = 10 * time.Second

// created goes back to the list with a message that has links to the new account, its invitation and the undo.
func (c *request) created(u store.Person, invited bool, link string) error {
	back := undo("/admin/people/" + u.Name + "/undo")
	n := note{Kind: "ok", Undo: &back, View: "/admin/people/" + u.Name, Link: link}
	switch {
	case invited && c.P.Mails():
		n.Text = c.T("{{.Name}} is invited: the mail is on its way", "Name", u.Display())
	case invited:
		n.Text = c.T("{{.Name}} is invited: copy the link and share it", "Name", u.Display())
	default:
		n.Text = c.T("{{.Name}} has an account now, and can be invited", "Name", u.Display())
	}
	c.keep(n)
	if invited && !c.P.Mails() { // the link is to be shared: it stays in sight there
		return c.to("/admin/people/" + u.Name + "#access")
	}
	return c.to("/admin/people")
}

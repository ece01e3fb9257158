package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/admin"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/people"
	"parley/settings"
	"parley/store"
)

// Person is an account.
type Person struct {
	Name        string    `json:"name" doc:"the part of the address before the @"`
	Address     string    `json:"address"`
	FullName    string    `json:"full_name"`
	Email       string    `json:"email"`
	Phone       string    `json:"phone"`
	Title       string    `json:"title"`
	Department  string    `json:"department"`
	Role        string    `json:"role" enum:"member,supervisor,admin,owner"`
	State       string    `json:"state" enum:"active,invited,disabled,archived"`
	HasPassword bool      `json:"has_password"`
	Lang        string    `json:"lang"`
	Created     time.Time `json:"created"`
	LastSeen    time.Time `json:"last_seen,omitzero"`
	Sessions    int       `json:"sessions"`
	Photo       string    `json:"photo,omitempty" doc:"path of the picture; it changes with the picture"`

	Fields     map[string]string `json:"fields" doc:"values of profile fields by key; empty ones are left out"`
	Visibility map[string]string `json:"visibility" doc:"who can see email, phone, title and department: organization, team, admins"`

	Retention   string      `json:"retention,omitempty" doc:"how long messages are kept, like 90d or forever; only in answers about one person"`
	RetentionBy string      `json:"retention_by,omitempty" enum:"host,administrator,person" doc:"who has set the retention"`
	Invitation  *Invitation `json:"invitation,omitempty" doc:"the invitation created with the account"`
}

// InPerson is the account in a path, by the name before the @ of its address.
type InPerson struct {
	Name string `path:"name" maxLength:"1023"`
}

// FindPeople says which accounts are asked for.
type FindPeople struct {
	Q          string `query:"q" maxLength:"200"`
	State      string `query:"state" enum:"active,invited,disabled,archived"`
	Role       string `query:"role" enum:"member,supervisor,admin,owner"`
	Department string `query:"department" maxLength:"200"`
	Offset     int    `query:"offset" minimum:"0" maximum:"10000000"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// PeoplePage is a part of the accounts, and how many there are in all.
type PeoplePage struct {
	People []Person `json:"people"`
	Total  int      `json:"total"`
}

// NewPerson is an account to be created.
type NewPerson struct {
	Name string `json:"name,omitempty" doc:"\"\": made from the e-mail address or the full name" maxLength:"200"`
	people.Profile
	Groups     []string        `json:"groups,omitempty" doc:"slugs" maxItems:"100"`
	Password   string          `json:"password,omitempty" maxLength:"1024"`
	ReuseName  bool            `json:"reuse_name,omitempty" doc:"reuse the name of an account that was deleted recently; for owners"`
	Invitation *PersonalInvite `json:"invitation,omitempty" doc:"invite the person as well: either both succeed or nothing is done"`
}

// PersonChange changes an account. Fields that are nil stay.
type PersonChange struct {
	people.Profile
	Disabled  *bool   `json:"disabled,omitempty"`
	Archived  *bool   `json:"archived,omitempty"`
	Retention *string `json:"retention,omitempty" maxLength:"20" doc:"how long messages are kept, like 90d; forever; host: the host's setting"`

	Visibility map[string]string `json:"visibility,omitempty" doc:"who can see email, phone, title and department: organization, team, admins; omitted fields stay"`
}

// ChangePersonInput changes an account.
type ChangePersonInput struct {
	InPerson
	Body PersonChange
}

// PersonalInvite is how somebody is invited to an account.
type PersonalInvite struct {
	Hours int    `json:"hours,omitempty" doc:"validity of the link in hours" minimum:"1" maximum:"8760"`
	Valid string `json:"valid,omitempty" maxLength:"20" doc:"the same, as 12h or 7d"`
	Note  string `json:"note,omitempty" maxLength:"1000"`
	Send  bool   `json:"send,omitempty" doc:"send the link by e-mail"`
	Lang  string `json:"lang,omitempty" enum:"en,fr"`
}

// InvitePersonInput invites somebody to an account that waits.
type InvitePersonInput struct {
	InPerson
	Body PersonalInvite
}

// AuditQuery says which entries of the audit log are asked for.
type AuditQuery struct {
	Actor  string `query:"actor" maxLength:"1023"`
	Target string `query:"target" maxLength:"2048"`
	Action string `query:"action" maxLength:"100"`
	Before string `query:"before" maxLength:"13" doc:"id of the last entry on the previous page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// AuditEntry is an entry of the audit log.
type AuditEntry struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Target string    `json:"target"`
	Detail string    `json:"detail" doc:"JSON"`
	Remote string    `json:"remote" doc:"the actor's network address, if the door knows it"`
	Door   string    `json:"door" doc:"the door used: page, api, command line, client, line and others; see docs/audit.md"`
}

// Operations on people.
var (
	ListPeople = op[FindPeople, PeoplePage](
		"list-people", http.MethodGet, "/people", "people:read",
		"People, in order of name",
	)
	GetPerson = op[InPerson, Person](
		"get-person", http.MethodGet, "/people/{name}", "people:read",
		"One person",
	)
	CreatePerson = creates[Body[NewPerson], Person](
		"create-person", "/people", "people:write",
		"Create an account; without a password it waits for an invitation",
	)
	ChangePerson = op[ChangePersonInput, Person](
		"change-person", http.MethodPatch, "/people/{name}", "people:write",
		"Change a person; omitted values stay, and disabling signs out everywhere",
	)
	DeletePerson = op[InPerson, None](
		"delete-person", http.MethodDelete, "/people/{name}", "people:write",
		"Delete an account with all its data",
	)
	SignPersonOut = op[InPerson, None](
		"sign-person-out", http.MethodPost, "/people/{name}/sign-out", "people:write",
		"Sign somebody out everywhere",
	)
	InvitePerson = op[InvitePersonInput, Invitation](
		"invite-person", http.MethodPost, "/people/{name}/invitation", "people:write",
		"Invite a person to a waiting account; an earlier link stops working",
	)
	ListAudit = op[AuditQuery, []AuditEntry](
		"list-audit", http.MethodGet, "/audit", "audit:read",
		"The audit log, newest first",
	)
)

func (s *Server) people(d *doors) {
	serve(s, d, ListPeople, hasConsole, s.listPeople)
	serve(s, d, GetPerson, sees, func(ctx context.Context, c caller, in *InPerson) (Person, error) {
		u, err := c.p.Find(ctx, c.actor, in.Name)
		if err != nil {
			return Person{}, err
		}
		if u, err = c.p.Seen(ctx, c.actor, u); err != nil {
			return Person{}, err
		}
		out := s.showPerson(ctx, c.p, u)
		out.Retention, out.RetentionBy, err = c.p.Retention(ctx, u.Name)
		return out, err
	})
	serve(s, d, CreatePerson, hasConsole, s.createPerson)
	serve(s, d, ChangePerson, doesTo(people.Edit, true), s.changePerson)
	act(s, d, DeletePerson, doesTo(people.Delete, false), func(ctx context.Context, c caller, in *InPerson) error {
		return c.p.Delete(ctx, c.actor, in.Name)
	})
	act(s, d, SignPersonOut, doesTo(people.Disable, true), func(ctx context.Context, c caller, in *InPerson) error {
		_, err := c.p.SignOut(ctx, c.actor, in.Name)
		return err
	})
	serve(s, d, InvitePerson, invitesTo, func(ctx context.Context, c caller,
		in *InvitePersonInput) (Invitation, error) {
		v, err := in.Body.invite(c)
		if err != nil {
			return Invitation{}, err
		}
		v.Username = in.Name
		i, _, err := c.p.Invite(ctx, c.actor, v)
		if err != nil {
			return Invitation{}, err
		}
		return s.showInvitation(ctx, c, i)
	})
	serve(s, d, ListAudit, runsIt, s.listAudit)
}

func (s *Server) showPerson(ctx context.Context, p *people.People, u store.Person) Person {
	v := Person{
		Name:        u.Name,
		Address:     u.Address(),
		FullName:    u.FullName,
		Email:       u.Email,
		Phone:       u.Phone,
		Title:       u.Title,
		Department:  u.Department,
		Role:        u.Role,
		State:       u.State(),
		HasPassword: len(u.Keys) > 0,
		Lang:        u.Lang,
		Created:     u.Created,
		LastSeen:    u.LastSeen,
		Sessions:    len(p.Sessions(u.Name)),
		Fields:      u.Fields,
		Visibility:  make(map[string]string),
	}
	if photos := s.Photos[u.Host]; photos != nil {
		hash, err := photos.PhotoHash(ctx, u.Name)
		if err != nil {
			door.Failed(ctx, s.Log, "picture of a person", "account", u.Name, "err", err)
		}
		v.Photo = admin.PhotoPath(u.Name, hash)
	}
	if v.Fields == nil {
		v.Fields = make(map[string]string)
	}
	for _, f := range people.ShownFields {
		v.Visibility[f] = people.ShownOf(u, f)
	}
	return v
}

func (s *Server) listPeople(ctx context.Context, c caller, in *FindPeople) (PeoplePage, error) {
	us, total, err := s.Store.People(ctx, c.host(), c.actor.Filter(store.PeopleFilter{
		Words:      strings.Fields(in.Q),
		State:      in.State,
		Role:       in.Role,
		Department: in.Department,
		Offset:     in.Offset,
		Limit:      in.Limit,
	}))
	out := PeoplePage{People: []Person{}, Total: total}
	for _, u := range us {
		out.People = append(out.People, s.showPerson(ctx, c.p, u))
	}
	return out, err
}

func (s *Server) createPerson(ctx context.Context, c caller, in *Body[NewPerson]) (Person, error) {
	b := in.Body
	n := people.Newcomer{NewPerson: b.Profile.Newcomer()}
	n.Name, n.Groups, n.Password, n.ReuseName = b.Name, b.Groups, b.Password, b.ReuseName
	if b.Invitation != nil {
		v, err := b.Invitation.invite(c)
		if err != nil {
			return Person{}, err
		}
		if v.Send && n.Email == "" {
			return Person{}, invalid("email", "enter the e-mail address to send the invitation to")
		}
		n.Invite = &v
	}
	made, err := c.p.Welcome(ctx, c.actor, n)
	if err != nil {
		return Person{}, err
	}
	out := s.showPerson(ctx, c.p, made.Person)
	if n.Invite != nil {
		i, err := s.showInvitation(ctx, c, made.Invitation)
		if err != nil {
			return out, err
		}
		out.Invitation = &i
	}
	return out, nil
}

// invite reads how somebody is to be invited.
func (v PersonalInvite) invite(c caller) (people.Invite, error) {
	valid, err := validity(v.Hours, v.Valid)
	if err != nil {
		return people.Invite{}, err
	}
	if v.Send && !c.p.Mails() {
		return people.Invite{}, fault.New(
			fault.Exists, "send",
			"this server sends no e-mail: set up mail in the configuration, or share the link yourself",
		)
	}
	return people.Invite{Expiry: valid, Note: v.Note, Send: v.Send, Lang: v.Lang}, nil
}

// validity reads how long something is to be valid, in hours or as text like "12h" or "7d"; it returns 0 if neither is
// given.
func validity(hours int, text string) (time.Duration, error) {
	if text == "" {
		return time.Duration(hours) * time.Hour, nil
	}
	if hours != 0 {
		return 0, invalid("valid", "give hours or valid, not both")
	}
	d, ok := settings.ParseDuration(text)
	if !ok || d < time.Minute {
		return 0, invalid("valid", "{{.Text}} is not a duration: write it like 12h or 7d", "Text", `"`+text+`"`)
	}
	return d, nil
}

func (s *Server) changePerson(ctx context.Context, c caller, in *ChangePersonInput) (Person, error) {
	b := in.Body
	ch := people.Change{Profile: b.Profile, Disabled: b.Disabled, Archived: b.Archived, Show: b.Visibility}
	if b.Retention != nil {
		keep, err := people.ParseRetention(*b.Retention)
		if err != nil {
			return Person{}, err
		}
		ch.Retention = &keep
	}
	u, err := c.p.Update(ctx, c.actor, in.Name, ch)
	if err != nil {
		return Person{}, err
	}
	if u, err = c.p.Seen(ctx, c.actor, u); err != nil {
		return Person{}, err
	}
	out := s.showPerson(ctx, c.p, u)
	out.Retention, out.RetentionBy, err = c.p.Retention(ctx, u.Name)
	return out, err
}

func (s *Server) listAudit(ctx context.Context, c caller, in *AuditQuery) ([]AuditEntry, error) {
	f := store.AuditFilter{Actor: in.Actor, Target: in.Target, Action: in.Action, Limit: in.Limit}
	var err error
	if in.Before != "" {
		if f.Before, err = store.ParseID(in.Before); err != nil {
			return nil, errors.Join(store.ErrNotFound, err)
		}
	}
	es, err := s.Store.AuditEntries(ctx, c.host(), f)
	out := []AuditEntry{}
	for _, e := range es {
		out = append(out, AuditEntry{
			ID:     e.ID.String(),
			At:     e.ID.Time(),
			Actor:  e.Actor,
			Action: e.Action,
			Target: e.Target,
			Detail: e.Detail,
			Remote: e.Remote,
			Door:   e.Door,
		})
	}
	return out, err
}

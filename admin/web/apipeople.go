package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/people"
	"parley/store"
)

// apiPerson is an account in JSON.
type apiPerson struct {
	Name       string    `json:"name" doc:"before the @ of the address"`
	Address    string    `json:"address"`
	FullName   string    `json:"full_name"`
	Email      string    `json:"email"`
	Phone      string    `json:"phone"`
	Title      string    `json:"title"`
	Department string    `json:"department"`
	Role       string    `json:"role" enum:"member,supervisor,admin,owner"`
	State      string    `json:"state" enum:"active,invited,disabled,archived"`
	Lang       string    `json:"lang"`
	Created    time.Time `json:"created"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	Sessions   int       `json:"sessions"`
	Photo      string    `json:"photo,omitempty" doc:"path of the picture; another one when the picture is another"`

	Visibility map[string]string `json:"visibility" doc:"whom email, phone, title and department are shown to: organization, team, admins"`
}

func (s *Server) showPerson(p *people.People, u store.Person) apiPerson {
	v := apiPerson{Name: u.Name, Address: u.Address(), FullName: u.FullName, Email: u.Email, Phone: u.Phone, Title: u.Title, Department: u.Department, Role: u.Role,
		State: u.State(), Lang: u.Lang, Created: u.Created, LastSeen: u.LastSeen, Sessions: len(p.Sessions(u.Name)), Photo: s.photoURL(u.Host, u.Name), Visibility: make(map[string]string)}
	for _, f := range people.ShownFields {
		v.Visibility[f] = people.ShownOf(u, f)
	}
	return v
}

type apiPage struct {
	People []apiPerson `json:"people"`
	Total  int         `json:"total"`
}

type apiLink struct {
	ID      string    `json:"id"`
	Link    string    `json:"link"`
	URI     string    `json:"uri" doc:"the same for apps"`
	Expires time.Time `json:"expires"`
}

type apiEntry struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Target string    `json:"target"`
	Detail string    `json:"detail" doc:"JSON"`
	Remote string    `json:"remote"`
}

// seen gives somebody that the caller may see.
func seen(ctx context.Context, c caller, name string) (store.Person, error) {
	u, err := c.p.Get(ctx, name)
	if err == nil && !c.actor.May(people.See, u) && u.Name != c.me.Name {
		err = forbidden
	}
	return u, err
}

func (s *Server) apiPeople(a huma.API) {
	type Named struct {
		Name string `path:"name" maxLength:"1023"`
	}
	huma.Register(a, operation("list-people", http.MethodGet, "/people", "people:read", "People, in order of name"), func(ctx context.Context, in *struct {
		Q          string `query:"q" maxLength:"200"`
		State      string `query:"state" enum:"active,invited,disabled,archived"`
		Role       string `query:"role" enum:"member,supervisor,admin,owner"`
		Department string `query:"department" maxLength:"200"`
		Offset     int    `query:"offset" minimum:"0" maximum:"10000000"`
		Limit      int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}) (*body[apiPage], error) {
		c := who(ctx)
		if !c.actor.Console() {
			return nil, s.apiError(forbidden)
		}
		f := store.PeopleFilter{Words: strings.Fields(in.Q), State: in.State, Role: in.Role, Department: in.Department, Offset: in.Offset, Limit: in.Limit}
		us, total, err := s.Store.People(ctx, c.me.Host, c.actor.Filter(f))
		out := apiPage{People: []apiPerson{}, Total: total}
		for _, u := range us {
			out.People = append(out.People, s.showPerson(c.p, u))
		}
		return &body[apiPage]{out}, s.apiError(err)
	})
	huma.Register(a, operation("get-person", http.MethodGet, "/people/{name}", "people:read", "One person"), func(ctx context.Context, in *Named) (*body[apiPerson], error) {
		c := who(ctx)
		u, err := seen(ctx, c, in.Name)
		return &body[apiPerson]{s.showPerson(c.p, u)}, s.apiError(err)
	})
	create := operation("create-person", http.MethodPost, "/people", "people:write", "Create an account; without a password it waits for an invitation")
	create.DefaultStatus = http.StatusCreated
	huma.Register(a, create, func(ctx context.Context, in *body[struct {
		Name       string   `json:"name,omitempty" doc:"\"\": made from the e-mail address or the full name" maxLength:"200"`
		FullName   string   `json:"full_name,omitempty" maxLength:"200"`
		Email      string   `json:"email,omitempty" maxLength:"254"`
		Phone      string   `json:"phone,omitempty" maxLength:"200"`
		Title      string   `json:"title,omitempty" maxLength:"200"`
		Department string   `json:"department,omitempty" maxLength:"200"`
		Role       string   `json:"role,omitempty" enum:"member,supervisor,admin,owner"`
		Lang       string   `json:"lang,omitempty" enum:"en,fr"`
		Groups     []string `json:"groups,omitempty" doc:"slugs" maxItems:"100"`
		Password   string   `json:"password,omitempty" maxLength:"1024"`
	}]) (*body[apiPerson], error) {
		c, b := who(ctx), in.Body
		u, err := c.p.Create(ctx, c.actor, people.NewPerson{Name: b.Name, FullName: b.FullName, Email: b.Email, Phone: b.Phone, Title: b.Title, Department: b.Department,
			Role: b.Role, Lang: b.Lang, Groups: b.Groups, Password: b.Password})
		return &body[apiPerson]{s.showPerson(c.p, u)}, s.apiError(err)
	})
	huma.Register(a, operation("change-person", http.MethodPatch, "/people/{name}", "people:write", "Change what is given; disabling signs out everywhere"), func(ctx context.Context, in *struct {
		Named
		Body struct {
			FullName   *string `json:"full_name,omitempty" maxLength:"200"`
			Email      *string `json:"email,omitempty" maxLength:"254"`
			Phone      *string `json:"phone,omitempty" maxLength:"200"`
			Title      *string `json:"title,omitempty" maxLength:"200"`
			Department *string `json:"department,omitempty" maxLength:"200"`
			Role       *string `json:"role,omitempty" enum:"member,supervisor,admin,owner"`
			Lang       *string `json:"lang,omitempty" enum:"en,fr"`
			Disabled   *bool   `json:"disabled,omitempty"`
			Archived   *bool   `json:"archived,omitempty"`

			Visibility map[string]string `json:"visibility,omitempty" doc:"whom email, phone, title and department are shown to: organization, team, admins; what is not named stays"`
		}
	}) (*body[apiPerson], error) {
		c, b := who(ctx), in.Body
		if _, err := seen(ctx, c, in.Name); err != nil {
			return nil, s.apiError(err)
		}
		u, err := c.p.Update(ctx, c.actor, in.Name, people.Change{FullName: b.FullName, Email: b.Email, Phone: b.Phone, Title: b.Title, Department: b.Department, Role: b.Role,
			Lang: b.Lang, Disabled: b.Disabled, Archived: b.Archived, Show: b.Visibility})
		return &body[apiPerson]{s.showPerson(c.p, u)}, s.apiError(err)
	})
	huma.Register(a, operation("delete-person", http.MethodDelete, "/people/{name}", "people:write", "Delete an account with all that is its own"), func(ctx context.Context, in *Named) (*struct{}, error) {
		c := who(ctx)
		_, err := seen(ctx, c, in.Name)
		if err == nil {
			err = c.p.Delete(ctx, c.actor, in.Name)
		}
		return nil, s.apiError(err)
	})
	huma.Register(a, operation("sign-person-out", http.MethodPost, "/people/{name}/sign-out", "people:write", "Sign somebody out everywhere"), func(ctx context.Context, in *Named) (*struct{}, error) {
		c := who(ctx)
		_, err := c.p.SignOut(ctx, c.actor, in.Name)
		return nil, s.apiError(err)
	})
	huma.Register(a, operation("invite-person", http.MethodPost, "/people/{name}/invitation", "people:write", "Invite to an account that waits; an earlier link is no good any more"), func(ctx context.Context, in *struct {
		Named
		Body struct {
			Hours int    `json:"hours,omitempty" doc:"how long the link is good" minimum:"1" maximum:"8760"`
			Note  string `json:"note,omitempty" maxLength:"1000"`
			Send  bool   `json:"send,omitempty" doc:"by e-mail"`
		}
	}) (*body[apiLink], error) {
		c := who(ctx)
		i, token, err := c.p.Invite(ctx, c.actor, people.Invite{Username: in.Name, Expiry: time.Duration(in.Body.Hours) * time.Hour, Note: in.Body.Note, Send: in.Body.Send})
		if err != nil {
			return nil, s.apiError(err)
		}
		return &body[apiLink]{apiLink{i.ID, c.p.LinkURL(i.Kind, token), c.p.URI(i, token), i.Expires}}, nil
	})
	huma.Register(a, operation("list-audit", http.MethodGet, "/audit", "audit:read", "The audit log, the newest first"), func(ctx context.Context, in *struct {
		Actor  string `query:"actor" maxLength:"1023"`
		Target string `query:"target" maxLength:"2048"`
		Action string `query:"action" maxLength:"100"`
		Before string `query:"before" maxLength:"13" doc:"the id of the last one of the page before"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}) (*body[[]apiEntry], error) {
		c := who(ctx)
		if !c.actor.Runs() {
			return nil, s.apiError(forbidden)
		}
		f := store.AuditFilter{Actor: in.Actor, Target: in.Target, Action: in.Action, Limit: in.Limit}
		var err error
		if in.Before != "" {
			if f.Before, err = store.ParseID(in.Before); err != nil {
				return nil, s.apiError(errors.Join(store.ErrNotFound, err))
			}
		}
		es, err := s.Store.AuditEntries(ctx, c.me.Host, f)
		out := []apiEntry{}
		for _, e := range es {
			out = append(out, apiEntry{e.ID.String(), e.ID.Time(), e.Actor, e.Action, e.Target, e.Detail, e.Remote})
		}
		return &body[[]apiEntry]{out}, s.apiError(err)
	})
}

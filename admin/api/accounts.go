package api

import (
	"context"
	"net/http"
	"time"

	"parley/people"
	"parley/store"
)

// SetPasswordInput sets the password of an account.
type SetPasswordInput struct {
	InPerson
	Body struct {
		Password string `json:"password" maxLength:"1024"`
	}
}

// AppPassword describes the password of a program, without any secret.
type AppPassword struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Created  time.Time `json:"created"`
	Used     time.Time `json:"used,omitzero"`
	Password string    `json:"password,omitempty" doc:"only in the answer that creates it"`
}

// NewAppPasswordInput makes a password for a program.
type NewAppPasswordInput struct {
	InPerson
	Body struct {
		Name string `json:"name" maxLength:"200"`
	}
}

// InAppPassword is an app password in a path.
type InAppPassword struct {
	InPerson
	ID string `path:"id" maxLength:"40"`
}

// Operations on how people sign in. They are for the operator of the machine: pages ask people first who they are.
var (
	SetPassword = machine[SetPasswordInput, None](
		"set-password", http.MethodPut, "/people/{name}/password",
		"Set an account's password and end its sessions",
	)
	ListAppPasswords = machine[InPerson, []AppPassword](
		"list-app-passwords", http.MethodGet, "/people/{name}/app-passwords",
		"App passwords, one for each program",
	)
	CreateAppPassword = machine[NewAppPasswordInput, AppPassword](
		"create-app-password", http.MethodPost, "/people/{name}/app-passwords",
		"Create a password for a program; only this answer shows it",
	)
	RevokeAppPassword = machine[InAppPassword, None](
		"revoke-app-password", http.MethodDelete, "/people/{name}/app-passwords/{id}",
		"Revoke an app password, and end the sessions that use it",
	)
	TurnFactorOff = machine[InPerson, None](
		"turn-factor-off", http.MethodDelete, "/people/{name}/factor",
		"Turn the second step off for somebody who has lost the authenticator and the recovery codes",
	)
)

func (s *Server) accounts(d *doors) {
	act(s, d, SetPassword, nil, func(ctx context.Context, c caller, in *SetPasswordInput) error {
		return c.p.SetPasswordAs(ctx, c.actor, in.Name, in.Body.Password, people.PasswordBy{})
	})
	serve(s, d, ListAppPasswords, nil, func(ctx context.Context, c caller, in *InPerson) ([]AppPassword, error) {
		if _, err := c.p.Get(ctx, in.Name); err != nil {
			return nil, err
		}
		as, err := c.p.AppPasswords(ctx, in.Name)
		out := []AppPassword{}
		for _, a := range as {
			out = append(out, showAppPassword(a))
		}
		return out, err
	})
	serve(s, d, CreateAppPassword, nil, func(ctx context.Context, c caller,
		in *NewAppPasswordInput) (AppPassword, error) {
		a, password, err := c.p.AddAppPassword(ctx, c.actor, in.Name, in.Body.Name)
		out := showAppPassword(a)
		out.Password = password
		return out, err
	})
	act(s, d, RevokeAppPassword, nil, func(ctx context.Context, c caller, in *InAppPassword) error {
		return c.p.RevokeAppPassword(ctx, c.actor, in.Name, in.ID)
	})
	act(s, d, TurnFactorOff, nil, func(ctx context.Context, c caller, in *InPerson) error {
		return c.p.FactorOff(ctx, c.actor, in.Name)
	})
}

func showAppPassword(a store.AppPassword) AppPassword {
	return AppPassword{ID: a.ID, Name: a.Name, Created: a.Created, Used: a.Used}
}

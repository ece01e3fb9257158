package serviceadmin

import (
	"context"

	"parley/server"
	"parley/wire/form"
	"parley/wire/jid"
)

// editUser is not the XEP's: first an account is named, then what it is can be changed.
func (s *service) editUser() server.Command {
	const title = "Edit a user"
	account := func(ctx context.Context, f form.Form) (user, jid.JID, error) {
		js, err := f.JIDs("accountjid")
		if err != nil || len(js) != 1 || js[0].Domain() != s.h.Domain || js[0].Local() == "" {
			return user{}, jid.JID{}, &server.NoteError{Text: "That is no account of " + s.h.Domain + "."}
		}
		u, err := s.h.Store.User(ctx, s.h.Domain, js[0].Local())
		return u, js[0].Bare(), readable(err)
	}
	return server.Command{Node: "urn:parley:admin#edit-user", Name: title, Allowed: s.admin,
		Form: func(context.Context, jid.JID) (*form.Form, error) {
			f := form.New(form.Ask, ns)
			f.Title = title
			return f.Add("accountjid", form.JIDSingle, "Account").Required(), nil
		},
		Then: []server.FormStage{func(ctx context.Context, _ jid.JID, sofar form.Form) (*form.Form, error) {
			u, who, err := account(ctx, sofar)
			if err != nil {
				return nil, err
			}
			keep, err := s.accounts.Retention(ctx, who)
			if err != nil {
				return nil, err
			}
			f := form.New(form.Ask, ns)
			f.Title = who.String()
			return f.Add("name", form.TextSingle, "Full name", u.FullName).AddBool("admin", "May administer the host", u.Admin).
				AddBool("disabled", "Cannot sign in", u.Disabled).
				Add("retention", form.TextSingle, "How long messages are kept: like 90d, forever, or host for as long as others'", keep), nil
		}},
		Do: func(ctx context.Context, by jid.JID, f form.Form) (string, *form.Form, error) {
			ctx = asked(ctx, by)
			u, who, err := account(ctx, f)
			if err != nil {
				return "", nil, err
			}
			admin, ok := f.Bool("admin")
			disabled, ok2 := f.Bool("disabled")
			if f.Has("admin") && !ok || f.Has("disabled") && !ok2 {
				return "", nil, server.BadRequest
			}
			if who == by.Bare() && (f.Has("admin") && !admin || disabled) {
				return "", nil, &server.NoteError{Text: "That would lock you out; another administrator can do it."}
			}
			if f.Has("retention") { // first: it is what may be refused
				err = s.retain(ctx, who, f.Get("retention"))
			}
			if err == nil && f.Has("name") && f.Get("name") != u.FullName {
				err = s.accounts.SetName(ctx, who, f.Get("name"))
			}
			if err == nil && f.Has("admin") && admin != u.Admin {
				err = s.accounts.SetAdmin(ctx, who, admin)
			}
			if err == nil && f.Has("disabled") && disabled != u.Disabled {
				err = s.accounts.SetDisabled(ctx, who, disabled)
			}
			return "The account has been changed.", nil, readable(err)
		}}
}

// retain says how long an account's messages are kept, if that is another time than until now.
func (s *service) retain(ctx context.Context, who jid.JID, keep string) error {
	was, err := s.accounts.Retention(ctx, who)
	if err != nil || was == keep {
		return err
	}
	return s.accounts.SetRetention(ctx, who, keep)
}

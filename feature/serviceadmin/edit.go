package serviceadmin

import (
	"context"

	"parley/people"
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
		u, err := s.st.User(ctx, s.h.Domain, js[0].Local())
		if err == nil {
			err = s.accounts.May(ctx, js[0].Bare(), people.Edit)
		}
		return u, js[0].Bare(), readable(err)
	}
	return server.Command{Node: nsEdit + "#edit-user", Name: title, Allowed: s.allowed(people.Actor.Runs),
		Form: func(context.Context, jid.JID) (*form.Form, error) {
			f := form.New(form.Ask, nsEdit)
			f.Title = title
			return f.Add("accountjid", form.JIDSingle, "Account").Required(), nil
		},
		Then: []server.FormStage{func(ctx context.Context, by jid.JID, sofar form.Form) (*form.Form, error) {
			ctx = asked(ctx, by)
			u, who, err := account(ctx, sofar)
			if err != nil {
				return nil, err
			}
			keep, err := s.accounts.Retention(ctx, who)
			if err != nil {
				return nil, err
			}
			f := form.New(form.Ask, nsEdit)
			f.Title = who.String()
			f.Add("name", form.TextSingle, "Full name", u.FullName)
			if s.allowed(givesAdmin)(ctx, by) {
				f.AddBool("admin", "May administer the host", u.Admin)
			}
			if s.accounts.May(ctx, who, people.Disable) == nil {
				f.AddBool("disabled", "Cannot sign in", u.Disabled)
			}
			return f.Add("retention", form.TextSingle, "How long messages are kept: like 90d, forever, or host for as long as others'", keep), nil
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
			was, err := s.accounts.Retention(ctx, who)
			if err != nil {
				return "", nil, readable(err)
			}
			var e Edit
			if keep := f.Get("retention"); f.Has("retention") && keep != was {
				e.Retention = &keep
			}
			if name := f.Get("name"); f.Has("name") && name != u.FullName {
				e.Name = &name
			}
			if f.Has("admin") && admin != u.Admin {
				e.Admin = &admin
			}
			if f.Has("disabled") && disabled != u.Disabled {
				e.Disabled = &disabled
			}
			err = s.accounts.Edit(ctx, who, e)
			return "The account has been changed.", nil, readable(err)
		}}
}

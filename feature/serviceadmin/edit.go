package serviceadmin

import (
	"context"

	"parley/people"
	"parley/server"
	"parley/wire/form"
	"parley/wire/jid"
)

const editTitle = "Edit a user"

// editUser is a command that XEP-0133 does not know. Its first form names an account, its second one changes it.
func (s *service) editUser() server.Command {
	return server.Command{
		Node:    nsEdit + "#edit-user",
		Name:    editTitle,
		Allowed: s.allowed(people.Actor.Runs),
		Form:    askAccount,
		Then:    []server.FormStage{s.editForm},
		Do:      s.edit,
	}
}

// askAccount makes the form that asks which account is to be changed.
func askAccount(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nsEdit)
	f.Title = editTitle
	return f.Add("accountjid", form.JIDSingle, "Account").Required(), nil
}

// editedAccount gives the account that a form names, if the asker may edit it.
func (s *service) editedAccount(ctx context.Context, f form.Form) (user, jid.JID, error) {
	js, err := f.JIDs("accountjid")
	if err != nil || len(js) != 1 || js[0].Domain() != s.h.Domain || js[0].Local() == "" {
		return user{}, jid.JID{}, &server.NoteError{Text: "That is not an account of " + s.h.Domain + "."}
	}
	u, err := s.st.User(ctx, s.h.Domain, js[0].Local())
	if err == nil {
		err = s.accounts.May(ctx, js[0].Bare(), people.Edit)
	}
	return u, js[0].Bare(), readable(err)
}

// editForm makes the form with the account's present values. It leaves out the fields that the asker may not change.
func (s *service) editForm(ctx context.Context, by jid.JID, sofar form.Form) (*form.Form, error) {
	ctx = asked(ctx, by)
	u, who, err := s.editedAccount(ctx, sofar)
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
	return f.Add("retention", form.TextSingle,
		"How long messages are kept: like 90d, forever, or host for the host's setting", keep), nil
}

// edit changes the account as the form says.
func (s *service) edit(ctx context.Context, by jid.JID, f form.Form) (string, *form.Form, error) {
	ctx = asked(ctx, by)
	u, who, err := s.editedAccount(ctx, f)
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
	err = s.accounts.Edit(ctx, who, editOf(f, u, was))
	return "The account has been changed.", nil, readable(err)
}

// editOf gives what a form changes of an account with the given retention. Its boolean fields are known to be valid.
func editOf(f form.Form, u user, retention string) Edit {
	var e Edit
	if keep := f.Get("retention"); f.Has("retention") && keep != retention {
		e.Retention = &keep
	}
	if name := f.Get("name"); f.Has("name") && name != u.FullName {
		e.Name = &name
	}
	if admin, ok := f.Bool("admin"); ok && admin != u.Admin {
		e.Admin = &admin
	}
	if disabled, ok := f.Bool("disabled"); ok && disabled != u.Disabled {
		e.Disabled = &disabled
	}
	return e
}

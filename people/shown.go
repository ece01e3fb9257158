package people

import (
	"context"
	"errors"
	"slices"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// ShownTo are the choices of who sees a field, from the widest to the narrowest. People outside the organization see
// none of these fields.
var ShownTo = []string{ShownToOrganization, store.ShownToTeam, store.ShownToAdmins}

// ShownToOrganization is the choice that the store keeps as "".
const ShownToOrganization = "organization"

// ShownFields are the fields for which a person makes this choice.
var ShownFields = []string{"email", "phone", "title", "department"}

// shownField gives the choice of a field; nil if it has none.
func shownField(s *store.Shown, field string) *string {
	switch field {
	case "email":
		return &s.Email
	case "phone":
		return &s.Phone
	case "title":
		return &s.Title
	case "department":
		return &s.Department
	}
	return nil
}

// ShownOf gives who sees a field of a person: one of ShownTo.
func ShownOf(u store.Person, field string) string {
	if at := shownField(&u.Shown, field); at != nil && *at != "" {
		return *at
	}
	return ShownToOrganization
}

// setShown writes choices by field.
func setShown(u *store.Person, show map[string]string) error {
	for field, to := range show {
		at := shownField(&u.Shown, field)
		if at == nil || !slices.Contains(ShownTo, to) {
			return fault.New(fault.Invalid, "visibility",
				"A field is shown to the organization, to the team or to administrators")
		}
		if *at = to; to == ShownToOrganization {
			*at = ""
		}
	}
	return nil
}

// knownOutside are the fields of a person that Seen leaves for anybody outside the organization.
var knownOutside = []string{"full_name", "role", "lang"}

// Outside is the actor for anybody outside the organization.
var Outside = Actor{Role: store.RoleMember, Door: acts.Federation}

// Seen gives a person as an actor may see them: fields that the actor may not see are empty. People who manage the
// account see everything; the person sees everything except profile fields for administrators.
func (p *People) Seen(ctx context.Context, a Actor, u store.Person) (store.Person, error) {
	if a == Outside {
		for field, at := range Columns(&u) {
			if !slices.Contains(knownOutside, field) {
				*at = ""
			}
		}
		u.Fields = nil
		return u, nil
	}
	if a.May(See, u) {
		return u, nil
	}
	var fs []store.ProfileField
	var err error
	if len(u.Fields) > 0 {
		if fs, err = p.Fields(ctx); err != nil {
			return u, err
		}
	}
	if a.Name == u.Name && a.Name != "" {
		u.Fields = seenFields(fs, u.Fields, true)
		return u, nil
	}
	sameTeam := false
	if someToTeam(u, fs) {
		if sameTeam, err = p.sameTeam(ctx, a, u); err != nil {
			return u, err
		}
	}
	u.Fields = seenFields(fs, u.Fields, sameTeam)
	for to, at := range map[*string]string{
		&u.Email:      u.Shown.Email,
		&u.Phone:      u.Shown.Phone,
		&u.Title:      u.Shown.Title,
		&u.Department: u.Shown.Department,
	} {
		if at == store.ShownToAdmins || at == store.ShownToTeam && !sameTeam {
			*to = ""
		}
	}
	return u, nil
}

// someToTeam says whether a person has a field that only their team sees.
func someToTeam(u store.Person, fs []store.ProfileField) bool {
	for _, to := range []string{u.Shown.Email, u.Shown.Phone, u.Shown.Title, u.Shown.Department} {
		if to == store.ShownToTeam {
			return true
		}
	}
	return slices.ContainsFunc(fs, func(f store.ProfileField) bool {
		return f.SeenBy == store.ShownToTeam && u.Fields[f.Key] != ""
	})
}

// Actor gives the actor of the account with this address; Outside if it is not an account of the host.
func (p *People) Actor(ctx context.Context, who jid.JID) (Actor, error) {
	if who.Domain() != p.h.Domain || who.Local() == "" {
		return Outside, nil
	}
	u, err := p.st.Person(ctx, p.h.Domain, who.Local())
	if errors.Is(err, store.ErrNotFound) {
		return Outside, nil
	}
	return p.ByClient(u, who), err
}

// ByClient gives the actor of a person who uses a client; from, if it is a full address, says which client.
func (p *People) ByClient(u store.Person, from jid.JID) Actor {
	return As(u, acts.Client, p.h.Remote(from))
}

// SeenAll is Seen of several people, in place.
func (p *People) SeenAll(ctx context.Context, a Actor, us []store.Person) (err error) {
	for i := range us {
		if us[i], err = p.Seen(ctx, a, us[i]); err != nil {
			return err
		}
	}
	return nil
}

// sameTeam says whether an actor and a person share a team or a department.
func (p *People) sameTeam(ctx context.Context, a Actor, u store.Person) (bool, error) {
	if a.Department != "" && a.Department == u.Department {
		return true, nil
	}
	own, err := p.cfg.Org.TeamsOf(ctx, p.h.Domain, a.Name)
	if err != nil || len(own) == 0 {
		return false, err
	}
	theirs, err := p.cfg.Org.TeamsOf(ctx, p.h.Domain, u.Name)
	for _, t := range theirs {
		if slices.ContainsFunc(own, func(o store.Team) bool { return o.ID == t.ID }) {
			return true, err
		}
	}
	return false, err
}

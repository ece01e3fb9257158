package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
)

// MaxActions is how many actions on messages an organization may have.
const MaxActions = 30

// maxActionGroups is how many groups an action is for, unless it is for all.
const maxActionGroups = 100

// What a program is told of the message that an action is used on.
const (
	TellText         = "text"   // what it says, with its files
	TellAuthor       = "author" // the name, and the address where people see addresses
	TellLink         = "link"   // the address of the message in the chat
	TellConversation = "conversation"
)

// Tells are all of them.
var Tells = []string{TellText, TellAuthor, TellLink, TellConversation}

// ActionChange is a change of an action on messages; nil: unchanged. Every door makes its input from its tags: see
// package shape.
type ActionChange struct {
	Name    *string   `json:"name,omitempty" label:"Name in English" maxLength:"50"`
	NameFR  *string   `json:"name_fr,omitempty" label:"Name in French" maxLength:"50" doc:"empty: use the English name"`
	Icon    *string   `json:"icon,omitempty" label:"Icon" enum:"zap,ticket,circle-check,folder,briefcase,book-open,life-buoy,wrench,calendar,chart-column,globe,link"`
	URL     *string   `json:"url,omitempty" label:"Address of the program" maxLength:"2000" doc:"begins with https://"`
	Roles   *[]string `json:"roles,omitempty" label:"Roles that may use it" maxItems:"4" doc:"without roles and teams everybody may"`
	Teams   *[]string `json:"teams,omitempty" label:"Teams that may use it" maxItems:"100" doc:"their slugs"`
	Groups  *[]string `json:"groups,omitempty" label:"Groups in which it is" maxItems:"100" doc:"their slugs; none: in all conversations"`
	Tells   *[]string `json:"tells,omitempty" label:"What the program is told" maxItems:"4" doc:"text, author, link, conversation; all unless given"`
	Comment *bool     `json:"comment,omitempty" label:"People may add a comment"`
	Place   *int      `json:"place,omitempty" minimum:"1" maximum:"30" doc:"place in the order of actions, from 1"`
}

// ActionAs gives the change that would make an action. Teams and groups that were deleted are not in it.
func (p *People) ActionAs(ctx context.Context, a store.Action) (ActionChange, error) {
	teams, err := p.teamSlugs(ctx, a.Teams)
	if err != nil {
		return ActionChange{}, err
	}
	groups, err := p.groupSlugs(ctx, a.Groups)
	if err != nil {
		return ActionChange{}, err
	}
	roles, tells := append([]string{}, a.Roles...), append([]string{}, a.Tells...)
	return ActionChange{
		Name:    &a.Name,
		NameFR:  &a.NameFR,
		Icon:    &a.Icon,
		URL:     &a.URL,
		Roles:   &roles,
		Teams:   &teams,
		Groups:  &groups,
		Tells:   &tells,
		Comment: &a.Comment,
	}, nil
}

// groupSlugs gives the slugs of groups by their ids. Groups that were deleted are not in it.
func (p *People) groupSlugs(ctx context.Context, ids []string) ([]string, error) {
	slugs := []string{}
	for _, id := range ids {
		g, err := p.cfg.Org.GroupByID(ctx, p.h.Domain, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		slugs = append(slugs, g.Slug)
	}
	return slugs, nil
}

// Actions gives all actions of the organization, in order, without their secrets. Administrators may read them.
func (p *People) Actions(ctx context.Context, by Actor) ([]store.Action, error) {
	if !by.Runs() {
		return nil, fault.ErrRole
	}
	as, err := p.st.Actions(ctx, p.h.Domain)
	for i := range as {
		as[i].Secret = ""
	}
	return as, err
}

// OwnAction is an action that a person may use.
type OwnAction struct {
	store.Action
	In []string // slugs of the groups in which it can be used; nil: in all conversations
}

// ActionsFor gives the actions that a person may use, without their secrets.
func (p *People) ActionsFor(ctx context.Context, u store.Person) (own []OwnAction, err error) {
	as, err := p.st.Actions(ctx, p.h.Domain)
	if err != nil || len(as) == 0 {
		return nil, err
	}
	ts, err := p.cfg.Org.TeamsOf(ctx, p.h.Domain, u.Name)
	if err != nil {
		return nil, err
	}
	for _, a := range as {
		if !isAmong(a.Roles, a.Teams, u, ts) {
			continue
		}
		o := OwnAction{Action: a}
		o.Secret = ""
		if len(a.Groups) > 0 {
			if o.In, err = p.groupSlugs(ctx, a.Groups); err != nil {
				return nil, err
			}
		}
		own = append(own, o)
	}
	return own, nil
}

// ActionFor gives an action that a person uses in a group (its id; "": in a conversation without one), with its secret;
// a refusal if the person may not.
func (p *People) ActionFor(ctx context.Context, u store.Person, id, group string) (store.Action, error) {
	as, err := p.st.Actions(ctx, p.h.Domain)
	if err != nil {
		return store.Action{}, err
	}
	at := actionAt(as, id)
	if at < 0 {
		return store.Action{}, errNoAction
	}
	a := as[at]
	ts, err := p.cfg.Org.TeamsOf(ctx, p.h.Domain, u.Name)
	switch {
	case err != nil:
		return store.Action{}, err
	case !isAmong(a.Roles, a.Teams, u, ts):
		return store.Action{}, errNoAction
	case len(a.Groups) > 0 && !slices.Contains(a.Groups, group):
		return store.Action{}, fault.New(fault.Forbidden, "", "This action is for other conversations")
	}
	return a, nil
}

// CreateAction defines an action, behind the others unless a place is given. The answer has the secret that signs its
// requests, which cannot be shown again. Administrators may do this.
func (p *People) CreateAction(ctx context.Context, by Actor, c ActionChange) (a store.Action, err error) {
	err = p.changeActions(ctx, by, func(ctx context.Context, n *acts.Act, as []store.Action) ([]store.Action, error) {
		if len(as) >= MaxActions {
			return nil, fault.New(fault.Limit, "", "There are already {{.Max}} actions, and there cannot be more",
				"Max", strconv.Itoa(MaxActions))
		}
		a = store.Action{ID: p.h.IDs.Next().String(), Icon: "zap", Tells: Tells, Secret: newSecret()}
		if err := p.changeAction(ctx, &a, c); err != nil {
			return nil, err
		}
		as = moved(append(as, a), len(as), c.Place)
		a.Place = int64(actionAt(as, a.ID) + 1)
		n.Note(acts.ActionCreate, a.ID, acts.Detail{"name": a.Name, "url": a.URL})
		return as, nil
	})
	return a, err
}

// newSecret makes a key for signatures.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ChangeAction changes an action. Administrators may do this.
func (p *People) ChangeAction(ctx context.Context, by Actor, id string, c ActionChange) (a store.Action, err error) {
	err = p.changeActions(ctx, by, func(ctx context.Context, n *acts.Act, as []store.Action) ([]store.Action, error) {
		at := actionAt(as, id)
		if at < 0 {
			return nil, errNoAction
		}
		was, err := p.ActionAs(ctx, as[at])
		if err != nil {
			return nil, err
		}
		if err := p.changeAction(ctx, &as[at], c); err != nil {
			return nil, err
		}
		a = as[at]
		is, err := p.ActionAs(ctx, a)
		if err != nil {
			return nil, err
		}
		detail := acts.Detail{}
		shape.Differences(was, is, func(name string, before, after any) { detail[name] = []any{before, after} })
		as = moved(as, at, c.Place)
		now := actionAt(as, id)
		if now != at {
			detail["place"] = []any{at + 1, now + 1}
		}
		a.Place, a.Secret = int64(now+1), ""
		if len(detail) > 0 {
			n.Note(acts.ActionChange, id, detail)
		}
		return as, nil
	})
	return a, err
}

// RenewAction gives an action a new secret, which cannot be shown again; the old one is void at once. Administrators
// may do this.
func (p *People) RenewAction(ctx context.Context, by Actor, id string) (a store.Action, err error) {
	err = p.changeActions(ctx, by, func(_ context.Context, n *acts.Act, as []store.Action) ([]store.Action, error) {
		at := actionAt(as, id)
		if at < 0 {
			return nil, errNoAction
		}
		as[at].Secret = newSecret()
		a = as[at]
		n.Note(acts.ActionRenew, id, acts.Detail{"name": a.Name})
		return as, nil
	})
	return a, err
}

// DeleteAction removes an action. Administrators may do this.
func (p *People) DeleteAction(ctx context.Context, by Actor, id string) error {
	return p.changeActions(ctx, by, func(ctx context.Context, n *acts.Act, as []store.Action) ([]store.Action, error) {
		at := actionAt(as, id)
		if at < 0 {
			return nil, errNoAction
		}
		if err := p.st.DeleteAction(ctx, p.h.Domain, id); err != nil {
			return nil, err
		}
		n.Note(acts.ActionDelete, id, acts.Detail{"name": as[at].Name, "url": as[at].URL})
		return slices.Delete(as, at, at+1), nil
	})
}

// actionsAct gives the new list of actions, in order, within an act. It must use the act's context for the store.
type actionsAct func(ctx context.Context, a *acts.Act, as []store.Action) ([]store.Action, error)

// changeActions changes the list of actions in one act.
func (p *People) changeActions(ctx context.Context, by Actor, f actionsAct) error {
	if !by.Runs() {
		return fault.ErrRole
	}
	list := ordered[store.Action]{
		read:  func(ctx context.Context) ([]store.Action, error) { return p.st.Actions(ctx, p.h.Domain) },
		write: p.st.SetAction,
		id:    func(a *store.Action) string { return a.ID },
		place: func(a *store.Action) *int64 { return &a.Place },
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error { return list.change(ctx, a, p.h.Domain, f) })
}

var errNoAction = fault.New(fault.NotFound, "", "There is no such action")

func actionAt(as []store.Action, id string) int {
	return slices.IndexFunc(as, func(a store.Action) bool { return a.ID == id })
}

// changeAction makes the given changes to an action. It refuses one that is not complete.
func (p *People) changeAction(ctx context.Context, a *store.Action, c ActionChange) (err error) {
	if err := fits(c); err != nil {
		return err
	}
	if c.Name != nil {
		if a.Name, err = line("name", *c.Name); err != nil {
			return err
		}
	}
	if c.NameFR != nil {
		if a.NameFR, err = line("name_fr", *c.NameFR); err != nil {
			return err
		}
	}
	if c.Icon != nil {
		a.Icon = *c.Icon
	}
	if c.URL != nil {
		a.URL = strings.TrimSpace(*c.URL)
	}
	if c.Comment != nil {
		a.Comment = *c.Comment
	}
	if a.Name == "" {
		return fault.New(fault.Invalid, "name", "An action needs a name")
	}
	if c.URL != nil || a.URL == "" {
		if err := p.cfg.Programs(a.URL); err != nil {
			return err
		}
	}
	return p.changeActionFor(ctx, a, c)
}

// changeActionFor changes who may use an action, where, and what its program is told.
func (p *People) changeActionFor(ctx context.Context, a *store.Action, c ActionChange) (err error) {
	if c.Roles != nil {
		if a.Roles, err = chosenRoles(*c.Roles); err != nil {
			return err
		}
	}
	if c.Teams != nil {
		if a.Teams, err = p.chosenTeams(ctx, *c.Teams); err != nil {
			return err
		}
	}
	if c.Groups != nil {
		if a.Groups, err = p.chosenGroups(ctx, *c.Groups); err != nil {
			return err
		}
	}
	if c.Tells == nil {
		return nil
	}
	a.Tells = nil
	for _, t := range Tells {
		if slices.Contains(*c.Tells, t) {
			a.Tells = append(a.Tells, t)
		}
	}
	if slices.ContainsFunc(*c.Tells, func(t string) bool { return !slices.Contains(Tells, t) }) {
		return fault.New(fault.Invalid, "tells", "This is one of: {{.Choices}}", "Choices", strings.Join(Tells, ", "))
	}
	return nil
}

// chosenGroups gives the ids of groups; a refusal if there is no such group.
func (p *People) chosenGroups(ctx context.Context, slugs []string) (ids []string, err error) {
	for _, slug := range slugs {
		g, err := p.cfg.Org.Group(ctx, p.h.Domain, slug)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.New(fault.Invalid, "groups", "There is no group {{.Name}}", "Name", slug)
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, g.ID) {
			ids = append(ids, g.ID)
		}
	}
	if len(ids) > maxActionGroups {
		return nil, fault.New(fault.Invalid, "groups", "Choose {{.Max}} groups at most, or none for all", "Max",
			strconv.Itoa(maxActionGroups))
	}
	return ids, nil
}

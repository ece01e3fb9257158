package node

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"parley/admin"
	"parley/people"
)

// audited is the operations of the command line: what they change is noted, as what is done on pages is. Accounts,
// invitations and tokens have their notes where their rules are.
type audited struct{ *operations }

var _ admin.Operations = audited{}

// note keeps an entry for what was done; nothing if it was not.
func (a audited) note(ctx context.Context, err error, domain, action, target string, detail map[string]any) error {
	if err != nil {
		return err
	}
	if domain == "" && len(a.n.hosts) == 1 {
		domain = a.n.hosts[0].Domain
	}
	a.audit(ctx, domain, action, target, detail)
	return nil
}

// everywhere is for what holds for all hosts.
func (a audited) everywhere(ctx context.Context, err error, action, target string, detail map[string]any) error {
	if err == nil {
		for _, h := range a.n.hosts {
			a.audit(ctx, h.Domain, action, target, detail)
		}
	}
	return err
}

// differences are the fields that are not the same in two values, as they were and as they are.
func differences(was, is any) map[string]any {
	fields := func(v any) map[string]any {
		var m map[string]any
		if b, err := json.Marshal(v); err != nil || json.Unmarshal(b, &m) != nil {
			return nil
		}
		return m
	}
	out := make(map[string]any)
	before, after := fields(was), fields(is)
	for _, name := range slices.Collect(maps.Keys(after)) {
		switch after[name].(type) {
		case []any, map[string]any:
			continue // they are changed by operations of their own
		}
		if before[name] != after[name] {
			out[name] = []any{text(before[name]), text(after[name])}
		}
	}
	for name, v := range before {
		if _, ok := after[name]; ok {
			continue
		}
		switch v.(type) {
		case []any, map[string]any:
		default:
			out[name] = []any{text(v), ""}
		}
	}
	return out
}

func text(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func (a audited) CreateGroup(ctx context.Context, in admin.NewGroup) (admin.Group, error) {
	g, err := a.operations.CreateGroup(ctx, in)
	return g, a.note(ctx, err, g.Host, "group.create", g.Slug, map[string]any{"kind": g.Kind, "members": 1})
}

func (a audited) ChangeGroup(ctx context.Context, host, slug string, c admin.GroupChange) (admin.Group, error) {
	_, before, err := a.group(ctx, host, slug)
	if err != nil {
		return admin.Group{}, err
	}
	was := a.showGroup(before)
	g, err := a.operations.ChangeGroup(ctx, host, slug, c)
	return g, a.note(ctx, err, g.Host, "group.change", g.Slug, differences(was, g))
}

func (a audited) RestoreGroup(ctx context.Context, host, slug string) (admin.Group, error) {
	g, err := a.operations.RestoreGroup(ctx, host, slug)
	return g, a.note(ctx, err, g.Host, "group.restore", g.Slug, nil)
}

func (a audited) SetPhoto(ctx context.Context, host, slug string, image []byte) error {
	return a.note(ctx, a.operations.SetPhoto(ctx, host, slug, image), host, "group.photo", slug, map[string]any{"removed": len(image) == 0})
}

func (a audited) SetMember(ctx context.Context, host, slug, address, role string) (admin.Member, error) {
	m, err := a.operations.SetMember(ctx, host, slug, address, role)
	return m, a.note(ctx, err, host, "group.members", slug, map[string]any{"role": role, "members": []string{m.Address}})
}

func (a audited) RemoveMember(ctx context.Context, host, slug, address string) error {
	return a.note(ctx, a.operations.RemoveMember(ctx, host, slug, address), host, "group.members", slug, map[string]any{"removed": address})
}

func (a audited) DeleteGroup(ctx context.Context, host, slug string) error {
	_, g, err := a.group(ctx, host, slug)
	if err != nil {
		return err
	}
	return a.note(ctx, a.operations.DeleteGroup(ctx, host, slug), g.Host, "group.delete", g.Slug, map[string]any{"name": g.Name})
}

func (a audited) SetMandatory(ctx context.Context, host, slug, whom string) error {
	return a.note(ctx, a.operations.SetMandatory(ctx, host, slug, whom), host, "group.mandatory", slug, map[string]any{"all": whom != "", "team": whom})
}

func (a audited) SetGroupTeam(ctx context.Context, host, slug, team, role string) error {
	return a.note(ctx, a.operations.SetGroupTeam(ctx, host, slug, team, role), host, "group.team", slug, map[string]any{"team": team, "role": role})
}

func (a audited) AnswerRequest(ctx context.Context, host, slug, address string, yes bool) error {
	return a.note(ctx, a.operations.AnswerRequest(ctx, host, slug, address, yes), host, "group.request", slug, map[string]any{"members": []string{address}, "open": yes})
}

func (a audited) CreateTheme(ctx context.Context, host, slug string, n admin.NewTheme) (admin.Theme, error) {
	t, err := a.operations.CreateTheme(ctx, host, slug, n)
	return t, a.note(ctx, err, host, "theme.create", slug+"/"+t.Key, map[string]any{"name": t.Name})
}

func (a audited) ChangeTheme(ctx context.Context, host, slug, theme string, c admin.ThemeChange) (admin.Theme, error) {
	t, err := a.operations.ChangeTheme(ctx, host, slug, theme, c)
	detail := make(map[string]any)
	if b, jerr := json.Marshal(c); jerr == nil && json.Unmarshal(b, &detail) != nil {
		detail = nil
	}
	return t, a.note(ctx, err, host, "theme.change", slug+"/"+t.Key, detail)
}

func (a audited) CloseTheme(ctx context.Context, host, slug, theme string) error {
	return a.note(ctx, a.operations.CloseTheme(ctx, host, slug, theme), host, "theme.close", slug+"/"+theme, map[string]any{"open": false})
}

func (a audited) SetThemePerson(ctx context.Context, host, slug, theme, address, role string) error {
	return a.note(ctx, a.operations.SetThemePerson(ctx, host, slug, theme, address, role), host, "theme.people", slug+"/"+theme, map[string]any{"role": role, "members": []string{address}})
}

func (a audited) CreateTeam(ctx context.Context, n admin.NewTeam) (admin.Team, error) {
	t, err := a.operations.CreateTeam(ctx, n)
	return t, a.note(ctx, err, t.Host, "team.create", t.Slug, map[string]any{"name": t.Name})
}

func (a audited) ChangeTeam(ctx context.Context, host, slug string, c admin.TeamChange) (admin.Team, error) {
	was, err := a.Team(ctx, host, slug)
	if err != nil {
		return was, err
	}
	t, err := a.operations.ChangeTeam(ctx, host, slug, c)
	return t, a.note(ctx, err, t.Host, "team.change", t.Slug, differences(was, t))
}

func (a audited) SetTeamPeople(ctx context.Context, host, slug string, in, out []string) error {
	return a.note(ctx, a.operations.SetTeamPeople(ctx, host, slug, in, out), host, "team.people", slug, map[string]any{"members": in, "removed": strings.Join(out, ", ")})
}

func (a audited) DeleteTeam(ctx context.Context, host, slug string) error {
	return a.note(ctx, a.operations.DeleteTeam(ctx, host, slug), host, "team.delete", slug, nil)
}

func (a audited) SetTeamShare(ctx context.Context, host, slug, kind string, x admin.Share) error {
	return a.note(ctx, a.operations.SetTeamShare(ctx, host, slug, kind, x), host, "team.share", slug, map[string]any{"kind": kind, "name": x.Name})
}

func (a audited) DeleteTeamShare(ctx context.Context, host, slug, kind, name string) error {
	return a.note(ctx, a.operations.DeleteTeamShare(ctx, host, slug, kind, name), host, "team.unshare", slug, map[string]any{"kind": kind, "name": name})
}

func (a audited) Kick(ctx context.Context, address string) (int, error) {
	n, err := a.operations.Kick(ctx, address)
	bare, _, _ := strings.Cut(address, "/")
	if h, j, lerr := a.local("address", bare); lerr == nil && n > 0 {
		return n, a.note(ctx, err, h.Domain, "session.end", j.String(), map[string]any{"sessions": n})
	}
	return n, err
}

func (a audited) DeleteReport(ctx context.Context, host, id string) error {
	return a.note(ctx, a.operations.DeleteReport(ctx, host, id), host, "system.report", id, nil)
}

func (a audited) SetDomainRules(ctx context.Context, rs []admin.DomainRule) error {
	err := a.operations.SetDomainRules(ctx, rs)
	if len(rs) == 1 {
		return a.everywhere(ctx, err, "system.federation", rs[0].Domain, map[string]any{"do": rs[0].Action})
	}
	return a.everywhere(ctx, err, "system.federation", "", map[string]any{"count": len(rs)})
}

func (a audited) DeleteDomainRule(ctx context.Context, domain string) error {
	return a.everywhere(ctx, a.operations.DeleteDomainRule(ctx, domain), "system.federation", domain, map[string]any{"do": "forget"})
}

func (a audited) SetOnlyListed(ctx context.Context, only bool) error {
	return a.everywhere(ctx, a.operations.SetOnlyListed(ctx, only), "system.federation", "", map[string]any{"do": map[bool]string{true: "only listed", false: "not only listed"}[only]})
}

func (a audited) CreateWebhook(ctx context.Context, n admin.NewWebhook) (admin.Webhook, error) {
	w, err := a.operations.CreateWebhook(ctx, n)
	return w, a.note(ctx, err, w.Host, "system.webhook", w.ID, map[string]any{"name": w.Name, "direction": w.Direction, "group": w.Group})
}

func (a audited) SetWebhookDisabled(ctx context.Context, host, id string, disabled bool) error {
	return a.note(ctx, a.operations.SetWebhookDisabled(ctx, host, id, disabled), host, "system.webhook", id, map[string]any{"do": map[bool]string{true: "disable", false: "enable"}[disabled]})
}

func (a audited) DeleteWebhook(ctx context.Context, host, id string) error {
	return a.note(ctx, a.operations.DeleteWebhook(ctx, host, id), host, "system.webhook", id, map[string]any{"do": "delete"})
}

func (a audited) Redeliver(ctx context.Context, host, id string) (int, error) {
	n, err := a.operations.Redeliver(ctx, host, id)
	return n, a.note(ctx, err, host, "system.webhook", id, map[string]any{"do": "retry", "count": n})
}

func (a audited) Import(ctx context.Context, in admin.Import, r io.Reader) (admin.Imported, error) {
	v, err := a.operations.Import(ctx, in, r)
	made := make(map[string]int)
	for _, u := range v.Users {
		_, domain, _ := strings.Cut(u, "@")
		made[domain]++
	}
	for domain, n := range made {
		a.audit(ctx, domain, "person.import", "", map[string]any{"made": n})
	}
	return v, err
}

func (a audited) Export(ctx context.Context, x admin.Export, w io.Writer) error {
	err := a.operations.Export(ctx, x, w)
	if err != nil {
		return err
	}
	detail := map[string]any{"count": len(x.Addresses)}
	if len(x.Addresses) == 0 {
		detail = map[string]any{"all": true}
	}
	if x.Host != "" {
		return a.note(ctx, nil, x.Host, "person.export", "", detail)
	}
	return a.everywhere(ctx, nil, "person.export", strings.Join(x.Addresses, ", "), detail)
}

// actor is who does what these operations do.
func (o *operations) actor() people.Actor {
	if o.by.Role == "" {
		return people.System
	}
	return o.by
}

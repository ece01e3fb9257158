package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

// What is done to a group by the API, with the rights that its rooms and pages give.

// InGroup is the group in a path; its name begins large because huma looks into such only.
type InGroup struct {
	Slug string `path:"slug" maxLength:"100"`
}

// addressOf reads who is meant; a name alone is an account of the caller's host.
func (c caller) addressOf(address string) (jid.JID, error) {
	if !strings.Contains(address, "@") {
		address += "@" + c.me.Host
	}
	j, err := jid.Parse(address)
	if err != nil || j.Local() == "" {
		return jid.JID{}, &people.Error{Kind: org.Invalid, Field: "address", Text: "{{.Address}} is no address of a person", Args: []any{"Address", address}}
	}
	return j.Bare(), nil
}

// groupFor gives a group to who manages it, or with owner to who owns it.
func (s *Server) groupFor(ctx context.Context, c caller, slug string, owner bool) (store.Group, error) {
	g, access, _, err := s.apiRoom(ctx, c, slug, "")
	if err == nil {
		err = manages(access)
	}
	if err == nil && owner && access.Affiliation != org.Owner {
		err = forbidden
	}
	return g, err
}

func (s *Server) apiGroupSettings(a huma.API) {
	runs := people.Actor.Runs
	type ChangeGroup struct {
		InGroup
		Body struct {
			Name        *string `json:"name,omitempty" maxLength:"200"`
			Description *string `json:"description,omitempty" maxLength:"2000"`
			Kind        *string `json:"kind,omitempty" enum:"private,public,large,request,announcement,federated"`
			Hidden      *bool   `json:"hidden,omitempty" doc:"of announcements: only members know of them"`
			ThemesBy    *string `json:"themes_by,omitempty" enum:"members,moderators"`
			MentionBy   *string `json:"mention_by,omitempty" enum:"members,moderators,nobody"`
			Emoji       *string `json:"emoji,omitempty" maxLength:"64"`
			Guests      *bool   `json:"guests,omitempty" doc:"themes may have people who are not in the group"`
			SinceJoin   *bool   `json:"since_join,omitempty" doc:"members read only what was said since they were added"`
		}
	}
	route(s, a, operation("change-group", http.MethodPatch, "/groups/{slug}", "groups:write", "Change what is given of a group that one owns"), nil, func(ctx context.Context, c caller, in *ChangeGroup) (v apiGroup, err error) {
		g, err := s.groupFor(ctx, c, in.Slug, true)
		if err != nil {
			return v, err
		}
		b := in.Body
		g, err = s.Org.Update(ctx, g.Host, g.ID, org.GroupChange{Name: b.Name, Description: b.Description, Kind: b.Kind, Hidden: b.Hidden, ThemesBy: b.ThemesBy, MentionBy: b.MentionBy,
			Emoji: b.Emoji, Guests: b.Guests, SinceJoin: b.SinceJoin})
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.change", g.Slug, nil)
		}
		return s.showGroup(g), err
	})
	act(s, a, operation("delete-group", http.MethodDelete, "/groups/{slug}", "groups:write", "Delete a group that one owns; it can be restored for 30 days"), nil, func(ctx context.Context, c caller, in *InGroup) error {
		g, err := s.groupFor(ctx, c, in.Slug, true)
		if err == nil {
			err = s.Org.DeleteGroup(ctx, g.Host, g.ID)
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.delete", g.Slug, map[string]any{"name": g.Name})
		}
		return err
	})
	route(s, a, operation("list-deleted-groups", http.MethodGet, "/deleted-groups", "groups:read", "Groups that can be restored"), runs, func(ctx context.Context, c caller, _ *none) ([]admin.Group, error) {
		return some(s.Ops.DeletedGroups(ctx, c.me.Host))
	})
	route(s, a, operation("restore-group", http.MethodPost, "/deleted-groups/{slug}/restore", "groups:write", "Restore a deleted group"), runs, func(ctx context.Context, c caller, in *InGroup) (admin.Group, error) {
		g, err := s.Ops.RestoreGroup(ctx, c.me.Host, in.Slug)
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.restore", g.Slug, nil)
		}
		return g, err
	})
	type GroupPhoto struct {
		Type  string `json:"type"`
		Hash  string `json:"hash" doc:"SHA-1 in hex"`
		Image []byte `json:"image" doc:"base64"`
	}
	route(s, a, operation("get-group-photo", http.MethodGet, "/groups/{slug}/photo", "groups:read", "The photo of a group"), nil, func(ctx context.Context, c caller, in *InGroup) (GroupPhoto, error) {
		g, _, _, err := s.apiRoom(ctx, c, in.Slug, "")
		if err != nil {
			return GroupPhoto{}, err
		}
		p, err := s.Org.Photo(ctx, g.Host, g.ID)
		return GroupPhoto{p.Type, p.Hash, p.Data}, err
	})
	type SetPhoto struct {
		InGroup
		Body struct {
			Image []byte `json:"image" maxLength:"11184812" doc:"PNG, JPEG, GIF or WebP up to 8 MB, in base64; its middle is kept"`
		}
	}
	photo := operation("set-group-photo", http.MethodPut, "/groups/{slug}/photo", "groups:write", "Give a group that one owns a photo")
	photo.MaxBodyBytes = 12 << 20
	setPhoto := func(ctx context.Context, c caller, slug string, data []byte) error {
		g, err := s.groupFor(ctx, c, slug, true)
		if err == nil && data != nil {
			data, err = groupPicture(data)
		}
		if err == nil {
			err = s.Org.SetPhoto(ctx, g.Host, g.ID, data)
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.photo", g.Slug, map[string]any{"removed": data == nil})
		}
		return err
	}
	act(s, a, photo, nil, func(ctx context.Context, c caller, in *SetPhoto) error {
		return setPhoto(ctx, c, in.Slug, append([]byte{}, in.Body.Image...))
	})
	act(s, a, operation("remove-group-photo", http.MethodDelete, "/groups/{slug}/photo", "groups:write", "Take the photo away"), nil, func(ctx context.Context, c caller, in *InGroup) error {
		return setPhoto(ctx, c, in.Slug, nil)
	})
	type SetMandatory struct {
		InGroup
		Body struct {
			Whom string `json:"whom" maxLength:"100" doc:"everyone, a team's slug, or nothing"`
		}
	}
	act(s, a, operation("set-mandatory", http.MethodPut, "/groups/{slug}/mandatory", "groups:write", "Have everyone in a group, or a team; the group tells how far it has come"), runs, func(ctx context.Context, c caller, in *SetMandatory) error {
		err := s.Ops.SetMandatory(ctx, c.me.Host, in.Slug, in.Body.Whom)
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.mandatory", in.Slug, map[string]any{"all": in.Body.Whom != "", "team": in.Body.Whom})
		}
		return err
	})
	s.apiGroupPeople(a)
	s.apiThemes(a)
}

// apiPlan is what a change of members comes to, or has come to.
type apiPlan struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
	Done    bool     `json:"done"`
}

func showPlan(p org.Plan, done bool) apiPlan {
	list := func(mss ...[]store.Member) []string {
		out := []string{}
		for _, m := range slices.Concat(mss...) {
			out = append(out, m.JID)
		}
		return out
	}
	return apiPlan{list(p.Added), list(p.Removed), list(p.Changed, p.Freed), done}
}

func (s *Server) apiGroupPeople(a huma.API) {
	type SetMembers struct {
		InGroup
		Body struct {
			Members []string `json:"members" minItems:"1" maxItems:"1000" doc:"addresses or names"`
			Role    string   `json:"role" enum:"member,moderator,owner,banned,none" doc:"none: taken out"`
			DryRun  bool     `json:"dry_run,omitempty" doc:"only say what it would come to"`
		}
	}
	route(s, a, operation("set-members", http.MethodPost, "/groups/{slug}/members", "groups:write", "Give many people a role at once, or take them out; all or none"), nil, func(ctx context.Context, c caller, in *SetMembers) (v apiPlan, err error) {
		g, err := s.groupFor(ctx, c, in.Slug, false)
		if err != nil {
			return v, err
		}
		var js []jid.JID
		var names []string
		for _, m := range in.Body.Members {
			j, err := c.addressOf(m)
			if err != nil {
				return v, err
			}
			js, names = append(js, j), append(names, j.String())
		}
		role := in.Body.Role
		if role == "none" {
			role = ""
		}
		plan, err := s.Org.PlanMembers(ctx, g.Host, g.ID, c.self(), js, role)
		if err != nil || in.Body.DryRun || plan.None() {
			return showPlan(plan, false), err
		}
		if err := s.Org.SetMembersAs(ctx, g.Host, g.ID, c.self(), js, role); err != nil {
			return v, err
		}
		c.p.Audit(ctx, c.actor, "group.members", g.Slug, map[string]any{"role": role, "members": names[:min(len(names), 100)], "count": len(names)})
		return showPlan(plan, true), nil
	})
	type SetGroupTeam struct {
		InGroup
		Team string `path:"team" maxLength:"100"`
		Body struct {
			Role string `json:"role" enum:"member,moderator"`
		}
	}
	setTeam := func(ctx context.Context, c caller, slug, team, role string) error {
		g, err := s.groupFor(ctx, c, slug, true)
		if err != nil {
			return err
		}
		t, err := s.Org.Team(ctx, g.Host, team)
		if err == nil {
			err = s.Org.SetGroupTeam(ctx, g.Host, g.ID, t.ID, role)
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.team", g.Slug, map[string]any{"team": team, "role": role})
		}
		return err
	}
	act(s, a, operation("set-group-team", http.MethodPut, "/groups/{slug}/teams/{team}", "groups:write", "Have a team in a group as one"), nil, func(ctx context.Context, c caller, in *SetGroupTeam) error {
		return setTeam(ctx, c, in.Slug, in.Team, in.Body.Role)
	})
	type NoTeam struct {
		InGroup
		Team string `path:"team" maxLength:"100"`
	}
	act(s, a, operation("remove-group-team", http.MethodDelete, "/groups/{slug}/teams/{team}", "groups:write", "Take a team out of a group"), nil, func(ctx context.Context, c caller, in *NoTeam) error {
		return setTeam(ctx, c, in.Slug, in.Team, "")
	})
	route(s, a, operation("list-requests", http.MethodGet, "/groups/{slug}/requests", "groups:read", "Who asks to be a member"), nil, func(ctx context.Context, c caller, in *InGroup) ([]admin.Request, error) {
		if _, err := s.groupFor(ctx, c, in.Slug, false); err != nil {
			return nil, err
		}
		return some(s.Ops.Requests(ctx, c.me.Host, in.Slug))
	})
	type AnswerRequest struct {
		InGroup
		Address string `path:"address" maxLength:"3071"`
		Body    struct {
			Yes bool `json:"yes"`
		}
	}
	act(s, a, operation("answer-request", http.MethodPut, "/groups/{slug}/requests/{address}", "groups:write", "Let in who has asked, or not"), nil, func(ctx context.Context, c caller, in *AnswerRequest) error {
		g, err := s.groupFor(ctx, c, in.Slug, false)
		if err != nil {
			return err
		}
		who, err := c.addressOf(in.Address)
		if err == nil {
			err = s.Org.AnswerRequest(ctx, g.Host, g.ID, who, in.Body.Yes, c.self())
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.request", g.Slug, map[string]any{"members": []string{who.String()}, "open": in.Body.Yes})
		}
		return err
	})
	type Kick struct {
		InGroup
		Theme string `query:"theme" maxLength:"20" doc:"key of a theme; none: the main room"`
		Body  struct {
			Address string `json:"address" maxLength:"3071"`
			Reason  string `json:"reason,omitempty" maxLength:"500"`
		}
	}
	act(s, a, operation("kick", http.MethodPost, "/groups/{slug}/kick", "groups:write", "Show somebody out of a room, who may come back"), nil, func(ctx context.Context, c caller, in *Kick) error {
		g, access, local, err := s.apiRoom(ctx, c, in.Slug, in.Theme)
		if err == nil {
			err = manages(access)
		}
		if err != nil {
			return err
		}
		who, err := c.addressOf(in.Body.Address)
		if err == nil {
			err = s.Rooms.Kick(ctx, c.self(), s.Org.RoomJID(g.Host, local), who, in.Body.Reason)
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.kick", g.Slug, map[string]any{"members": []string{who.String()}, "reason": in.Body.Reason})
		}
		return err
	})
	s.apiOwnGroups(a)
}

// apiOwnGroups is coming and going by oneself.
func (s *Server) apiOwnGroups(a huma.API) {
	type JoinGroup struct {
		InGroup
		Body struct {
			Reason string `json:"reason,omitempty" maxLength:"1000" doc:"for a group that one asks to be in"`
		}
	}
	type Joined struct {
		State string `json:"state" enum:"member,asked"`
	}
	route(s, a, operation("join-group", http.MethodPost, "/groups/{slug}/join", "groups:write", "Be a member, or ask to be one"), nil, func(ctx context.Context, c caller, in *JoinGroup) (Joined, error) {
		g, access, _, err := s.apiRoom(ctx, c, in.Slug, "")
		if err != nil {
			return Joined{}, err
		}
		if access.Ask {
			return Joined{"asked"}, s.Org.Request(ctx, g.Host, g.ID, c.self(), in.Body.Reason)
		}
		joined, err := s.Org.Join(ctx, g.Host, g.ID, c.self())
		if err == nil && !joined {
			err = forbidden
		}
		return Joined{store.RoleMember}, err
	})
	act(s, a, operation("leave-group", http.MethodPost, "/groups/{slug}/leave", "groups:write", "Not be a member any more"), nil, func(ctx context.Context, c caller, in *InGroup) error {
		g, _, _, err := s.apiRoom(ctx, c, in.Slug, "")
		if err == nil {
			err = s.Org.Leave(ctx, g.Host, g.ID, c.self())
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "group.leave", g.Slug, nil)
		}
		return err
	})
}

// InTheme is the theme in a path.
type InTheme struct {
	InGroup
	Theme string `path:"theme" maxLength:"20" doc:"key"`
}

func (s *Server) apiThemes(a huma.API) {
	find := func(ctx context.Context, c caller, in InTheme) (store.Group, store.Theme, org.Access, error) {
		g, access, _, err := s.apiRoom(ctx, c, in.Slug, in.Theme)
		if err != nil {
			return g, store.Theme{}, access, err
		}
		t, err := s.Org.Theme(ctx, g.Host, in.Theme)
		return g, t, access, err
	}
	route(s, a, operation("get-theme", http.MethodGet, "/groups/{slug}/themes/{theme}", "groups:read", "A theme; to moderators with who is in it by more than the group"), nil, func(ctx context.Context, c caller, in *InTheme) (v apiTheme, err error) {
		_, t, access, err := find(ctx, c, *in)
		if err != nil {
			return v, err
		}
		v = s.showTheme(t)
		if manages(access) == nil {
			ms, err := s.Org.ThemePeople(ctx, t.Host, t.Key)
			if err != nil {
				return v, err
			}
			for _, m := range ms {
				v.People = append(v.People, apiMember{m.JID, m.Role})
			}
		}
		return v, nil
	})
	type ChangeTheme struct {
		InTheme
		Body struct {
			Name  *string `json:"name,omitempty" maxLength:"200"`
			State *string `json:"state,omitempty" enum:"open,closed,archived"`
		}
	}
	route(s, a, operation("change-theme", http.MethodPatch, "/groups/{slug}/themes/{theme}", "groups:write", "Rename a theme, open, close or archive it"), nil, func(ctx context.Context, c caller, in *ChangeTheme) (v apiTheme, err error) {
		g, t, _, err := find(ctx, c, in.InTheme)
		if err == nil {
			err = s.Org.MayManageTheme(ctx, g.Host, t.Key, c.self())
		}
		if err == nil && in.Body.Name != nil {
			_, err = s.Org.RenameTheme(ctx, g.Host, t.Key, *in.Body.Name, c.self())
		}
		if err == nil && in.Body.State != nil {
			err = s.Org.SetThemeState(ctx, g.Host, t.Key, *in.Body.State, c.self())
		}
		if err != nil {
			return v, err
		}
		c.p.Audit(ctx, c.actor, "theme.change", g.Slug+"/"+t.Key, nil)
		t, err = s.Org.Theme(ctx, g.Host, t.Key)
		return s.showTheme(t), err
	})
	setPerson := func(ctx context.Context, c caller, in InTheme, address, role string) error {
		g, t, access, err := find(ctx, c, in)
		if err == nil {
			err = manages(access)
		}
		if err != nil {
			return err
		}
		who, err := c.addressOf(address)
		if err == nil {
			err = s.Org.SetThemePeople(ctx, g.Host, t.Key, []store.Member{{JID: who.String(), Role: role}})
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "theme.people", g.Slug+"/"+t.Key, map[string]any{"role": role, "members": []string{who.String()}})
		}
		return err
	}
	type SetThemePerson struct {
		InTheme
		Address string `path:"address" maxLength:"3071"`
		Body    struct {
			Role string `json:"role" enum:"member,banned"`
		}
	}
	act(s, a, operation("set-theme-person", http.MethodPut, "/groups/{slug}/themes/{theme}/people/{address}", "groups:write", "Have somebody in a restricted theme, or as a guest, or kept out"), nil, func(ctx context.Context, c caller, in *SetThemePerson) error {
		return setPerson(ctx, c, in.InTheme, in.Address, in.Body.Role)
	})
	type NoPerson struct {
		InTheme
		Address string `path:"address" maxLength:"3071"`
	}
	act(s, a, operation("remove-theme-person", http.MethodDelete, "/groups/{slug}/themes/{theme}/people/{address}", "groups:write", "Have somebody in a theme by the group alone, or not any more"), nil, func(ctx context.Context, c caller, in *NoPerson) error {
		return setPerson(ctx, c, in.InTheme, in.Address, "")
	})
	type Said struct {
		InGroup
		ID     string `path:"id" maxLength:"13"`
		Theme  string `query:"theme" maxLength:"20" doc:"key of a theme; none: the main room"`
		Reason string `query:"reason" maxLength:"500"`
	}
	act(s, a, operation("retract-message", http.MethodDelete, "/groups/{slug}/messages/{id}", "messages:write", "Take back what one has said, or as a moderator what another has"), nil, func(ctx context.Context, c caller, in *Said) error {
		g, access, local, err := s.apiRoom(ctx, c, in.Slug, in.Theme)
		if err != nil {
			return err
		}
		from, read, err := s.Org.ReadsFrom(ctx, g, access, c.self())
		if err != nil {
			return err
		}
		id, err := store.ParseID(in.ID)
		if err != nil || !read || id < store.FirstID(from) {
			return notFound
		}
		at := s.Org.RoomJID(g.Host, local)
		es, _, _, err := s.Store.ReadRoom(ctx, at.Domain(), local, store.Page{Start: from, IDs: []store.ID{id}, Max: 1})
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case len(es) == 0:
			return notFound
		case es[0].Sender == c.self().String():
			err = s.Rooms.Retract(ctx, c.self(), at, in.ID)
		case manages(access) == nil:
			err = s.Rooms.Moderate(ctx, c.self(), at, in.ID, in.Reason)
		default:
			err = forbidden
		}
		if err == nil {
			c.p.Audit(ctx, c.actor, "message.retract", g.Slug, map[string]any{"message": in.ID, "sender": es[0].Sender, "reason": in.Reason})
		}
		return err
	})
}

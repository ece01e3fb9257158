package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/fault"
	"parley/internal/shape"
	"parley/org"
	"parley/store"
)

// Group is a group. Answers have all of its settings.
type Group struct {
	Host string `json:"host"`
	Slug string `json:"slug"`
	GroupChange
	Private   bool      `json:"private" doc:"only its members find it"`
	Room      string    `json:"room" doc:"address of its main room"`
	Photo     string    `json:"photo,omitempty" doc:"SHA-1 of the photo, in hex"`
	Mandatory string    `json:"mandatory,omitempty" doc:"everyone, or a team's slug"`
	Adding    *Progress `json:"adding,omitempty" doc:"progress while people are being added to a mandatory group"`
	Teams     []TeamIn  `json:"teams,omitempty" doc:"teams that are members as a whole"`
	Created   time.Time `json:"created"`
	Deleted   time.Time `json:"deleted,omitzero"`
	Members   []Member  `json:"members,omitempty"`
	Themes    []Theme   `json:"themes,omitempty"`
}

// TransformSchema makes the fields required that a change can leave out and an answer always has.
func (Group) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, f := range shape.Of(Group{}) {
		s.Required = append(s.Required, f.Name)
	}
	return s
}

// Progress is how far a task in the background has come.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// TeamIn is a team in a group.
type TeamIn struct {
	Slug string `json:"slug"`
	Role string `json:"role"`
}

// Member is a member of a group or a theme.
type Member struct {
	Address string    `json:"address"`
	Role    string    `json:"role" doc:"member, moderator, owner, banned"`
	Since   time.Time `json:"since,omitzero"`
}

// InGroup is the group in a path. Its name starts with a capital letter because huma skips other embedded structs.
type InGroup struct {
	Slug string `path:"slug" maxLength:"100"`
}

// FindGroups chooses groups.
type FindGroups struct {
	Part
	Q     string `query:"q" maxLength:"200" doc:"words to search for in name, slug and description; all must be found"`
	Whose string `query:"whose" enum:"own,other" doc:"own: groups that the caller is in; other: the rest; none: all"`
}

// NewGroup is a group to create, with the settings that the caller gives.
type NewGroup struct {
	Slug string `json:"slug,omitempty" maxLength:"100"`
	GroupChange
	Private bool   `json:"private,omitempty" doc:"without a kind: makes the group private; with announcement: only members can find the group"`
	Owner   string `json:"owner,omitempty" maxLength:"3071" doc:"address or name of the owner; \"\": the caller"`
}

// TransformSchema makes the name required.
func (NewGroup) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = append(s.Required, "name")
	return s
}

// Operations on groups.
var (
	ListGroups = inBrowsers(op[FindGroups, []Group](
		"list-groups", http.MethodGet, "/groups", "groups:read",
		"Groups that the caller can see, in order of slug",
	))
	GetGroup = inBrowsers(op[InGroup, Group](
		"get-group", http.MethodGet, "/groups/{slug}", "groups:read",
		"A group with its themes, and its members if the caller can read it",
	))
	CreateGroup = inBrowsers(creates[Body[NewGroup], Group](
		"create-group", "/groups", "groups:write",
		"Create a group; the caller owns it",
	))
)

func (s *Server) groups(d *doors) {
	list(s, d, ListGroups, nil, func(ctx context.Context, c caller,
		in *FindGroups) (out []Group, total int, err error) {
		words := strings.Fields(in.Q)
		gs, total, err := s.Org.FindGroups(ctx, c.host(), c.self(), store.GroupFilter{
			Words:     words[:min(len(words), 8)],
			Described: true,
			Whose:     in.Whose,
			Offset:    in.Offset,
			Limit:     in.Limit,
		})
		for _, g := range gs {
			out = append(out, s.showGroup(g))
		}
		return out, total, err
	})
	serve(s, d, GetGroup, nil, s.getGroup)
	serve(s, d, CreateGroup, s.creator, s.createGroup)
}

func (s *Server) showGroup(g store.Group) Group {
	return Group{
		Host:        g.Host,
		Slug:        g.Slug,
		GroupChange: org.SettingsInForce(g),
		Private:     g.Private,
		Room:        s.Org.RoomJID(g.Host, g.Room).String(),
		Photo:       g.PhotoHash,
		Created:     g.Created,
		Deleted:     g.Deleted,
	}
}

// showTeams adds the teams of a group and its mandatory members.
func (s *Server) showTeams(ctx context.Context, g store.Group, out *Group) error {
	gts, err := s.Org.GroupTeams(ctx, g.Host, g.ID)
	if err != nil {
		return err
	}
	ts, err := s.Org.Teams(ctx, g.Host)
	if err != nil {
		return err
	}
	slugs := map[string]string{org.Everyone: org.Everyone}
	for _, t := range ts {
		slugs[t.ID] = t.Slug
	}
	for _, gt := range gts {
		out.Teams = append(out.Teams, TeamIn{slugs[gt.Team], gt.Role})
	}
	out.Mandatory = slugs[g.Mandatory]
	if done, total, now := s.Org.Filling(g.Host, g.ID); now {
		out.Adding = &Progress{done, total}
	}
	return nil
}

// access returns the caller's access to a group, or with a key to a theme. The operator of the machine is like an
// owner.
func (s *Server) access(ctx context.Context, c caller, group, key string) (org.Access, error) {
	if c.actor.Machine() {
		return org.Access{Affiliation: org.Owner, Know: true, Read: true}, nil
	}
	return s.Org.Access(ctx, c.host(), group, key, c.self())
}

// room finds the room of a group or a theme for a caller, as pages do: a group that the caller must not know of is not
// found.
func (s *Server) room(ctx context.Context, c caller,
	slug, key string) (g store.Group, a org.Access, local string, err error) {
	if g, err = s.Org.Group(ctx, c.host(), slug); err != nil {
		return g, a, "", err
	}
	if a, err = s.access(ctx, c, g.ID, key); err != nil {
		return g, a, "", err
	}
	if !a.Know {
		return g, a, "", notFound
	}
	local = g.Room
	if key != "" {
		t, err := s.Org.Theme(ctx, c.host(), key)
		if err != nil || t.Group != g.ID {
			return g, a, "", notFound
		}
		local = t.Room
	}
	return g, a, local, nil
}

// managed finds a group that the caller manages, or owns if owner is true.
func (s *Server) managed(ctx context.Context, c caller, slug string, owner bool) (store.Group, error) {
	g, access, _, err := s.room(ctx, c, slug, "")
	if err != nil {
		return g, err
	}
	if err := manages(access); err != nil {
		return g, err
	}
	if owner && access.Affiliation != org.Owner {
		return g, fault.ErrRole
	}
	return g, nil
}

func manages(a org.Access) error {
	if a.Manages() {
		return nil
	}
	return fault.ErrRole
}

func (s *Server) getGroup(ctx context.Context, c caller, in *InGroup) (Group, error) {
	g, access, _, err := s.room(ctx, c, in.Slug, "")
	if err != nil {
		return Group{}, err
	}
	out := s.showGroup(g)
	ts, err := s.Org.Themes(ctx, g.Host, g.ID, c.self())
	if err != nil {
		return out, err
	}
	for _, t := range ts {
		out.Themes = append(out.Themes, s.showTheme(g, t))
	}
	if !access.Read {
		return out, nil
	}
	if err := s.showTeams(ctx, g, &out); err != nil {
		return out, err
	}
	ms, err := s.Org.Members(ctx, g.Host, g.ID)
	for _, m := range ms {
		if org.Lists(g, access, c.self(), m) {
			out.Members = append(out.Members, Member{m.JID, m.Role, m.Since})
		}
	}
	return out, err
}

func (s *Server) createGroup(ctx context.Context, c caller, in *Body[NewGroup]) (Group, error) {
	b, owner := in.Body, c.self()
	if b.Owner != "" {
		var err error
		if owner, err = c.addressOf("owner", b.Owner); err != nil {
			return Group{}, err
		}
	}
	g, err := s.Org.CreateGroup(ctx, c.actor, c.host(), org.NewGroup{
		Slug:     b.Slug,
		Settings: b.GroupChange,
		Private:  b.Private,
		Owner:    owner,
	})
	return s.showGroup(g), err
}

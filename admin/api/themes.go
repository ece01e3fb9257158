package api

import (
	"context"
	"net/http"
	"time"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
)

// Theme is a focused conversation in a group.
type Theme struct {
	Key        string    `json:"key"`
	Slug       string    `json:"slug"`
	Name       string    `json:"name"`
	Room       string    `json:"room"`
	State      string    `json:"state" enum:"open,closed,archived"`
	Restricted bool      `json:"restricted" doc:"open only to chosen people"`
	Creator    string    `json:"creator,omitempty"`
	Created    time.Time `json:"created"`
	Closed     time.Time `json:"closed,omitzero"`
	Link       string    `json:"link"`
	Source     string    `json:"source,omitempty" doc:"the message that the theme began with: room/stanza-id"`
	People     []Member  `json:"people,omitempty"`
}

// InTheme is the theme in a path.
type InTheme struct {
	InGroup
	Theme string `path:"theme" maxLength:"20" doc:"key"`
}

// NewTheme is a theme to be started.
type NewTheme struct {
	Name       string   `json:"name" maxLength:"100"`
	Restricted bool     `json:"restricted,omitempty" doc:"open only to the creator and the people listed"`
	People     []string `json:"people,omitempty" maxItems:"1000" doc:"addresses or names of a restricted theme's people"`
	Creator    string   `json:"creator,omitempty" maxLength:"3071" doc:"address or name of the member who starts it; for the operator of the machine"`
}

// NewThemeInput starts a theme.
type NewThemeInput struct {
	InGroup
	Body NewTheme
}

// ThemeChange changes a theme. Fields that are nil stay.
type ThemeChange = org.ThemeChange

// ChangeThemeInput changes a theme.
type ChangeThemeInput struct {
	InTheme
	Body ThemeChange
}

// InThemePerson is somebody in a theme, in a path.
type InThemePerson struct {
	InTheme
	Address string `path:"address" maxLength:"3071"`
}

// SetThemePersonInput gives somebody a role in a theme.
type SetThemePersonInput struct {
	InThemePerson
	Body struct {
		Role string `json:"role" enum:"member,banned"`
	}
}

// Operations on themes.
var (
	CreateTheme = inBrowsers(creates[NewThemeInput, Theme](
		"create-theme", "/groups/{slug}/themes", "groups:write",
		"Start a theme",
	))
	GetTheme = inBrowsers(op[InTheme, Theme](
		"get-theme", http.MethodGet, "/groups/{slug}/themes/{theme}", "groups:read",
		"A theme; moderators also see its own people",
	))
	ChangeTheme = inBrowsers(op[ChangeThemeInput, Theme](
		"change-theme", http.MethodPatch, "/groups/{slug}/themes/{theme}", "groups:write",
		"Rename a theme, open, close or archive it",
	))
	SetThemePerson = op[SetThemePersonInput, None](
		"set-theme-person", http.MethodPut, "/groups/{slug}/themes/{theme}/people/{address}", "groups:write",
		"Add somebody to a restricted theme, add a guest, or ban somebody",
	)
	RemoveThemePerson = op[InThemePerson, None](
		"remove-theme-person", http.MethodDelete, "/groups/{slug}/themes/{theme}/people/{address}", "groups:write",
		"Remove somebody's own place in a theme",
	)
)

func (s *Server) themes(d *doors) {
	serve(s, d, CreateTheme, s.themeStarter, s.createTheme)
	serve(s, d, GetTheme, nil, s.getTheme)
	serve(s, d, ChangeTheme, s.themeManager, func(ctx context.Context, c caller,
		in *ChangeThemeInput) (v Theme, err error) {
		g, t, _, err := s.theme(ctx, c, in.InTheme)
		if err != nil {
			return v, err
		}
		t, err = s.Org.ChangeTheme(ctx, c.actor, g.Host, t.Key, in.Body)
		return s.showTheme(g, t), err
	})
	act(s, d, SetThemePerson, s.manager, func(ctx context.Context, c caller, in *SetThemePersonInput) error {
		return s.setThemePerson(ctx, c, in.InThemePerson, in.Body.Role)
	})
	act(s, d, RemoveThemePerson, s.manager, func(ctx context.Context, c caller, in *InThemePerson) error {
		return s.setThemePerson(ctx, c, *in, "")
	})
}

func (s *Server) showTheme(g store.Group, t store.Theme) Theme {
	out := Theme{
		Key:        t.Key,
		Slug:       t.Slug,
		Name:       t.Name,
		Room:       s.Org.RoomJID(t.Host, t.Room).String(),
		State:      org.StateOf(t),
		Restricted: t.Restricted,
		Creator:    t.Creator,
		Created:    t.Created,
		Closed:     t.Closed,
		Link:       org.ThemeLink(g, t),
	}
	if t.Source.Room != "" {
		out.Source = s.Org.RoomJID(t.Host, t.Source.Room).String() + "/" + t.Source.ID.String()
	}
	return out
}

// theme finds a theme that the caller may know of.
func (s *Server) theme(ctx context.Context, c caller, in InTheme) (store.Group, store.Theme, org.Access, error) {
	g, access, _, err := s.room(ctx, c, in.Slug, in.Theme)
	if err != nil {
		return g, store.Theme{}, access, err
	}
	t, err := s.Org.Theme(ctx, g.Host, in.Theme)
	return g, t, access, err
}

func (s *Server) createTheme(ctx context.Context, c caller, in *NewThemeInput) (Theme, error) {
	g, _, _, err := s.room(ctx, c, in.Slug, "")
	if err != nil {
		return Theme{}, err
	}
	n := org.NewTheme{Name: in.Body.Name, Creator: c.self(), Restricted: in.Body.Restricted}
	if in.Body.Creator != "" {
		if !c.actor.Machine() {
			return Theme{}, fault.ErrRole
		}
		if n.Creator, err = c.addressOf("creator", in.Body.Creator); err != nil {
			return Theme{}, err
		}
	}
	for _, p := range in.Body.People {
		j, err := c.addressOf("people", p)
		if err != nil {
			return Theme{}, err
		}
		n.People = append(n.People, j)
	}
	t, err := s.Org.CreateTheme(ctx, c.actor, g.Host, g.ID, n)
	return s.showTheme(g, t), err
}

func (s *Server) getTheme(ctx context.Context, c caller, in *InTheme) (v Theme, err error) {
	g, t, access, err := s.theme(ctx, c, *in)
	if err != nil {
		return v, err
	}
	v = s.showTheme(g, t)
	if manages(access) != nil {
		return v, nil
	}
	ms, err := s.Org.ThemePeople(ctx, t.Host, t.Key)
	for _, m := range ms {
		v.People = append(v.People, Member{m.JID, m.Role, m.Since})
	}
	return v, err
}

// setThemePerson gives somebody a role in a theme; the role "" leaves the person the role in the group.
func (s *Server) setThemePerson(ctx context.Context, c caller, in InThemePerson, role string) error {
	g, t, access, err := s.theme(ctx, c, in.InTheme)
	if err != nil {
		return err
	}
	if err := manages(access); err != nil {
		return err
	}
	who, err := c.addressOf("address", in.Address)
	if err != nil {
		return err
	}
	return s.Org.SetThemePeople(ctx, c.actor, g.Host, t.Key, []store.Member{{JID: who.String(), Role: role}})
}

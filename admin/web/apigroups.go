package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// apiGroup is a group in JSON.
type apiGroup struct {
	Slug        string      `json:"slug"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Kind        string      `json:"kind"`
	Room        string      `json:"room" doc:"address of its main room"`
	Emoji       string      `json:"emoji,omitempty"`
	ThemesBy    string      `json:"themes_by" enum:"members,moderators"`
	MentionBy   string      `json:"mention_by" enum:"members,moderators,nobody"`
	Guests      bool        `json:"guests"`
	SinceJoin   bool        `json:"since_join"`
	Photo       string      `json:"photo,omitempty" doc:"SHA-1 of it, in hex"`
	Mandatory   string      `json:"mandatory,omitempty" doc:"everyone, or a team's slug"`
	Adding      *apiAdding  `json:"adding,omitempty" doc:"while people are being added to a mandatory group"`
	Teams       []apiTeamIn `json:"teams,omitempty" doc:"that are in it as one"`
	Created     time.Time   `json:"created"`
	Members     []apiMember `json:"members,omitempty"`
	Themes      []apiTheme  `json:"themes,omitempty"`
}

type apiAdding struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

type apiTeamIn struct {
	Slug string `json:"slug"`
	Role string `json:"role"`
}

type apiMember struct {
	Address string `json:"address"`
	Role    string `json:"role"`
}

type apiTheme struct {
	Key        string      `json:"key"`
	Name       string      `json:"name"`
	Room       string      `json:"room"`
	State      string      `json:"state" enum:"open,closed,archived"`
	Restricted bool        `json:"restricted" doc:"only for those who were chosen"`
	Creator    string      `json:"creator,omitempty"`
	Created    time.Time   `json:"created"`
	Closed     time.Time   `json:"closed,omitzero"`
	People     []apiMember `json:"people,omitempty"`
}

type apiMessage struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Nick   string    `json:"nick"`
	Sender string    `json:"sender,omitempty" doc:"address of who said it, where it is known"`
	Text   string    `json:"text"`
	Where  string    `json:"where,omitempty"`
	Link   string    `json:"link,omitempty"`
}

func (s *Server) showGroup(g store.Group) apiGroup {
	return apiGroup{Slug: g.Slug, Name: g.Name, Description: g.Description, Kind: org.RulesOf(g).Kind, Room: s.Org.RoomJID(g.Host, g.Room).String(), Created: g.Created,
		Emoji: g.Emoji, ThemesBy: g.ThemesBy, MentionBy: g.MentionBy, Guests: g.Guests, SinceJoin: g.SinceJoin, Photo: g.PhotoHash}
}

func (s *Server) showTheme(t store.Theme) apiTheme {
	return apiTheme{Key: t.Key, Name: t.Name, Room: s.Org.RoomJID(t.Host, t.Room).String(), State: org.StateOf(t), Restricted: t.Restricted, Creator: t.Creator, Created: t.Created, Closed: t.Closed}
}

// showTeams adds the teams that are in a group, and who has to be in it.
func (s *Server) showTeams(ctx context.Context, g store.Group, out *apiGroup) error {
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
		out.Teams = append(out.Teams, apiTeamIn{slugs[gt.Team], gt.Role})
	}
	out.Mandatory = slugs[g.Mandatory]
	if done, total, now := s.Org.Filling(g.Host, g.ID); now {
		out.Adding = &apiAdding{done, total}
	}
	return nil
}

// apiRoom finds a group's room or a theme's for a caller, as pages do: what one may not know of is not there.
func (s *Server) apiRoom(ctx context.Context, c caller, slug, key string) (g store.Group, a org.Access, local string, err error) {
	if g, err = s.Org.Group(ctx, c.me.Host, slug); err != nil {
		return g, a, "", err
	}
	if a, err = s.Org.Access(ctx, c.me.Host, g.ID, key, c.self()); err != nil {
		return g, a, "", err
	}
	if !a.Know {
		return g, a, "", notFound
	}
	local = g.Room
	if key != "" {
		t, err := s.Org.Theme(ctx, c.me.Host, key)
		if err != nil || t.Group != g.ID {
			return g, a, "", notFound
		}
		local = t.Room
	}
	return g, a, local, nil
}

func manages(a org.Access) error {
	if a.Affiliation == org.Owner || a.Affiliation == org.Admin {
		return nil
	}
	return forbidden
}

// addresses says whether somebody sees real addresses in a group; who does not sees nicknames.
func addresses(g store.Group, a org.Access) bool {
	return org.RulesOf(g).ShowAddresses || manages(a) == nil
}

// listed says whether somebody sees a member in the list of a group: who is banned is for moderators, and so is everybody
// where addresses are not shown.
func listed(g store.Group, a org.Access, self jid.JID, m store.Member) bool {
	return manages(a) == nil || m.Role != store.RoleBanned && (addresses(g, a) || m.JID == self.String())
}

func (s *Server) apiGroups(a huma.API) {
	type Slugged struct {
		Slug string `path:"slug" maxLength:"100"`
	}
	huma.Register(a, operation("list-groups", http.MethodGet, "/groups", "groups:read", "Groups that one may know of"), func(ctx context.Context, _ *struct{}) (*body[[]apiGroup], error) {
		c := who(ctx)
		gs, err := s.Org.VisibleGroups(ctx, c.me.Host, c.self(), 1000)
		out := []apiGroup{}
		for _, g := range gs {
			out = append(out, s.showGroup(g))
		}
		return &body[[]apiGroup]{out}, s.apiError(err)
	})
	huma.Register(a, operation("get-group", http.MethodGet, "/groups/{slug}", "groups:read", "A group with its themes, and for who may read it its members"), func(ctx context.Context, in *Slugged) (*body[apiGroup], error) {
		c := who(ctx)
		g, access, _, err := s.apiRoom(ctx, c, in.Slug, "")
		if err != nil {
			return nil, s.apiError(err)
		}
		out := s.showGroup(g)
		ts, err := s.Org.Themes(ctx, c.me.Host, g.ID, c.self())
		if err != nil {
			return nil, s.apiError(err)
		}
		for _, t := range ts {
			out.Themes = append(out.Themes, s.showTheme(t))
		}
		if !access.Read {
			return &body[apiGroup]{out}, nil
		}
		if err := s.showTeams(ctx, g, &out); err != nil {
			return nil, s.apiError(err)
		}
		ms, err := s.Org.Members(ctx, c.me.Host, g.ID)
		for _, m := range ms {
			if !listed(g, access, c.self(), m) {
				continue
			}
			out.Members = append(out.Members, apiMember{m.JID, m.Role})
		}
		return &body[apiGroup]{out}, s.apiError(err)
	})
	create := operation("create-group", http.MethodPost, "/groups", "groups:write", "Create a group; the caller owns it")
	create.DefaultStatus = http.StatusCreated
	huma.Register(a, create, func(ctx context.Context, in *body[struct {
		Name        string `json:"name" maxLength:"200"`
		Slug        string `json:"slug,omitempty" maxLength:"100"`
		Description string `json:"description,omitempty" maxLength:"2000"`
		Kind        string `json:"kind,omitempty" enum:"private,public,large,request,announcement,federated"`
		Emoji       string `json:"emoji,omitempty" maxLength:"64"`
		ThemesBy    string `json:"themes_by,omitempty" enum:"members,moderators"`
		MentionBy   string `json:"mention_by,omitempty" enum:"members,moderators,nobody"`
	}]) (*body[apiGroup], error) {
		c := who(ctx)
		if !c.actor.Runs() {
			return nil, s.apiError(forbidden)
		}
		g, err := s.Org.CreateGroup(ctx, c.me.Host, org.NewGroup{Name: in.Body.Name, Slug: in.Body.Slug, Description: in.Body.Description, Kind: in.Body.Kind, Emoji: in.Body.Emoji,
			ThemesBy: in.Body.ThemesBy, MentionBy: in.Body.MentionBy, Owner: c.self()})
		if err != nil {
			return nil, s.apiError(err)
		}
		c.p.Audit(ctx, c.actor, "group.create", g.Slug, nil)
		return &body[apiGroup]{s.showGroup(g)}, nil
	})
	member := func(ctx context.Context, slug, address, role string) error {
		c := who(ctx)
		g, access, _, err := s.apiRoom(ctx, c, slug, "")
		if err == nil {
			err = manages(access)
		}
		if err != nil {
			return err
		}
		j, err := jid.Parse(address)
		if err == nil && j.Local() == "" {
			j, err = jid.New(address, c.me.Host, "")
		}
		if err != nil {
			return badForm
		}
		if err := s.Org.SetMemberAs(ctx, c.me.Host, g.ID, c.self(), j, role); err != nil {
			return err
		}
		c.p.Audit(ctx, c.actor, "group.members", g.Slug, map[string]any{"members": []string{j.String()}, "role": role})
		return nil
	}
	huma.Register(a, operation("set-member", http.MethodPut, "/groups/{slug}/members/{address}", "groups:write", "Add a member or change the role"), func(ctx context.Context, in *struct {
		Slugged
		Address string `path:"address" maxLength:"3071"`
		Body    struct {
			Role string `json:"role" enum:"member,moderator,owner,banned"`
		}
	}) (*struct{}, error) {
		return nil, s.apiError(member(ctx, in.Slug, in.Address, in.Body.Role))
	})
	huma.Register(a, operation("remove-member", http.MethodDelete, "/groups/{slug}/members/{address}", "groups:write", "Take a member out"), func(ctx context.Context, in *struct {
		Slugged
		Address string `path:"address" maxLength:"3071"`
	}) (*struct{}, error) {
		return nil, s.apiError(member(ctx, in.Slug, in.Address, ""))
	})
	theme := operation("create-theme", http.MethodPost, "/groups/{slug}/themes", "groups:write", "Start a theme")
	theme.DefaultStatus = http.StatusCreated
	huma.Register(a, theme, func(ctx context.Context, in *struct {
		Slugged
		Body struct {
			Name       string   `json:"name" maxLength:"200"`
			Restricted bool     `json:"restricted,omitempty" doc:"only for oneself and people"`
			People     []string `json:"people,omitempty" maxItems:"1000" doc:"addresses or names, of a restricted one"`
		}
	}) (*body[apiTheme], error) {
		c := who(ctx)
		g, _, _, err := s.apiRoom(ctx, c, in.Slug, "")
		if err != nil {
			return nil, s.apiError(err)
		}
		n := org.NewTheme{Name: in.Body.Name, Creator: c.self(), Restricted: in.Body.Restricted}
		for _, p := range in.Body.People {
			j, err := c.addressOf(p)
			if err != nil {
				return nil, s.apiError(err)
			}
			n.People = append(n.People, j)
		}
		t, err := s.Org.CreateTheme(ctx, c.me.Host, g.ID, n)
		if err != nil {
			return nil, s.apiError(err)
		}
		c.p.Audit(ctx, c.actor, "theme.create", g.Slug+"/"+t.Key, map[string]any{"name": t.Name})
		return &body[apiTheme]{s.showTheme(t)}, nil
	})
	s.apiMessages(a)
	s.apiGroupSettings(a)
}

func (s *Server) apiMessages(a huma.API) {
	type Where struct {
		Slug  string `path:"slug" maxLength:"100"`
		Theme string `query:"theme" maxLength:"20" doc:"key of a theme; none: the main room"`
	}
	huma.Register(a, operation("list-messages", http.MethodGet, "/groups/{slug}/messages", "messages:read", "What was said, the oldest first; the newest page without before and after"), func(ctx context.Context, in *struct {
		Where
		Before string `query:"before" maxLength:"13"`
		After  string `query:"after" maxLength:"13"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}) (*body[[]apiMessage], error) {
		c := who(ctx)
		g, access, local, err := s.apiRoom(ctx, c, in.Slug, in.Theme)
		var from time.Time
		if err == nil {
			if from, access.Read, err = s.Org.ReadsFrom(ctx, g, access, c.self()); err == nil && !access.Read {
				err = forbidden
			}
		}
		if err != nil {
			return nil, s.apiError(err)
		}
		addressed := addresses(g, access)
		p := store.Page{Start: from, Max: in.Limit, Backwards: in.After == ""}
		for _, f := range []struct {
			text string
			id   *store.ID
		}{{in.Before, &p.Before}, {in.After, &p.After}} {
			if f.text == "" {
				continue
			}
			if *f.id, err = store.ParseID(f.text); err != nil {
				return nil, s.apiError(notFound)
			}
		}
		es, _, _, err := s.Store.ReadRoom(ctx, s.Org.RoomDomain(c.me.Host), local, p)
		out := []apiMessage{}
		for _, e := range es {
			if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200}); err == nil && st.BodyText() != "" {
				m := apiMessage{ID: e.ID.String(), At: e.ID.Time(), Nick: st.From.Resource(), Text: st.BodyText()}
				if addressed {
					m.Sender = e.Sender
				}
				out = append(out, m)
			}
		}
		return &body[[]apiMessage]{out}, s.apiError(err)
	})
	huma.Register(a, operation("send-message", http.MethodPost, "/groups/{slug}/messages", "messages:write", "Say something, as oneself"), func(ctx context.Context, in *struct {
		Where
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"10000"`
		}
	}) (*struct{}, error) {
		c := who(ctx)
		_, access, local, err := s.apiRoom(ctx, c, in.Slug, in.Theme)
		if err == nil && !access.Write {
			err = forbidden
		}
		if err == nil {
			err = s.Rooms.Say(ctx, c.self(), s.Org.RoomJID(c.me.Host, local), in.Body.Text)
		}
		return nil, s.apiError(err)
	})
	huma.Register(a, operation("search-messages", http.MethodGet, "/search", "messages:read", "Messages with these words in all that one may read, the newest first"), func(ctx context.Context, in *struct {
		Q     string `query:"q" required:"true" maxLength:"500"`
		From  string `query:"from" maxLength:"3071" doc:"address of who said it"`
		Older string `query:"older" maxLength:"13"`
		Limit int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
	}) (*body[[]apiMessage], error) {
		c := who(ctx)
		f := s.Find(ctx, c.me.Host, c.self(), in.Q)
		f.From, f.Max = in.From, in.Limit
		var err error
		if in.Older != "" {
			if f.Older, err = store.ParseID(in.Older); err != nil {
				return nil, s.apiError(notFound)
			}
		}
		found, _, err := s.Store.SearchMessages(ctx, f)
		if err != nil {
			return nil, s.apiError(err)
		}
		out := []apiMessage{}
		for _, m := range found {
			h := s.hitOf(ctx, c.me.Host, c.me.Display(), m)
			out = append(out, apiMessage{ID: m.ID.String(), At: h.At, Nick: h.By, Sender: m.Sender, Text: h.Text, Where: h.Where, Link: h.Link})
		}
		return &body[[]apiMessage]{out}, nil
	})
}

package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/store"
)

// Plan is the effect of a change of members, before or after the change.
type Plan struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
	Done    bool     `json:"done"`
}

// InMember is the member of a group in a path.
type InMember struct {
	InGroup
	Address string `path:"address" maxLength:"3071"`
}

// SetMemberInput gives somebody a role in a group.
type SetMemberInput struct {
	InMember
	Body struct {
		Role string `json:"role" enum:"member,moderator,owner,banned"`
	}
}

// SetMembersInput gives many people a role in a group.
type SetMembersInput struct {
	InGroup
	Body struct {
		Members []string `json:"members" minItems:"1" maxItems:"1000" doc:"addresses or names"`
		Role    string   `json:"role" enum:"member,moderator,owner,banned,none" doc:"none: remove them"`
		DryRun  bool     `json:"dry_run,omitempty" doc:"preview only: change nothing"`
	}
}

// InGroupTeam is the team of a group in a path.
type InGroupTeam struct {
	InGroup
	Team string `path:"team" maxLength:"100"`
}

// SetGroupTeamInput adds a team to a group.
type SetGroupTeamInput struct {
	InGroupTeam
	Body struct {
		Role string `json:"role" enum:"member,moderator"`
	}
}

// PartOfGroup chooses a part of one of a group's lists.
type PartOfGroup struct {
	InGroup
	Part
}

// Request is somebody's request to join a group.
type Request struct {
	Address string    `json:"address"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since"`
}

// AnswerRequestInput approves or declines a request to join.
type AnswerRequestInput struct {
	InMember
	Body struct {
		Yes bool `json:"yes"`
	}
}

// KickInput removes somebody from a room.
type KickInput struct {
	InGroup
	Theme string `query:"theme" maxLength:"20" doc:"key of a theme; none: the main room"`
	Body  struct {
		Address string `json:"address" maxLength:"3071"`
		Reason  string `json:"reason,omitempty" maxLength:"500"`
	}
}

// JoinGroupInput joins a group, or asks to join it.
type JoinGroupInput struct {
	InGroup
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"message to the moderators, if joining needs their approval"`
	}
}

// Joined says whether the caller is a member now or has asked to join.
type Joined struct {
	State string `json:"state" enum:"member,asked"`
}

// Operations on the members of a group.
var (
	SetMember = inBrowsers(op[SetMemberInput, None](
		"set-member", http.MethodPut, "/groups/{slug}/members/{address}", "groups:write",
		"Add a member or change the role",
	))
	RemoveMember = inBrowsers(op[InMember, None](
		"remove-member", http.MethodDelete, "/groups/{slug}/members/{address}", "groups:write",
		"Remove a member",
	))
	SetMembers = inBrowsers(op[SetMembersInput, Plan](
		"set-members", http.MethodPost, "/groups/{slug}/members", "groups:write",
		"Give many people a role, or remove them, at once: either all or none",
	))
	SetGroupTeam = op[SetGroupTeamInput, None](
		"set-group-team", http.MethodPut, "/groups/{slug}/teams/{team}", "groups:write",
		"Add a whole team to a group",
	)
	RemoveGroupTeam = op[InGroupTeam, None](
		"remove-group-team", http.MethodDelete, "/groups/{slug}/teams/{team}", "groups:write",
		"Remove a team from a group",
	)
	ListRequests = op[PartOfGroup, []Request](
		"list-requests", http.MethodGet, "/groups/{slug}/requests", "groups:read",
		"Requests to join",
	)
	AnswerRequest = op[AnswerRequestInput, None](
		"answer-request", http.MethodPut, "/groups/{slug}/requests/{address}", "groups:write",
		"Approve or decline a request to join",
	)
	Kick = personal(op[KickInput, None](
		"kick", http.MethodPost, "/groups/{slug}/kick", "groups:write",
		"Remove somebody from a room; the person can come back",
	))
	JoinGroup = inBrowsers(personal(op[JoinGroupInput, Joined](
		"join-group", http.MethodPost, "/groups/{slug}/join", "groups:write",
		"Join a group, or ask to join",
	)))
	LeaveGroup = inBrowsers(personal(op[InGroup, None](
		"leave-group", http.MethodPost, "/groups/{slug}/leave", "groups:write",
		"Leave a group",
	)))
)

func (s *Server) groupPeople(d *doors) {
	act(s, d, SetMember, s.manager, func(ctx context.Context, c caller, in *SetMemberInput) error {
		return s.setMember(ctx, c, in.InMember, in.Body.Role)
	})
	act(s, d, RemoveMember, s.manager, func(ctx context.Context, c caller, in *InMember) error {
		return s.setMember(ctx, c, *in, "")
	})
	serve(s, d, SetMembers, s.manager, s.setMembers)
	act(s, d, SetGroupTeam, s.owner, func(ctx context.Context, c caller, in *SetGroupTeamInput) error {
		return s.setGroupTeam(ctx, c, in.InGroupTeam, in.Body.Role)
	})
	act(s, d, RemoveGroupTeam, s.owner, func(ctx context.Context, c caller, in *InGroupTeam) error {
		return s.setGroupTeam(ctx, c, *in, "")
	})
	listAll(s, d, ListRequests, s.manager, func(ctx context.Context, c caller,
		in *PartOfGroup) (out []Request, err error) {
		g, err := s.managed(ctx, c, in.Slug, false)
		if err != nil {
			return nil, err
		}
		rs, err := s.Org.Requests(ctx, g.Host, g.ID)
		for _, r := range rs {
			out = append(out, Request{r.JID, r.Reason, r.Since})
		}
		return out, err
	})
	act(s, d, AnswerRequest, s.manager, func(ctx context.Context, c caller, in *AnswerRequestInput) error {
		g, err := s.managed(ctx, c, in.Slug, false)
		if err != nil {
			return err
		}
		who, err := c.addressOf("address", in.Address)
		if err != nil {
			return err
		}
		return s.Org.AnswerRequest(ctx, c.actor, g.Host, g.ID, who, in.Body.Yes)
	})
	act(s, d, Kick, s.manager, s.kick)
	serve(s, d, JoinGroup, s.joiner, s.join)
	act(s, d, LeaveGroup, nil, func(ctx context.Context, c caller, in *InGroup) error {
		g, _, _, err := s.room(ctx, c, in.Slug, "")
		if err != nil {
			return err
		}
		return s.Org.Leave(ctx, c.actor, g.Host, g.ID)
	})
}

// setMember gives somebody a role in a group; the role "" removes the person.
func (s *Server) setMember(ctx context.Context, c caller, in InMember, role string) error {
	g, err := s.managed(ctx, c, in.Slug, false)
	if err != nil {
		return err
	}
	who, err := c.addressOf("address", in.Address)
	if err != nil {
		return err
	}
	return s.Org.SetMember(ctx, c.actor, g.Host, g.ID, who, role)
}

func showPlan(p org.Plan, done bool) Plan {
	list := func(mss ...[]store.Member) []string {
		out := []string{}
		for _, m := range slices.Concat(mss...) {
			out = append(out, m.JID)
		}
		return out
	}
	return Plan{list(p.Added), list(p.Removed), list(p.Changed, p.Freed), done}
}

func (s *Server) setMembers(ctx context.Context, c caller, in *SetMembersInput) (v Plan, err error) {
	g, err := s.managed(ctx, c, in.Slug, false)
	if err != nil {
		return v, err
	}
	role := in.Body.Role
	if role == "none" {
		role = ""
	}
	var ms []store.Member
	for _, m := range in.Body.Members {
		j, err := c.addressOf("members", m)
		if err != nil {
			return v, err
		}
		ms = append(ms, store.Member{JID: j.String(), Role: role})
	}
	plan, err := s.Org.PlanMembers(ctx, c.actor, g.Host, g.ID, ms)
	if err != nil || in.Body.DryRun || plan.None() {
		return showPlan(plan, false), err
	}
	if err := s.Org.SetMembers(ctx, c.actor, g.Host, g.ID, ms); err != nil {
		return v, err
	}
	return showPlan(plan, true), nil
}

// setGroupTeam adds a team to a group; the role "" removes it.
func (s *Server) setGroupTeam(ctx context.Context, c caller, in InGroupTeam, role string) error {
	g, err := s.managed(ctx, c, in.Slug, true)
	if err != nil {
		return err
	}
	t, err := s.Org.Team(ctx, g.Host, in.Team)
	if err != nil {
		return err
	}
	return s.Org.SetGroupTeam(ctx, c.actor, g.Host, g.ID, t.ID, role)
}

func (s *Server) kick(ctx context.Context, c caller, in *KickInput) error {
	g, access, local, err := s.room(ctx, c, in.Slug, in.Theme)
	if err != nil {
		return err
	}
	if err := manages(access); err != nil {
		return err
	}
	who, err := c.addressOf("address", in.Body.Address)
	if err != nil {
		return err
	}
	if err := s.Rooms.Kick(ctx, c.self(), s.Org.RoomJID(g.Host, local), who, in.Body.Reason); err != nil {
		return err
	}
	detail := acts.Detail{"members": []string{who.String()}, "reason": in.Body.Reason}
	c.p.Audit(ctx, c.actor, acts.GroupKick, g.Slug, detail)
	return nil
}

func (s *Server) join(ctx context.Context, c caller, in *JoinGroupInput) (Joined, error) {
	g, access, _, err := s.room(ctx, c, in.Slug, "")
	if err != nil {
		return Joined{}, err
	}
	if access.Ask {
		return Joined{"asked"}, s.Org.Request(ctx, c.actor, g.Host, g.ID, in.Body.Reason)
	}
	joined, err := s.Org.Join(ctx, c.actor, g.Host, g.ID)
	if err != nil {
		return Joined{}, err
	}
	if !joined {
		return Joined{}, fault.ErrRole
	}
	return Joined{store.RoleMember}, nil
}

package api

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/people"
	"parley/store"
)

// right says whether the caller may do an operation, by what is in its path and its query (of): an error if not. It is
// checked before anything else of the request is read, so that errors in the request tell nothing to people without the
// right. nil: everybody with the scope may call the operation, which decides what they may see or do.
type right func(ctx context.Context, c caller, of func(name string) string) error

const rightKey = "right"

// rights asks for the right to an operation.
func (s *Server) rights(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		needs, _ := hc.Operation().Metadata[rightKey].(right)
		c, ok := hc.Context().Value(callerKey{}).(caller)
		if needs == nil || !ok {
			next(hc)
			return
		}
		err := needs(hc.Context(), c, func(name string) string {
			if v := hc.Param(name); v != "" {
				return v
			}
			return hc.Query(name)
		})
		if err != nil {
			s.refuse(a, hc, err)
			return
		}
		next(hc)
	}
}

// veil answers for a group or theme that the caller must not know of as if it did not exist.
func (s *Server) veil(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		slug := hc.Param("slug")
		c, ok := hc.Context().Value(callerKey{}).(caller)
		// Deleted groups do not count as existing.
		if slug == "" || !ok || strings.HasPrefix(hc.Operation().Path, prefix+"/deleted-groups/") {
			next(hc)
			return
		}
		key := hc.Param("theme")
		isQuery := func(p *huma.Param) bool { return p.Name == "theme" && p.In == "query" }
		if slices.ContainsFunc(hc.Operation().Parameters, isQuery) {
			key = hc.Query("theme")
		}
		hidden, err := s.Org.Hidden(hc.Context(), c.actor, c.host(), slug, key)
		switch {
		case err != nil:
			s.refuse(a, hc, err)
		case hidden:
			s.refuse(a, hc, notFound)
		default:
			next(hc)
		}
	}
}

// role lets in people whose role is allowed by may.
func role(may func(people.Actor) bool) right {
	return func(_ context.Context, c caller, _ func(string) string) error {
		if !may(c.actor) {
			return fault.ErrRole
		}
		return nil
	}
}

// runsIt lets administrators and owners in. hasConsole also lets supervisors in.
var (
	runsIt     = role(people.Actor.Runs)
	hasConsole = role(people.Actor.Console)
)

// operates lets in the people who run the first host, and so the whole deployment.
func operates(_ context.Context, c caller, _ func(string) string) error {
	if !c.p.Operates(c.actor) {
		return fault.ErrRole
	}
	return nil
}

// sees lets people see their own account, and the accounts that they look after.
func sees(ctx context.Context, c caller, of func(string) string) error {
	_, err := c.p.Find(ctx, c.actor, of("name"))
	return err
}

// doesTo lets people do something to the accounts that they look after, and with own also to their own account.
func doesTo(act acts.Deed, own bool) right {
	return func(ctx context.Context, c caller, of func(string) string) error {
		_, err := c.p.FindFor(ctx, c.actor, act, of("name"), own)
		return err
	}
}

// invites lets in people who may make invitation links.
func invites(_ context.Context, c caller, _ func(string) string) error {
	if !c.actor.Console() {
		return fault.ErrRole
	}
	return c.p.MayInvite(c.actor)
}

// invitesTo lets in people who may invite somebody to the account that the operation names.
func invitesTo(ctx context.Context, c caller, of func(string) string) error {
	_, err := c.p.FindFor(ctx, c.actor, people.Create, of("name"), false)
	if err != nil {
		return err
	}
	return c.p.MayInvite(c.actor)
}

// seesInvitation lets in people who may see an invitation.
func seesInvitation(ctx context.Context, c caller, of func(string) string) error {
	_, err := c.p.FindInvitation(ctx, c.actor, of("id"))
	return err
}

// changesInvitation lets in people who may change an invitation.
func changesInvitation(ctx context.Context, c caller, of func(string) string) error {
	i, err := c.p.FindInvitation(ctx, c.actor, of("id"))
	if err != nil {
		return err
	}
	return c.p.MayChange(ctx, c.actor, i)
}

// manager lets in the owners and moderators of a group; where the operation names a theme, those of the theme.
func (s *Server) manager(ctx context.Context, c caller, of func(string) string) error {
	_, access, _, err := s.room(ctx, c, of("slug"), of("theme"))
	if err != nil {
		return err
	}
	return manages(access)
}

// owner lets in the owners of a group.
func (s *Server) owner(ctx context.Context, c caller, of func(string) string) error {
	_, err := s.managed(ctx, c, of("slug"), true)
	return err
}

// reader lets in people who may read a group or theme.
func (s *Server) reader(ctx context.Context, c caller, of func(string) string) error {
	g, access, _, err := s.room(ctx, c, of("slug"), of("theme"))
	if err != nil {
		return err
	}
	_, read, err := s.Org.ReadsFrom(ctx, g, access, c.self())
	if err != nil {
		return err
	}
	if !read {
		return fault.ErrRole
	}
	return nil
}

// writer lets in people who may write in a group or theme.
func (s *Server) writer(ctx context.Context, c caller, of func(string) string) error {
	_, access, _, err := s.room(ctx, c, of("slug"), of("theme"))
	if err != nil {
		return err
	}
	if !access.Write {
		return fault.ErrRole
	}
	return nil
}

// joiner lets in the members of a group, and people who may join it or ask to join it.
func (s *Server) joiner(ctx context.Context, c caller, of func(string) string) error {
	_, access, _, err := s.room(ctx, c, of("slug"), "")
	if err != nil {
		return err
	}
	if access.Affiliation == org.Outcast {
		return fault.ErrRole
	}
	if access.Affiliation == org.None && !access.Join && !access.Ask && !access.Read {
		return fault.ErrRole
	}
	return nil
}

// themeStarter lets in people who may start themes in a group.
func (s *Server) themeStarter(ctx context.Context, c caller, of func(string) string) error {
	g, _, _, err := s.room(ctx, c, of("slug"), "")
	if err != nil {
		return err
	}
	return s.Org.MayCreateTheme(ctx, g.Host, g.ID, c.self())
}

// themeManager lets in people who may change a theme.
func (s *Server) themeManager(ctx context.Context, c caller, of func(string) string) error {
	g, _, _, err := s.room(ctx, c, of("slug"), of("theme"))
	if err != nil {
		return err
	}
	return s.Org.MayManageTheme(ctx, g.Host, of("theme"), c.self())
}

// creator lets in people who may create groups.
func (s *Server) creator(ctx context.Context, c caller, _ func(string) string) error {
	if !s.Org.MayCreateGroup(ctx, c.actor, c.host()) {
		return fault.ErrRole
	}
	return nil
}

// sharer lets in people who may share something with the team that the operation names.
func (s *Server) sharer(ctx context.Context, c caller, of func(string) string) error {
	ts, err := s.Org.TeamsToShare(ctx, c.actor, c.host())
	if err != nil {
		return err
	}
	if !c.actor.Runs() && !slices.ContainsFunc(ts, func(t store.Team) bool { return t.Slug == of("team") }) {
		return fault.ErrRole
	}
	return nil
}

// tokensOf lets only administrators and owners ask for the tokens of all people.
func tokensOf(_ context.Context, c caller, of func(string) string) error {
	if of("all") == "true" && !c.actor.Runs() {
		return fault.ErrRole
	}
	return nil
}

// endsToken lets people end their own tokens, and those of people they may disable.
func endsToken(ctx context.Context, c caller, of func(string) string) error {
	owner := of("owner")
	if owner == "" {
		owner = c.me.Name
	}
	_, err := c.p.FindFor(ctx, c.actor, people.Disable, owner, true)
	return err
}

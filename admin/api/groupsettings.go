package api

import (
	"context"
	"net/http"

	"parley/org"
	"parley/people"
)

// GroupChange changes a group. Fields that are nil stay.
type GroupChange = org.GroupChange

// ChangeGroupInput changes a group.
type ChangeGroupInput struct {
	InGroup
	Body GroupChange
}

// GroupPhoto is the photo of a group.
type GroupPhoto struct {
	Type  string `json:"type"`
	Hash  string `json:"hash" doc:"SHA-1 in hex"`
	Image []byte `json:"image" doc:"base64"`
}

// SetGroupPhotoInput gives a group a photo.
type SetGroupPhotoInput struct {
	InGroup
	Body struct {
		Image []byte `json:"image" maxLength:"11184812" doc:"PNG, JPEG, GIF or WebP up to 8 MB, in base64; the server keeps the middle square"`
	}
}

// SetMandatoryInput sets the mandatory members of a group.
type SetMandatoryInput struct {
	InGroup
	Body struct {
		Whom string `json:"whom" maxLength:"100" doc:"everyone, a team's slug, or nothing"`
	}
}

// Operations on the settings of groups.
var (
	ChangeGroup = op[ChangeGroupInput, Group](
		"change-group", http.MethodPatch, "/groups/{slug}", "groups:write",
		"Change a group that the caller owns; omitted values stay",
	)
	DeleteGroup = op[InGroup, None](
		"delete-group", http.MethodDelete, "/groups/{slug}", "groups:write",
		"Delete a group that the caller owns; it can be restored for 30 days",
	)
	ListDeletedGroups = op[Part, []Group](
		"list-deleted-groups", http.MethodGet, "/deleted-groups", "groups:read",
		"Groups that can be restored",
	)
	RestoreGroup = op[InGroup, Group](
		"restore-group", http.MethodPost, "/deleted-groups/{slug}/restore", "groups:write",
		"Restore a deleted group",
	)
	GetGroupPhoto = op[InGroup, GroupPhoto](
		"get-group-photo", http.MethodGet, "/groups/{slug}/photo", "groups:read",
		"The photo of a group",
	)
	SetGroupPhoto = inBrowsers(large(op[SetGroupPhotoInput, None](
		"set-group-photo", http.MethodPut, "/groups/{slug}/photo", "groups:write",
		"Set the photo of a group that the caller owns",
	)))
	RemoveGroupPhoto = op[InGroup, None](
		"remove-group-photo", http.MethodDelete, "/groups/{slug}/photo", "groups:write",
		"Remove the photo",
	)
	SetMandatory = op[SetMandatoryInput, None](
		"set-mandatory", http.MethodPut, "/groups/{slug}/mandatory", "groups:write",
		"Make a group mandatory for everyone or for a team; the group shows the progress",
	)
)

// large marks an operation whose body is a picture.
func large[I, O any](o Op[I, O]) Op[I, O] {
	o.MaxBodyBytes = 12 << 20
	return o
}

func (s *Server) groupSettings(d *doors) {
	serve(s, d, ChangeGroup, s.owner, s.changeGroup)
	act(s, d, DeleteGroup, s.owner, func(ctx context.Context, c caller, in *InGroup) error {
		g, err := s.managed(ctx, c, in.Slug, true)
		if err != nil {
			return err
		}
		return s.Org.DeleteGroup(ctx, c.actor, g.Host, g.ID)
	})
	listAll(s, d, ListDeletedGroups, runsIt, func(ctx context.Context, c caller, _ *Part) (out []Group, err error) {
		gs, err := s.Org.DeletedGroups(ctx, c.host())
		for _, g := range gs {
			out = append(out, s.showGroup(g))
		}
		return out, err
	})
	serve(s, d, RestoreGroup, runsIt, func(ctx context.Context, c caller, in *InGroup) (Group, error) {
		g, err := s.Org.RestoreGroup(ctx, c.actor, c.host(), in.Slug)
		return s.showGroup(g), err
	})
	serve(s, d, GetGroupPhoto, nil, func(ctx context.Context, c caller, in *InGroup) (GroupPhoto, error) {
		g, _, _, err := s.room(ctx, c, in.Slug, "")
		if err != nil {
			return GroupPhoto{}, err
		}
		p, err := s.Org.Photo(ctx, g.Host, g.ID)
		return GroupPhoto{p.Type, p.Hash, p.Data}, err
	})
	act(s, d, SetGroupPhoto, s.owner, func(ctx context.Context, c caller, in *SetGroupPhotoInput) error {
		return s.setPhoto(ctx, c, in.Slug, in.Body.Image)
	})
	act(s, d, RemoveGroupPhoto, s.owner, func(ctx context.Context, c caller, in *InGroup) error {
		g, err := s.managed(ctx, c, in.Slug, true)
		if err != nil {
			return err
		}
		return s.Org.SetPhoto(ctx, c.actor, g.Host, g.ID, nil)
	})
	act(s, d, SetMandatory, runsIt, func(ctx context.Context, c caller, in *SetMandatoryInput) error {
		g, err := s.Org.Group(ctx, c.host(), in.Slug)
		if err != nil {
			return err
		}
		whom := in.Body.Whom
		if whom != "" && whom != org.Everyone {
			t, err := s.Org.Team(ctx, g.Host, whom)
			if err != nil {
				return err
			}
			whom = t.ID
		}
		return s.Org.SetMandatory(ctx, c.actor, g.Host, g.ID, whom)
	})
}

func (s *Server) changeGroup(ctx context.Context, c caller, in *ChangeGroupInput) (Group, error) {
	g, err := s.managed(ctx, c, in.Slug, true)
	if err != nil {
		return Group{}, err
	}
	g, err = s.Org.Update(ctx, c.actor, g.Host, g.ID, in.Body)
	return s.showGroup(g), err
}

// setPhoto stores the middle square of a picture as a group's photo.
func (s *Server) setPhoto(ctx context.Context, c caller, slug string, data []byte) error {
	g, err := s.managed(ctx, c, slug, true)
	if err != nil {
		return err
	}
	p, err := people.CheckPhoto(data)
	if err != nil {
		return err
	}
	return s.Org.SetPhoto(ctx, c.actor, g.Host, g.ID, p.Data())
}

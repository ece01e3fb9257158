package api

import (
	"context"
	"net/http"

	"parley/people"
	"parley/store"
)

// ProfileField is a field of people's profiles that the organization has defined.
type ProfileField struct {
	Key       string   `json:"key"`
	Name      string   `json:"name" doc:"in English"`
	NameFR    string   `json:"name_fr" doc:"in French; empty: use the English name"`
	Kind      string   `json:"kind" enum:"text,number,yes-no,choice,link"`
	Choices   []string `json:"choices"`
	SeenBy    string   `json:"seen_by" enum:"organization,team,admins"`
	ChangedBy string   `json:"changed_by" enum:"person,admins" doc:"who can change values; administrators always can"`
	Searched  bool     `json:"searched" doc:"searches for people cover the field"`
	Listed    bool     `json:"listed" doc:"the field is a column of the list of people"`
	Place     int64    `json:"place" doc:"place in the order of fields, from 1"`
}

// NewProfileField is a field to be defined.
type NewProfileField struct {
	Key string `json:"key,omitempty" maxLength:"40" doc:"name of the field in requests and lists; empty: made from the name"`
	people.FieldChange
}

// InProfileField is the field in a path, by its key.
type InProfileField struct {
	Key string `path:"key" maxLength:"40"`
}

// ChangeProfileFieldInput changes the definition of a field.
type ChangeProfileFieldInput struct {
	InProfileField
	Body people.FieldChange
}

// Operations on profile fields.
var (
	ListProfileFields = op[None, []ProfileField](
		"list-profile-fields", http.MethodGet, "/profile-fields", "people:read",
		"The fields of profiles that the organization has defined, in order",
	)
	CreateProfileField = creates[Body[NewProfileField], ProfileField](
		"create-profile-field", "/profile-fields", "people:write",
		"Define a field of profiles",
	)
	ChangeProfileField = op[ChangeProfileFieldInput, ProfileField](
		"change-profile-field", http.MethodPatch, "/profile-fields/{key}", "people:write",
		"Change a field's definition; omitted values, its key and its kind stay",
	)
	DeleteProfileField = op[InProfileField, None](
		"delete-profile-field", http.MethodDelete, "/profile-fields/{key}", "people:write",
		"Delete a field with everyone's values",
	)
)

func (s *Server) profileFields(d *doors) {
	serve(s, d, ListProfileFields, nil, func(ctx context.Context, c caller, _ *None) ([]ProfileField, error) {
		fs, err := c.p.FieldsFor(ctx, c.actor)
		out := []ProfileField{}
		for _, f := range fs {
			out = append(out, showField(f))
		}
		return out, err
	})
	serve(s, d, CreateProfileField, runsIt,
		func(ctx context.Context, c caller, in *Body[NewProfileField]) (ProfileField, error) {
			f, err := c.p.CreateField(ctx, c.actor, in.Body.Key, in.Body.FieldChange)
			return showField(f), err
		})
	serve(s, d, ChangeProfileField, runsIt,
		func(ctx context.Context, c caller, in *ChangeProfileFieldInput) (ProfileField, error) {
			f, err := c.p.ChangeField(ctx, c.actor, in.Key, in.Body)
			return showField(f), err
		})
	act(s, d, DeleteProfileField, runsIt, func(ctx context.Context, c caller, in *InProfileField) error {
		return c.p.DeleteField(ctx, c.actor, in.Key)
	})
}

func showField(f store.ProfileField) ProfileField {
	as := people.FieldAs(f)
	out := ProfileField{
		Key:       f.Key,
		Name:      f.Name,
		NameFR:    f.NameFR,
		Kind:      f.Kind,
		Choices:   f.Choices,
		SeenBy:    *as.SeenBy,
		ChangedBy: *as.ChangedBy,
		Searched:  f.Searched,
		Listed:    f.Listed,
		Place:     f.Place,
	}
	if out.Choices == nil {
		out.Choices = []string{}
	}
	return out
}

package store

import "context"

// Kinds of profile fields.
const (
	FieldText   = "text"
	FieldNumber = "number"
	FieldYesNo  = "yes-no"
	FieldChoice = "choice"
	FieldLink   = "link"
)

// ProfileField is a field of people's profiles that the organization has defined, such as a telephone extension.
type ProfileField struct {
	Key      string // names it at every door, like "extension"; it stays as it is
	Name     string // in English
	NameFR   string // in French; "": as in English
	Kind     string // one of the kinds above; it stays as it is
	Choices  []string
	SeenBy   string // ShownToTeam, ShownToAdmins, or "" for everybody of the organization
	ByAdmins bool   // only administrators change its values
	Searched bool   // people are found by its values
	Listed   bool   // it is a column of the list of people
	Place    int64  // in the order of fields
}

// ProfileFields keeps the definitions of profile fields. Their values are kept with people: see Person.Fields.
type ProfileFields interface {
	// ProfileFields gives all fields of a host in their order.
	ProfileFields(ctx context.Context, host string) ([]ProfileField, error)
	// SetProfileField defines a field, or changes the one of that key.
	SetProfileField(ctx context.Context, host string, f ProfileField) error
	// DeleteProfileField removes a field with its values; ErrNotFound if there is none of that key.
	DeleteProfileField(ctx context.Context, host, key string) error
}

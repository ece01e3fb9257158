package store

import "context"

// FieldText and the others are the kinds of profile fields.
const (
	FieldText   = "text"
	FieldNumber = "number"
	FieldYesNo  = "yes-no"
	FieldChoice = "choice"
	FieldLink   = "link"
)

// ProfileField is a profile field that the organization has defined, such as a telephone extension.
type ProfileField struct {
	Key      string // its name in all interfaces, like "extension"; never changes
	Name     string // in English
	NameFR   string // in French; "": the English name
	Kind     string // one of the kinds above; never changes
	Choices  []string
	SeenBy   string // ShownToTeam, ShownToAdmins, or "" for everybody of the organization
	ByAdmins bool   // only administrators change its values
	Searched bool   // people are found by its values
	Listed   bool   // the list of people has a column for it
	Place    int64  // its position among the fields
}

// ProfileFields keeps the definitions of profile fields. Their values are kept with people: see Person.Fields.
type ProfileFields interface {
	// ProfileFields gives all fields of a host in their order.
	ProfileFields(ctx context.Context, host string) ([]ProfileField, error)
	// SetProfileField defines a field, or changes the field with that key.
	SetProfileField(ctx context.Context, host string, f ProfileField) error
	// DeleteProfileField removes a field with its values; ErrNotFound if there is none with that key.
	DeleteProfileField(ctx context.Context, host, key string) error
}

package store

import "context"

// Link is an address outside of parley that an organization shows to its people, such as its ticket system.
type Link struct {
	ID     string
	Name   string // in English
	NameFR string // in French; "": the English name
	URL    string
	Icon   string   // the name of one of the pages' icons
	Roles  []string // roles of people who see it
	Teams  []string // ids of teams whose people see it; without roles and teams everybody sees it
	Place  int64    // its position among the links
}

// Links keeps the links of organizations. There are few of them, so they are read as a whole.
type Links interface {
	// Links gives all links of a host in their order.
	Links(ctx context.Context, host string) ([]Link, error)
	// SetLink adds a link, or changes the link with that id.
	SetLink(ctx context.Context, host string, l Link) error
	// DeleteLink removes a link; ErrNotFound if there is none with that id.
	DeleteLink(ctx context.Context, host, id string) error
}

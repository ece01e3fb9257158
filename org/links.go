package org

import (
	"parley/store"
)

// Links to groups, themes and messages, for ever: slug, key and stanza-id never change.

// GroupLink is a group's page.
func GroupLink(g store.Group) string { return "https://" + g.Host + "/g/" + g.Slug }

// ThemeLink is a theme's page.
func ThemeLink(g store.Group, t store.Theme) string { return GroupLink(g) + "/t/" + t.Key }

// MessageLink is a message's place on its theme's page, or with the zero theme on its group's.
func MessageLink(g store.Group, t store.Theme, id store.ID) string {
	if t.Key == "" {
		return GroupLink(g) + "/m/" + id.String()
	}
	return ThemeLink(g, t) + "/m/" + id.String()
}

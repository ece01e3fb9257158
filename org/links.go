package org

import (
	"parley/store"
)

// Links to groups, themes and messages hold for ever: slug, key and stanza-id never change.

// GroupLink gives the URL of a group's page.
func GroupLink(g store.Group) string { return "https://" + g.Host + "/g/" + g.Slug }

// ThemeLink gives the URL of a theme's page.
func ThemeLink(g store.Group, t store.Theme) string { return GroupLink(g) + "/t/" + t.Key }

// MessageLink gives the URL of a message on its theme's page or, with the zero theme, on its group's.
func MessageLink(g store.Group, t store.Theme, id store.ID) string {
	if t.Key == "" {
		return GroupLink(g) + "/m/" + id.String()
	}
	return ThemeLink(g, t) + "/m/" + id.String()
}

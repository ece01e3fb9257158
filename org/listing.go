package org

import (
	"parley/store"
	"parley/wire/jid"
)

// Manages says whether a person with this Access manages the group or theme: owners and moderators do.
func (a Access) Manages() bool { return a.Affiliation == Owner || a.Affiliation == Admin }

// ShowsAddresses says whether a person with an Access sees real addresses in a group; others see nicknames.
func ShowsAddresses(g store.Group, a Access) bool { return RulesOf(g).ShowAddresses || a.Manages() }

// Lists says whether a person with an Access sees a member in a group's list. Only moderators see banned people. If
// addresses are hidden, only moderators see others at all.
func Lists(g store.Group, a Access, who jid.JID, m store.Member) bool {
	return a.Manages() || m.Role != store.RoleBanned && (ShowsAddresses(g, a) || m.JID == who.String())
}

// Slugs gives the slugs of groups.
func Slugs(gs []store.Group) []string {
	var out []string
	for _, g := range gs {
		out = append(out, g.Slug)
	}
	return out
}

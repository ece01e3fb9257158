package org

import (
	"parley/store"
	"parley/wire/jid"
)

// Manages says whether somebody looks after a group or theme: its owners and moderators do.
func (a Access) Manages() bool { return a.Affiliation == Owner || a.Affiliation == Admin }

// ShowsAddresses says whether somebody with an Access sees real addresses in a group. Others see nicknames.
func ShowsAddresses(g store.Group, a Access) bool { return RulesOf(g).ShowAddresses || a.Manages() }

// Lists says whether somebody with an Access sees a member in the list of a group: who is banned is for moderators, and
// so is everybody where addresses are not shown, but for oneself.
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

package org

import (
	"parley/internal/shape"
	"parley/store"
)

// Private and the others are the kinds of groups.
const (
	Private      = "private"      // only members know of it; others are added
	Public       = "public"       // people of the organization find it, and become members by entering
	Large        = "large"        // as Public, but without membership: everyone of the organization may enter and write
	ByRequest    = "request"      // people find it and ask to be members
	Announcement = "announcement" // moderators write and start themes, the others read and react
	Federated    = "federated"    // people of other servers may be members
)

// Kinds gives the kinds in the order in which people choose among them.
var Kinds = shape.Named(GroupChange{}, "kind").Choices

// Rules says what a kind of group means for its rooms.
type Rules struct {
	Kind          string
	MembersOnly   bool   // only members may enter
	ShowAddresses bool   // everyone in it sees real addresses; otherwise only moderators do
	Listed        bool   // people of the organization find it
	Moderated     bool   // members read; moderators write
	QuietMembers  bool   // presence of members is not broadcast
	Joins         bool   // people of the organization become members by entering
	Asks          bool   // they may ask to become members
	Remote        bool   // people of other servers may be members
	Named         bool   // a visitor with a link who is not signed in sees its name
	ThemesBy      string // who may start themes, "members" or "moderators": all members read a theme's name
}

// RulesOf gives the rules of a group's kind.
func RulesOf(g store.Group) Rules {
	r := Rules{Kind: kindOf(g), MembersOnly: true, ShowAddresses: true, ThemesBy: g.ThemesBy}
	switch r.Kind {
	case Public:
		r.Listed, r.Joins, r.Named = true, true, true
	case Large:
		r.Listed, r.MembersOnly, r.Named = true, false, true
	case ByRequest:
		r.Listed, r.Asks = true, true
	case Announcement:
		r.Listed = !g.Private
		r.Moderated, r.QuietMembers, r.Joins, r.ThemesBy = true, true, r.Listed, "moderators"
	case Federated:
		r.ShowAddresses, r.Remote = false, true
	}
	return r
}

// kindOf gives a group's kind; groups older than kinds have none stored.
func kindOf(g store.Group) string {
	switch {
	case g.Kind != "":
		return g.Kind
	case g.Private:
		return Private
	}
	return Public
}

package org

import (
	"parley/internal/shape"
	"parley/store"
)

// Kinds of groups.
const (
	Private      = "private"      // who is in it knows of it; others are added
	Public       = "public"       // people of the organization find it, and are members by coming in
	Large        = "large"        // the same without membership: whoever of the organization is in it may talk
	ByRequest    = "request"      // people find it and ask to be members
	Announcement = "announcement" // moderators write and start themes, the others read and react
	Federated    = "federated"    // people of other servers may be members
)

// Kinds lists them, in the order in which people are offered them.
var Kinds = shape.Named(GroupChange{}, "kind").Choices

// Rules are what a kind of group means for its rooms, for every door.
type Rules struct {
	Kind          string
	MembersOnly   bool   // who is not a member is not let in
	ShowAddresses bool   // everyone in it sees real addresses; else moderators only
	Listed        bool   // people of the organization find it
	Moderated     bool   // members read; moderators write
	QuietMembers  bool   // presence of members is not broadcast
	Joins         bool   // people of the organization become members by coming in
	Asks          bool   // they may ask to be
	Remote        bool   // people of other servers may be members
	Named         bool   // who follows a link and has not signed in is told its name
	ThemesBy      string // who starts themes, "members" or "moderators": a theme's name stands in the group for all to read
}

// RulesOf is the table of kinds.
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

// kindOf gives a group's kind; groups that are older than kinds have none kept.
func kindOf(g store.Group) string {
	switch {
	case g.Kind != "":
		return g.Kind
	case g.Private:
		return Private
	}
	return Public
}

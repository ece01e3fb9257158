package store

import (
	"context"
	"time"
)

// States of a person's following of a theme. Who has no row is FollowAuto.
const (
	FollowAuto  = "auto"      // the server decides what their clients enter
	FollowYes   = "following" // by having taken part, or by wish
	FollowMuted = "muted"     // left on purpose
	FollowSleep = "dormant"   // nothing has been said for long: woken when something is
)

type Follows interface {
	// Follow gives a person's state, and when it was set; FollowAuto if none is kept.
	Follow(ctx context.Context, host, theme, user string) (state string, since time.Time, err error)
	SetFollow(ctx context.Context, host, theme, user, state string) error
	// Doze has those become dormant whose clients enter a theme's room and who do not follow it: their bookmarks of it
	// are no longer of those that clients enter. It says whose they are.
	Doze(ctx context.Context, host, theme, room string) (users []string, err error)
	// Wake undoes that for those who were not woken after notAfter, and says who they are and how many are left.
	Wake(ctx context.Context, host, theme, room string, notAfter time.Time) (users []string, left int, err error)
	// Dormant counts who is.
	Dormant(ctx context.Context, host, theme string) (int, error)
	// MandatoryRooms gives bookmarks of main rooms of groups that a user has to be in and whose clients do not enter them.
	MandatoryRooms(ctx context.Context, host, user string) ([]Bookmark, error)
}

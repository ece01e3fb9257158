package store

import (
	"context"
	"time"
)

// FollowAuto and the others say how a person follows a theme. A person without a row has FollowAuto.
const (
	FollowAuto  = "auto"      // the server decides whether their clients enter the room
	FollowYes   = "following" // they took part, or chose to follow
	FollowMuted = "muted"     // they left on purpose
	FollowSleep = "dormant"   // nobody has written for a long time; a new message wakes them
)

// Follows keeps how people follow themes.
type Follows interface {
	// Follow gives how a person follows a theme, and since when; FollowAuto if nothing is kept.
	Follow(ctx context.Context, host, theme, user string) (state string, since time.Time, err error)
	// SetFollow writes how a person follows a theme.
	SetFollow(ctx context.Context, host, theme, user, state string) error
	// Doze makes those dormant whose clients enter a theme's room although they do not follow the theme: their
	// bookmarks no longer let clients enter it. It gives their names.
	Doze(ctx context.Context, host, theme, room string) (users []string, err error)
	// Wake undoes Doze for those who were not woken after notAfter. It gives their names and how many stay dormant.
	Wake(ctx context.Context, host, theme, room string, notAfter time.Time) (users []string, left int, err error)
	// Dormant counts the dormant followers of a theme.
	Dormant(ctx context.Context, host, theme string) (int, error)
	// MandatoryRooms gives a user's bookmarks of the main rooms of mandatory groups that the user's clients do not
	// enter.
	MandatoryRooms(ctx context.Context, host, user string) ([]Bookmark, error)
}

package muc

import (
	"context"
	"time"

	"parley/store"
)

// Store is what rooms ask of the store.
type Store interface {
	store.Committer
	store.KV
	store.Rooms
	store.Conversations

	Atomic(ctx context.Context, f func(ctx context.Context) error) error
	ExpireRooms(ctx context.Context, host string, before time.Time) (int, error)
	ReadRoom(ctx context.Context, host string, room string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	ReplaceInRoom(ctx context.Context, host string, room string, id store.ID, stanza []byte) error
	RoomBounds(ctx context.Context, host string, room string) (first store.ID, last store.ID, err error)
	RoomConfigs(ctx context.Context, host string, after string, limit int) ([]store.Room, error)
	RoomsWithoutOwner(ctx context.Context, host string, besides string) ([]string, error)
	User(ctx context.Context, host string, name string) (store.User, error)
}

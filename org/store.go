package org

import (
	"context"

	"parley/acts"
	"parley/store"
)

// Store is what the organization asks of the store.
type Store interface {
	acts.Store
	store.Atomics
	store.Bookmarks
	store.Follows
	store.Groups
	store.Sharing
	store.Teams

	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	FreeRooms(ctx context.Context, host string, rooms string, user string, limit int) ([]store.FreeRoom, error)
	Get(ctx context.Context, host string, key string) ([]byte, error)
	Mentions(ctx context.Context, host string, user string, room string, after store.ID, limit int) ([]store.ID, error)
	Put(ctx context.Context, host string, key string, value []byte) error
	Room(ctx context.Context, host string, name string) (store.Room, error)
	RoomBounds(ctx context.Context, host string, room string) (first store.ID, last store.ID, err error)
	RoomNews(ctx context.Context, host string, room string, sender string, after store.ID, limit int) (store.News, error)
	User(ctx context.Context, host string, name string) (store.User, error)
}

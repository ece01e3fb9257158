package org

import (
	"context"

	"parley/acts"
	"parley/messages"
	"parley/store"
)

// Store is the part of the store that package org uses.
type Store interface {
	acts.Store
	messages.Store
	store.Atomics
	store.Bookmarks
	store.Follows
	store.Groups
	store.Sharing
	store.Teams

	// CountMentions counts the messages that mention an account in many rooms at once, after an id in each.
	CountMentions(ctx context.Context, host string, user string, after map[string]store.ID) (map[string]int, error)
	// Displayed gives how far an account has read each conversation, in order of Chat.
	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	// FreeRooms gives the free rooms of a service that an account may read and either has an affiliation in or has
	// bookmarked, in order of name.
	FreeRooms(ctx context.Context, host string, rooms string, user string, limit int) ([]store.FreeRoom, error)
	// Get gives the value of a key.
	Get(ctx context.Context, host string, key string) ([]byte, error)
	// Mentions gives the messages of a room after an id that mention an account, in order.
	Mentions(ctx context.Context, host string, user string, room string, after store.ID, limit int) ([]store.ID, error)
	// NewsOf gives the newest message of each of many rooms and counts the messages after an entry that sender (bare
	// JID) did not write, at most limit, back to sender's own newest one.
	NewsOf(ctx context.Context, host string, sender string, after map[string]store.ID,
		limit int) (map[string]store.News, error)
	// Put writes the value of a key.
	Put(ctx context.Context, host string, key string, value []byte) error
	// Room gives a room.
	Room(ctx context.Context, host string, name string) (store.Room, error)
	// RoomBounds gives the ids of a room's first and last entry.
	RoomBounds(ctx context.Context, host string, room string) (first store.ID, last store.ID, err error)
	// RoomNews is NewsOf one room.
	RoomNews(ctx context.Context, host string, room string, sender string, after store.ID,
		limit int) (store.News, error)
	// User gives an account.
	User(ctx context.Context, host string, name string) (store.User, error)
}

package tasks

import (
	"context"
	"time"

	"parley/store"
)

// Store is what this feature asks of the store.
type Store interface {
	// AddTask keeps a task; ErrLimit if its conversation would have more than max.
	AddTask(ctx context.Context, t store.Task, max int) error
	// ChangeTask changes a task in a transaction, and gives it; ErrNotFound if there is none.
	ChangeTask(ctx context.Context, host string, id store.ID, change func(*store.Task) error) (store.Task, error)
	// ClaimReminder notes that somebody is reminded of a task's deadline; only one of several calls gets true.
	ClaimReminder(ctx context.Context, host string, id store.ID, due time.Time) (bool, error)
	// DeleteTask removes a task; ErrNotFound if there is none.
	DeleteTask(ctx context.Context, host string, id store.ID) error
	// DueTasks gives open tasks of whose deadline nobody was reminded, the first first, at most limit.
	DueTasks(ctx context.Context, host string, limit int) ([]store.Task, error)
	// ExpireTasks removes tasks that were done before a time, of rooms or between people; at most limit.
	ExpireTasks(ctx context.Context, host string, ofRooms bool, before time.Time, limit int) (int, error)
	// Person gives a person.
	Person(ctx context.Context, host, name string) (store.Person, error)
}

package store

import (
	"context"
	"time"
)

// Task is something that is to be done, in a conversation. Who is named by it has a bare address; "" is nobody, or
// somebody whose account is gone.
type Task struct {
	Host     string
	ID       ID     // also says when it was made
	Room     string // address of the room; "": it is between two people
	One, Two string // the two people, in order
	Maker    string
	Assignee string
	What     string
	Link     string // an address on the web; "": none
	Message  string // id of the room's message that it was made of; "": none
	Due      time.Time
	Done     time.Time // zero: it is open
	DoneBy   string
	Reminded bool // of this deadline
}

// TaskFilter chooses tasks of a host: those of a room, of two people, for somebody, or of somebody who made them. Open
// and Closed narrow it down to what is still to be done, or is done.
type TaskFilter struct {
	Host     string
	Room     string
	One, Two string
	Assignee string
	Maker    string
	Open     bool
	Closed   bool
	Before   ID // only those made before; 0: all
	Max      int
}

// Tasks keeps tasks.
type Tasks interface {
	// AddTask keeps a task; ErrLimit if its conversation would have more than max.
	AddTask(ctx context.Context, t Task, max int) error
	// Task gives a task; ErrNotFound if there is none.
	Task(ctx context.Context, host string, id ID) (Task, error)
	// TasksOf gives the tasks with these ids that exist, in the order of their ids.
	TasksOf(ctx context.Context, host string, ids []ID) ([]Task, error)
	// Tasks gives tasks, the newest first, at most f.Max.
	Tasks(ctx context.Context, f TaskFilter) ([]Task, error)
	// ChangeTask changes a task in a transaction, and gives it; ErrNotFound if there is none. An error of change is
	// returned, and nothing changes.
	ChangeTask(ctx context.Context, host string, id ID, change func(*Task) error) (Task, error)
	// DeleteTask removes a task; ErrNotFound if there is none.
	DeleteTask(ctx context.Context, host string, id ID) error
	// DueTasks gives open tasks of whose deadline nobody was reminded, the first first, at most limit.
	DueTasks(ctx context.Context, host string, limit int) ([]Task, error)
	// ClaimReminder notes that somebody is reminded of a task's deadline. Of several calls at once only one gets true,
	// and none if the task is done or has another deadline.
	ClaimReminder(ctx context.Context, host string, id ID, due time.Time) (bool, error)
	// ExpireTasks removes tasks of rooms, or between people, that were done before a time, and those of rooms that were
	// destroyed before it; at most limit. It gives how many.
	ExpireTasks(ctx context.Context, host string, ofRooms bool, before time.Time, limit int) (int, error)
}

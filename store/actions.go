package store

import "context"

// Action is something that people can have a program outside of parley do with a message, such as making a ticket of
// it. The program is asked by HTTP, and its answer is shown.
type Action struct {
	ID      string
	Name    string // in English
	NameFR  string // in French; "": the English name
	Icon    string // the name of one of the pages' icons
	URL     string // where the program is asked
	Secret  string // signs the requests
	Roles   []string
	Teams   []string // ids; the action is for people with one of the roles or in one of the teams, without both for all
	Groups  []string // ids of the groups in which it can be used; none: in all conversations
	Tells   []string // what the program is told of the message
	Comment bool     // people may write something that the program is told
	Place   int64    // its position among the actions
}

// Actions keeps the actions of organizations. There are few of them, so they are read as a whole.
type Actions interface {
	// Actions gives all actions of a host in their order.
	Actions(ctx context.Context, host string) ([]Action, error)
	// SetAction adds an action, or changes the action with that id.
	SetAction(ctx context.Context, host string, a Action) error
	// DeleteAction removes an action; ErrNotFound if there is none with that id.
	DeleteAction(ctx context.Context, host, id string) error
}

package store

import "context"

// Report is a report about a person whom its reporter blocked (XEP-0377), or about a message.
type Report struct {
	Host     string
	ID       ID     // also says when
	Reporter string // localpart
	Who      string // the reported address
	Reason   string // "spam", "abuse", "other"
	Text     string
	Room     string // bare address of the room of the messages; "": they were said to the reporter
	Messages []ID   // ids in the archive of the room, or in the reporter's
}

// Reports keeps reports of spam and abuse.
type Reports interface {
	// AddReport keeps a report; ErrLimit if its reporter would have more than max.
	AddReport(ctx context.Context, r Report, max int) error
	// Reports gives the newest reports, at most limit; with before, only those older than it.
	Reports(ctx context.Context, host string, before ID, limit int) ([]Report, error)
	// DeleteReport removes a report; ErrNotFound if there is none.
	DeleteReport(ctx context.Context, host string, id ID) error
}

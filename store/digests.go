package store

import (
	"context"
	"strings"
	"time"
)

// DigestOff, DigestDaily and DigestWeekly say how often a person gets an e-mail about what they have missed.
const (
	DigestOff    = "off"
	DigestDaily  = "daily"
	DigestWeekly = "weekly"
)

// Digest is the state of a person's e-mails about what they have missed.
type Digest struct {
	Owner string
	Every string    // DigestOff, DigestDaily or DigestWeekly; "": the organization's default
	Told  ID        // the newest message that an earlier mail has mentioned
	Due   time.Time // when to look next; zero: never
}

// Digests keeps how often people get an e-mail about what they have missed, and when the next one is due.
type Digests interface {
	// Digest gives a person's digest; the zero value if none is kept.
	Digest(ctx context.Context, host, owner string) (Digest, error)
	// SetDigest writes Every and Due of a person's digest.
	SetDigest(ctx context.Context, host string, d Digest) error
	// DueDigests gives digests that are due at a moment, the longest overdue first.
	DueDigests(ctx context.Context, host string, at time.Time, limit int) ([]Digest, error)
	// StartDigests makes a digest, due at a moment, for accounts that have an e-mail address and no digest yet, at most
	// limit of them. It gives how many it made.
	StartDigests(ctx context.Context, host string, due time.Time, limit int) (int, error)
	// PutOffDigest sets Due to next and writes told; it puts m, if there is one, into the outbox in the same
	// transaction. If Due or Every are not what d says any more (another node was faster, or the person changed it), it
	// does nothing and returns ErrConflict.
	PutOffDigest(ctx context.Context, host string, d Digest, next time.Time, told ID, m *Mail) error
}

// digestMail is the prefix of Mail.Invitation in a digest mail. Ids of invitations contain no slash.
const digestMail = "digest/"

// DigestOf gives the value of Mail.Invitation in a person's digest mail.
func DigestOf(owner string) string { return digestMail + owner }

// Digest says whether the mail is a digest, and for whom.
func (m *Mail) Digest() (owner string, ok bool) { return strings.CutPrefix(m.Invitation, digestMail) }

package store

import (
	"context"
	"strings"
	"time"
)

// How often a person is written to of what they have missed.
const (
	DigestOff    = "off"
	DigestDaily  = "daily"
	DigestWeekly = "weekly"
)

// Digest is what is kept of a person's e-mails about what they have missed.
type Digest struct {
	Owner string
	Every string    // DigestOff and so on; "" is as the organization has it
	Told  ID        // the newest message that one of them has told of
	Due   time.Time // when to look next; zero: never
}

type Digests interface {
	// Digest gives a person's; the zero choice if there is none.
	Digest(ctx context.Context, host, owner string) (Digest, error)
	// SetDigest keeps Every and Due.
	SetDigest(ctx context.Context, host string, d Digest) error
	// DueDigests gives those that are due at a moment, the longest waiting first.
	DueDigests(ctx context.Context, host string, at time.Time, limit int) ([]Digest, error)
	// StartDigests has accounts with an e-mail address that have none yet have one, due at a moment; at most limit at once.
	// It says how many there were.
	StartDigests(ctx context.Context, host string, due time.Time, limit int) (int, error)
	// PutOffDigest sets Due to next and keeps told; with a mail that goes into the outbox in the same transaction.
	// ErrConflict, and nothing is done, if Due or Every are not what d says any more: another node was faster, or the person
	// has chosen anew.
	PutOffDigest(ctx context.Context, host string, d Digest, next time.Time, told ID, m *Mail) error
}

// digestMail begins what Mail.Invitation is of a mail that tells what was missed. Invitations' ids have no slash.
const digestMail = "digest/"

// DigestOf gives what Mail.Invitation is for a person's digest.
func DigestOf(owner string) string { return digestMail + owner }

// Digest says whether the mail tells what was missed, and whom.
func (m *Mail) Digest() (owner string, ok bool) { return strings.CutPrefix(m.Invitation, digestMail) }

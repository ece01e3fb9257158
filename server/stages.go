package server

// Stage is a named place in a stanza's life at which features may take a step. The order below is the order in which
// a stanza meets them; there are no priorities besides it and the order of features in node/features.go.
//
// Between two accounts of this deployment both sides' writes are one commit:
//
//	SentCheck SentStamp SentArchive · ReceivedCheck ReceivedArchive · commit ·
//	SentCopy · ReceivedStamp · Deliver · ReceivedCopy · Undelivered
//
// To everything else: SentCheck SentStamp SentArchive · commit · SentCopy · Route. So what is shown is stored, always,
// and has the id under which it is: the commit gives the ids.
type Stage uint8

const (
	SentCheck       Stage = iota // may refuse: blocklist, rate limits
	SentStamp                    // may rewrite: removes forged stanza-ids
	SentArchive                  // adds to Pass.Write what must be durable before anyone sees the stanza
	SentCopy                     // carbons to the sender's other sessions
	ReceivedCheck                // blocklist
	ReceivedArchive              // Pass.Write
	ReceivedStamp                // stanza-id
	ReceivedCopy                 // carbons
	Undelivered                  // no session took it: offline, push

	Announce     // a session's own presence without `to`: broadcast, probes
	Arrival      // after an available presence: delivers what waited for it; new messages wait until it is over
	Subscribing  // subscribe, subscribed, unsubscribe, unsubscribed as a local user sends it
	Subscription // the same, and as it arrives for a local user
	Probe        // a presence probe for a local user
	stages
)

var stageNames = [stages]string{"SentCheck", "SentStamp", "SentArchive", "SentCopy", "ReceivedCheck", "ReceivedArchive",
	"ReceivedStamp", "ReceivedCopy", "Undelivered", "Announce", "Arrival", "Subscribing", "Subscription", "Probe"}

// String returns the stage's name, for logs and metrics.
func (s Stage) String() string {
	if s < stages {
		return stageNames[s]
	}
	return "unknown stage"
}

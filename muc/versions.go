package muc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Versions of the list of affiliations (XEP-0463): a client that enters says which version it knows, and gets the
// changes since.
//
// A version is a checksum of the list itself: it is the same after a restart, on another node and after a change and
// its reversal, and nothing is stored for it. The room remembers the last changes while it is in memory; a client with
// an older version gets the whole list. Rooms where nobody has asked for versions do none of this.

const (
	nsVersions  = "urn:xmpp:muc:affiliations:1"
	maxSteps    = 200              // changes that are remembered
	itemsAtOnce = 300              // in one message
	versionsAge = 10 * time.Minute // after this time the list is read again when somebody enters
)

type versions struct {
	list  map[jid.JID]string // affiliations by bare address; never "none"
	sum   versionSum
	steps []versionStep // the oldest first
	at    time.Time     // when the list was read
}

// versionSum is the exclusive or of a hash of each entry: a change of one entry changes it without a
// look at the others.
type versionSum [16]byte

type versionStep struct {
	since       versionSum
	who         jid.JID
	affiliation string
}

func (v *versionSum) flip(who jid.JID, affiliation string) {
	if affiliation == "" || affiliation == None {
		return
	}
	h := sha256.Sum256([]byte(who.String() + "\x00" + affiliation))
	for i := range v {
		v[i] ^= h[i]
	}
}

func (v versionSum) String() string { return hex.EncodeToString(v[:]) }

// set notes one change.
func (v *versions) set(who jid.JID, affiliation string) (since, until versionSum) {
	since = v.sum
	v.sum.flip(who, v.list[who])
	v.sum.flip(who, affiliation)
	if affiliation == None || affiliation == "" {
		delete(v.list, who)
		affiliation = None
	} else {
		v.list[who] = affiliation
	}
	if v.sum != since {
		if len(v.steps) == maxSteps {
			v.steps = slices.Delete(v.steps, 0, maxSteps/2)
		}
		v.steps = append(v.steps, versionStep{since, who, affiliation})
	}
	return since, v.sum
}

// versioning has a room's versions; now is nil while nobody has asked for them.
type versioning struct {
	r   *Room
	now *versions
}

// versionsRule gives people what has changed since they were in last.
func versionsRule(r *Room) Hooks {
	vs := &versioning{r: r}
	return Hooks{Enter: vs.send, Affiliated: vs.note, Unknown: func() { vs.now = nil }}
}

// note notes a change and gives what its broadcast says of it; nil where nobody has asked for versions.
func (vs *versioning) note(who jid.JID, affiliation string) *wire.Element {
	if vs.now == nil {
		return nil
	}
	since, until := vs.now.set(who, affiliation)
	if since == until {
		return nil
	}
	return mav(since.String(), until.String())
}

func mav(since, until string) *wire.Element {
	return wire.E(nsVersions, "mav").Set("since", since).Set("until", until)
}

// current reads the list if it was not, or if it may have changed by something that rooms are not told.
func (vs *versioning) current(ctx context.Context) (*versions, error) {
	if v := vs.now; v != nil && time.Since(v.at) < versionsAge {
		return v, nil
	}
	list, err := vs.r.keeper.Affiliations(ctx)
	if err != nil {
		return nil, err
	}
	v := &versions{list: list, at: time.Now()}
	for j, a := range list {
		v.sum.flip(j, a)
	}
	if vs.now != nil && vs.now.sum == v.sum {
		v.steps = vs.now.steps
	}
	vs.now = v
	return v, nil
}

// send answers the question in a join, before anything else is sent (section 4.2.1). It gives what the client's own
// presence says of the version; nil if it did not ask or may not.
func (vs *versioning) send(
	ctx context.Context, st *wire.Stanza, affiliation string, x *wire.Element,
) *wire.Element {
	r := vs.r
	ask := x.Child(nsVersions, "mav")
	if ask == nil {
		return nil
	}
	v, err := vs.current(ctx)
	if err == nil && !r.mayFollow(affiliation) {
		err = server.Forbidden
	}
	if err != nil {
		r.s.Fail(ctx, &wire.Stanza{Kind: wire.Message, Name: messageName, From: st.From, To: r.jid, ID: st.ID}, err)
		return nil
	}
	admin, known := rank[affiliation] >= rank[Admin], ask.Attr("since")
	if steps, ok := v.after(known); ok {
		r.sendItems(ctx, st.From, known, v.sum, items(steps, func(a string) string {
			if a == Outcast && !admin { // only administrators learn who is banned, as in the lists
				return None
			}
			return a
		}))
	} else {
		r.sendItems(ctx, st.From, "", v.sum, items(v.list, func(a string) string {
			if a == Outcast && !admin {
				return ""
			}
			return a
		}))
	}
	return mav("", v.sum.String())
}

// after gives what has changed since a version, the last of each person; ok is false if it is not known any more.
func (v *versions) after(known string) (changes map[jid.JID]string, ok bool) {
	if known == v.sum.String() {
		return nil, true
	}
	i := slices.IndexFunc(v.steps, func(s versionStep) bool { return s.since.String() == known })
	if i < 0 {
		return nil, false
	}
	changes = make(map[jid.JID]string)
	for _, s := range v.steps[i:] {
		changes[s.who] = s.affiliation
	}
	return changes, true
}

// mayFollow says whether a person may read the lists once they have entered (section 4.2.3).
func (r *Room) mayFollow(affiliation string) bool {
	role := r.RoleFor(affiliation)
	return role == "moderator" ||
		r.cfg.NonAnonymous && (r.cfg.MemberList == nil || slices.Contains(r.cfg.MemberList, role))
}

// items renders entries in order of address, as what shown makes of their affiliations: "" leaves one out.
func items(list map[jid.JID]string, shown func(string) string) []*wire.Element {
	es := make([]*wire.Element, 0, len(list))
	for _, j := range slices.SortedFunc(maps.Keys(list), func(a, b jid.JID) int {
		return strings.Compare(a.String(), b.String())
	}) {
		if a := shown(list[j]); a != "" {
			es = append(es, wire.E(wire.NSMUCUser, "item").Set("jid", j.String()).Set("affiliation", a))
		}
	}
	return es
}

// sendItems sends a list in as many messages as it takes; each begins from the version with which the one before ended.
// Nobody knows the versions in between: a client that gets only some of the messages gets the whole list the next time.
func (r *Room) sendItems(ctx context.Context, to jid.JID, since string, until versionSum, items []*wire.Element) {
	if since == until.String() {
		return
	}
	for part := 'a'; ; part++ {
		n, end := min(len(items), itemsAtOnce), until.String()
		if n < len(items) {
			end += string(part)
		}
		x := userX(nil).Add(mav(since, end)).Add(items[:n]...)
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
		r.send(ctx, st.Add(x), []jid.JID{to})
		if items, since = items[n:], end; len(items) == 0 {
			return
		}
	}
}

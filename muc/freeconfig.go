package muc

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// The configuration of free rooms, by their owners.

func (k *free) ConfigForm() *form.Form {
	r := k.r
	c := r.cfg
	f := r.Described()
	f.AddBool(prefix+"persistentroom", "Keep the room when nobody is in it", c.Persistent)
	f.AddBool(prefix+"publicroom", "List the room publicly", c.Public)
	f.AddBool(prefix+"membersonly", "Only members may enter", c.MembersOnly)
	f.AddBool(prefix+"moderatedroom", "Newcomers may only listen", c.Moderated)
	f.AddBool(prefix+"passwordprotectedroom", "A password is needed to enter", c.Password != "")
	f.Add(prefix+"roomsecret", "text-private", "Password", c.Password)
	f.AddList(
		prefix+"whois",
		"Who sees real addresses",
		map[bool]string{true: "anyone", false: "moderators"}[c.NonAnonymous],
		form.Option{Label: "Moderators", Value: "moderators"},
		form.Option{Label: "Anyone", Value: "anyone"},
	)
	f.AddBool(prefix+"changesubject", "Participants may change the subject", c.ChangeSubject)
	f.AddBool(prefix+"allowinvites", "Members may invite others", c.Invites)
	f.AddList(
		prefix+"allowpm",
		"Who may send private messages",
		c.PM,
		form.Option{Label: "Anyone", Value: "anyone"},
		form.Option{
			Label: "Who may speak",
			Value: "participants",
		},
		form.Option{Label: "Moderators", Value: "moderators"},
		form.Option{Label: "Nobody", Value: "none"},
	)
	f.Add(prefix+"pubsub", "text-single", "XMPP address of a publish-subscribe node that belongs to the room", c.PubSub)
	f.AddBool(prefix+"enablelogging", "Keep an archive", c.Archive)
	maxUsers := "none"
	if c.MaxUsers > 0 {
		maxUsers = strconv.Itoa(c.MaxUsers)
	}
	f.AddList(prefix+"maxusers", "Most occupants", maxUsers, maxUserOptions(c.MaxUsers)...)
	f.Add("muc#maxhistoryfetch", "text-single", "Messages shown on entering", strconv.Itoa(r.historyMax()))
	historyFor := c.HistoryFor
	if historyFor == "" {
		historyFor = "anyone"
	}
	f.AddList(
		fieldHistoryFor,
		"Who may read earlier messages",
		historyFor,
		form.Option{Label: "Everyone who may enter", Value: "anyone"},
		form.Option{
			Label: "Members",
			Value: historyForMembers,
		},
		form.Option{Label: "Administrators", Value: historyForAdmins},
	)
	f.AddBool(fieldSinceJoin, "People read only messages since they were added", c.SinceJoin)
	f.Fields = append(
		f.Fields,
		slowField(c.SlowMode),
		rolesField(prefix+"presencebroadcast", "Whose presence is shown", c.Broadcast),
		rolesField(prefix+"getmemberlist", "Who may read the list of members", c.MemberList),
	)
	f.Add(prefix+"roomadmins", "jid-multi", "Administrators", k.with(Admin)...)
	f.Add(prefix+"roomowners", "jid-multi", "Owners", k.with(Owner)...)
	return f
}

// with returns the addresses of the people with an affiliation, in order. The caller is on the room's goroutine or
// holds its mu.
func (k *free) with(affiliation string) []string {
	var js []string
	for j, a := range k.people {
		if a.Affiliation == affiliation {
			js = append(js, j.String())
		}
	}
	slices.Sort(js)
	return js
}

// Configure takes an owner's form (section 10.2), answers, and then tells everyone what has changed; a wrong form
// changes nothing.
func (k *free) Configure(ctx context.Context, st *wire.Stanza, f form.Form) error {
	r := k.r
	now := r.cfg
	if err := now.Apply(f, false); err != nil {
		return err
	}
	people, err := k.peopleOfForm(f)
	if err != nil {
		return err
	}
	now.Locked = false
	if err := r.storeConfig(ctx, now); err != nil {
		return err
	}
	if err = k.setPeople(ctx, people); err == nil {
		r.s.Reply(ctx, st, nil)
		err = server.ErrHandled
	}
	r.showConfig(ctx, now)
	r.locked.Store(false)
	if errors.Is(err, server.ErrHandled) {
		r.showChanges(ctx, nil, people)
	}
	return err
}

// peopleOfForm reads roomowners and roomadmins of a configuration form, which replace the present lists. Somebody who
// is no longer on either list stays a member.
func (k *free) peopleOfForm(f form.Form) ([]Change, error) {
	want, lists := make(map[jid.JID]string), make(map[string]bool)
	for _, l := range []struct{ field, affiliation string }{{"roomadmins", Admin}, {"roomowners", Owner}} {
		if !f.Has(prefix + l.field) {
			continue
		}
		js, err := f.JIDs(prefix + l.field)
		if err != nil || len(js) > maxChanges {
			return nil, server.NotAcceptable
		}
		lists[l.affiliation] = true
		for _, j := range js {
			want[j.Bare()] = l.affiliation
		}
	}
	var cs []Change
	for j, a := range k.people {
		if lists[a.Affiliation] && want[j] == "" {
			want[j] = Member
		}
	}
	for j, affiliation := range want {
		if k.people[j].Affiliation != affiliation &&
			(affiliation != Admin || k.people[j].Affiliation != Owner || lists[Owner]) {
			cs = append(cs, Change{Who: j, Affiliation: affiliation})
		}
	}
	slices.SortFunc(cs, func(a, b Change) int { return strings.Compare(a.Who.String(), b.Who.String()) })
	return cs, k.keepOwner(cs)
}

// Destroy tells the occupants why, and where they are to go.
func (k *free) Destroy(ctx context.Context, d *wire.Element) error {
	r := k.r
	note := wire.E(wire.NSMUCUser, "destroy").Set("jid", d.Attr("jid"))
	for _, name := range []string{"reason", "password"} {
		if s := d.ChildText(wire.NSMUCOwner, name); s != "" && len(s) <= 2000 {
			note.Add(wire.T(wire.NSMUCUser, name, s))
		}
	}
	if d.Attr("jid") != "" {
		if _, err := jid.Parse(d.Attr("jid")); err != nil {
			return server.MalformedJID
		}
	}
	if err := r.s.st.DestroyRoom(ctx, r.s.cfg.Domain, r.name, r.s.host.Clock.Now()); err != nil {
		return err
	}
	r.dropCard(ctx)
	r.over = true
	r.evict(ctx, note, false)
	r.s.forget(r)
	return nil
}

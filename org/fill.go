package org

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Adding many people to a group happens in the background, in batches.

// job is a group that people are being added to.
type job struct {
	done, total int
	again       bool // there is more to do than when it began
	rests       bool // it failed, and will be tried again after a while
}

const (
	batch = 100         // people per transaction
	rest  = time.Minute // the wait before a failed job is tried again
)

// Progress gives how many of how many people were added to a group in the background; total is 0 if no job runs.
func (o *Org) Progress(host, id string) (done, total int) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if j := o.jobs[[2]string{host, id}]; j != nil {
		return j.done, j.total
	}
	return 0, 0
}

// Filling is Progress; now also says whether a job runs or waits, even before its size is known.
func (o *Org) Filling(host, id string) (done, total int, now bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	j := o.jobs[[2]string{host, id}]
	if j == nil {
		return 0, 0, false
	}
	return j.done, j.total, true
}

// fill asks Run to add people to a group.
func (o *Org) fill(host, id string) {
	k := [2]string{host, id}
	o.mu.Lock()
	if j := o.jobs[k]; j == nil {
		o.jobs[k] = &job{}
	} else {
		j.again = true // the job may have passed them already
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run adds people to groups that are mandatory for everyone, and the people of large teams to their groups, until ctx
// ends. It continues what an earlier run left undone. failed gets each error.
func (o *Org) Run(ctx context.Context, hosts []string, failed func(err error)) error {
	for _, host := range hosts {
		if err := o.resume(ctx, host); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
	retry := time.NewTicker(rest)
	defer retry.Stop()
	for {
		for {
			k, ok := o.nextJob()
			if !ok {
				break
			}
			err := o.fillGroup(ctx, k[0], k[1])
			if ctx.Err() != nil {
				return nil
			}
			again := err != nil && !fault.Is(err, fault.NotFound)
			if again {
				failed(err)
			}
			o.ended(k, again)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-retry.C:
			o.rested()
		}
	}
}

func (o *Org) ended(k [2]string, failed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j := o.jobs[k]; failed || j.again {
		*j = job{rests: failed}
		return
	}
	delete(o.jobs, k)
}

func (o *Org) rested() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, j := range o.jobs {
		j.rests = false
	}
}

func (o *Org) nextJob() (k [2]string, ok bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for k, j := range o.jobs {
		if !j.rests {
			return k, true
		}
	}
	return k, false
}

func (o *Org) resume(ctx context.Context, host string) error {
	gs, err := o.mandatory(ctx, host)
	if err != nil {
		return err
	}
	for _, g := range gs {
		n, err := o.st.CountOutside(ctx, host, g.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			o.fill(host, g.ID)
		}
	}
	ids, err := o.st.ToFill(ctx, host)
	for _, id := range ids {
		o.fill(host, id)
	}
	return err
}

// mandatory gives the groups that are mandatory for everyone.
func (o *Org) mandatory(ctx context.Context, host string) (out []store.Group, err error) {
	const page = 200
	for {
		gs, total, err := o.st.FindGroups(ctx, host,
			store.GroupFilter{Mandatory: Everyone, Offset: len(out), Limit: page})
		out = append(out, gs...)
		if err != nil || len(gs) < page || len(out) >= total {
			return out, err
		}
	}
}

func (o *Org) fillGroup(ctx context.Context, host, id string) error {
	s, err := o.state(ctx, host, id)
	if err != nil {
		return err
	}
	if s.group.Mandatory == Everyone {
		if err := o.fillEveryone(ctx, host, id); err != nil && !fault.Is(err, fault.NotFound) { // no longer mandatory
			return err
		}
	}
	return o.fillTeams(ctx, host, id)
}

func (o *Org) fillEveryone(ctx context.Context, host, id string) error {
	total, err := o.st.CountOutside(ctx, host, id)
	if err != nil {
		return err
	}
	o.progress(host, id, 0, total)
	done := 0
	for after := ""; ; {
		names, err := o.st.Outside(ctx, host, id, after, batch)
		if err != nil || len(names) == 0 {
			return err
		}
		after = names[len(names)-1]
		if err := o.addAll(ctx, host, id, names); err != nil {
			return err
		}
		done += len(names)
		o.progress(host, id, done, max(total, done))
	}
}

// fillTeams gives the people of a group's teams the roles that the teams give them.
func (o *Org) fillTeams(ctx context.Context, host, id string) error {
	done := 0
	for {
		left, err := o.addOfTeams(ctx, host, id)
		if err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		done += min(left, batch)
		o.progress(host, id, done, done+max(0, left-batch))
	}
}

// addOfTeams does so for a batch of people, and gives how many there were to do.
func (o *Org) addOfTeams(ctx context.Context, host, id string) (left int, err error) {
	err = o.act(ctx, host, acts.System, func(ctx context.Context, c *change) error {
		left, err = o.addSomeOfTeams(ctx, c, host, id)
		return err
	})
	return left, err
}

func (o *Org) addSomeOfTeams(ctx context.Context, c *change, host, id string) (left int, err error) {
	s, err := c.lock(ctx, host, id)
	if err != nil {
		return 0, err
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return 0, err
	}
	names, err := s.unfilled(tv, o.cfg.Now)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		c.keeps(s)
		return 0, o.st.FillDone(ctx, host, id)
	}
	mc := &memberChange{s: s, now: o.cfg.Now}
	for _, j := range names[:min(len(names), batch)] {
		mc.set(j, s.ownRole(j), s.teamRoles(tv, j))
	}
	return len(names), c.changeMembers(ctx, store.OrgChange{Host: host}, mc)
}

// unfilled gives the people whose role in a group is not the one that their teams give them.
func (s *state) unfilled(tv *teams, now func() time.Time) (out []jid.JID, err error) {
	var names []string
	for _, gt := range s.teams {
		if t := tv.byID[gt.Team]; t != nil {
			names = append(names, t.names()...)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		j, err := jid.New(name, s.group.Host, "")
		if err != nil {
			return nil, err
		}
		c := memberChange{s: s, now: now} // only to compute; never written
		if c.set(j, s.ownRole(j), s.teamRoles(tv, j)); len(c.members) > 0 {
			out = append(out, j)
		}
	}
	return out, nil
}

func (o *Org) progress(host, id string, done, total int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j := o.jobs[[2]string{host, id}]; j != nil {
		j.done, j.total = done, total
	}
}

var errNoLonger = errors.New("org: not everyone is to be in this group any more")

// addAll adds people to a group that is mandatory for everyone, and leaves out accounts deleted meanwhile.
func (o *Org) addAll(ctx context.Context, host, id string, names []string) error {
	return o.act(ctx, host, acts.System, func(ctx context.Context, c *change) error {
		return o.addSome(ctx, c, host, id, names)
	})
}

func (o *Org) addSome(ctx context.Context, c *change, host, id string, names []string) error {
	s, err := c.lock(ctx, host, id)
	if err != nil {
		return err
	}
	if s.group.Mandatory != Everyone {
		return fault.New(fault.NotFound, "", errNoLonger.Error())
	}
	tv, err := o.teamsOf(ctx, host)
	if err != nil {
		return err
	}
	mc := &memberChange{s: s, now: o.cfg.Now}
	for _, name := range names {
		j, err := jid.New(name, host, "")
		if err != nil {
			continue
		}
		if _, err := o.st.User(ctx, host, name); errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if s.ownRole(j) == "" {
			mc.set(j, store.RoleMember, s.teamRoles(tv, j))
		}
	}
	return c.changeMembers(ctx, store.OrgChange{Host: host}, mc)
}

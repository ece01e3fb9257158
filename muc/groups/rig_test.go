package groups_test

import (
	"context"
	"testing"

	"parley/muc"
	"parley/muc/groups"
	"parley/muc/muctest"
	"parley/org"
)

const (
	testHost = muctest.Domain
	x        = muctest.Join
)

// rig is a host with a service of rooms of groups.
type rig struct {
	*muctest.Rig
	svc *groups.Service
	org *org.Org
}

// newRig starts a rig; change may adjust the service's configuration.
func newRig(t testing.TB, change ...func(*groups.Config, *muc.Config)) *rig {
	t.Helper()
	r := &rig{}
	r.Rig = muctest.New(t, func(x *muctest.Rig) (func(context.Context), error) {
		r.org = org.New(x.Store, org.Config{})
		c := groups.Config{Store: x.Store, Org: r.org}
		rooms := muc.Config{
			Domain:   "groups." + muctest.Domain,
			Host:     x.Host,
			Store:    x.Store,
			Secret:   []byte("secret of the tests"),
			Defaults: muc.Default,
		}
		for _, f := range change {
			f(&c, &rooms)
		}
		svc, err := groups.New(c, rooms)
		if err != nil {
			return nil, err
		}
		r.svc = svc
		return svc.Close, nil
	})
	return r
}

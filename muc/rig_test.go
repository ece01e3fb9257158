package muc_test

import (
	"context"
	"testing"

	"parley/muc"
	"parley/muc/muctest"
)

// rig is a host with a service of free rooms.
type rig struct {
	*muctest.Rig
	svc *muc.Service
}

// newRig starts a rig; change may adjust the service's configuration.
func newRig(t testing.TB, change ...func(*muc.Config)) *rig {
	t.Helper()
	r := &rig{}
	r.Rig = muctest.New(t, func(x *muctest.Rig) (func(context.Context), error) {
		c := muc.Config{
			Domain:   "groups." + muctest.Domain,
			Host:     x.Host,
			Store:    x.Store,
			Secret:   []byte("secret of the tests"),
			Defaults: muc.Default,
		}
		for _, f := range change {
			f(&c)
		}
		svc, err := muc.NewService(c)
		if err != nil {
			return nil, err
		}
		r.svc = svc
		return svc.Close, nil
	})
	return r
}

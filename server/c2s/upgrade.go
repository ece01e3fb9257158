package c2s

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"parley/auth"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// An account from another server may have SCRAM keys for only one hash. The other keys are made when the owner signs
// in: from the password if the client sends it, or by an upgrade task of the new profile (XEP-0480).

const (
	nsUpgrade      = "urn:xmpp:sasl:upgrade:0"
	nsScramUpgrade = "urn:xmpp:scram-upgrade:0"
	upgradePrefix  = "UPGR-"

	maxUpgrades = 8 // tasks per request
)

// upgradable names the mechanisms that have an upgrade task. Every client gets the same offer, so that it does not
// reveal what an account lacks.
func (st *stream) upgradable() []string {
	var out []string
	for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1"} {
		if slices.ContainsFunc(st.srv.cfg.Mechanisms, func(o string) bool {
			return strings.TrimSuffix(o, "-PLUS") == m
		}) {
			out = append(out, m)
		}
	}
	return out
}

// usable leaves out the mechanisms that an account has no keys for, if the stream header names the account (XEP-0388,
// section 2.1).
func (st *stream) usable(mechs []string) []string {
	from, err := jid.Parse(st.from)
	if st.from == "" || err != nil || from.Local() == "" || from.Domain() != st.host.Domain {
		return mechs
	}
	ctx, cancel := st.within()
	defer cancel()
	secrets, err := st.srv.lookup(st.host)(ctx, from.Local())
	if err != nil || len(secrets) == 0 {
		return mechs
	}
	missing := secrets[0].Keys.Missing() // the other passwords have the same keys
	if len(missing) == 0 {
		return mechs
	}
	return slices.DeleteFunc(slices.Clone(mechs), func(m string) bool {
		return slices.Contains(missing, strings.TrimSuffix(m, "-PLUS"))
	})
}

// upgraded stores keys made from a password that a client sent. If that fails, the sign-in succeeds all the same.
func (st *stream) upgraded(ctx context.Context, user string, k auth.Keys) {
	if err := st.keepKeys(ctx, user, func(now *auth.Keys) error { *now = k; return nil }); err != nil &&
		!errors.Is(err, store.ErrConflict) {
		st.log.Error("cannot upgrade the keys of a password", "user", user, "err", err)
	}
}

func (st *stream) keepKeys(ctx context.Context, user string, change func(k *auth.Keys) error) error {
	u, err := st.srv.cfg.Store.User(ctx, st.host.Domain, user)
	if err != nil {
		return err
	}
	var k auth.Keys
	if err := k.UnmarshalBinary(u.Keys); err != nil {
		return err
	}
	if err := change(&k); err != nil {
		return err
	}
	b, err := k.MarshalBinary()
	if err != nil {
		return err
	}
	return st.srv.cfg.Store.UpgradeKeys(ctx, st.host.Domain, user, u.Keys, b)
}

// upgrade makes the client do the tasks that it asked for and that its account needs, between SASL and success. data
// goes with the first answer; upgrade returns what is left for success.
func (st *stream) upgrade(req *request2, data []byte) ([]byte, error) {
	// Somebody with a token or an app password need not know the password.
	if len(req.upgrades) == 0 || strings.HasPrefix(req.mech, "HT-") || st.credential != "" {
		return data, nil
	}
	ctx, cancel := st.within()
	defer cancel()
	secrets, err := st.srv.lookup(st.host)(ctx, st.user)
	own := secret(secrets, "")
	if err != nil || own == nil {
		return nil, &auth.Error{Condition: "temporary-auth-failure"}
	}
	for _, m := range own.Keys.Missing() {
		if !slices.Contains(req.upgrades, upgradePrefix+m) || !slices.Contains(st.upgradable(), m) {
			continue
		}
		if err := st.scramTask(ctx, m, data, auth.Like(secrets)); err != nil {
			return nil, err
		}
		data = nil
	}
	return data, nil
}

// scramTask runs the task of XEP-0480, section 3, for one mechanism. The new key uses the parameters of like.
func (st *stream) scramTask(ctx context.Context, mechanism string, data []byte, like auth.Keys) error {
	task := upgradePrefix + mechanism
	c := wire.E(wire.NSSASL2, "continue")
	if len(data) > 0 {
		c.Add(wire.T(wire.NSSASL2, "additional-data", base64.StdEncoding.EncodeToString(data)))
	}
	st.send(c.Add(wire.E(wire.NSSASL2, "tasks", wire.T(wire.NSSASL2, "task", task))))
	x, err := st.during("next")
	if err != nil {
		return err
	}
	if x.Attr("task") != task {
		return &auth.Error{Condition: "malformed-request", Text: "the task does not match the request"}
	}
	salt, iterations := auth.NewSalt(), max(st.srv.cfg.Iterations, 4096)
	if l := like.Of(mechanism); !l.IsZero() {
		salt, iterations = l.Salt, l.Iterations
	}
	st.send(wire.E(wire.NSSASL2, "task-data",
		wire.T(nsScramUpgrade, "salt", base64.StdEncoding.EncodeToString(salt)).Set("iterations",
			strconv.Itoa(iterations))))
	if x, err = st.during("task-data"); err != nil {
		return err
	}
	salted, err := decode2(x.Element(nsScramUpgrade, "hash").Text())
	if err != nil {
		return err
	}
	key, err := auth.KeyOf(mechanism, salted, salt, iterations)
	if err != nil {
		return err
	}
	if err := st.keepKeys(ctx, st.user, func(k *auth.Keys) error { return k.SetKey(mechanism, key) }); err != nil {
		if !errors.Is(err, store.ErrConflict) { // another client of the account was faster, or the password changed
			st.log.Error("cannot upgrade the keys of a password", "user", st.user, "err", err)
		}
		return &auth.Error{Condition: "temporary-auth-failure"}
	}
	return nil
}

// during waits for an element of the new profile during a task.
func (st *stream) during(local string) (*wire.Stanza, error) {
	x, err := st.t.next()
	switch {
	case err != nil:
		return nil, err
	case x.Name == wire.Name{Space: wire.NSSASL2, Local: local}:
		return x, nil
	case x.Name == wire.Name{Space: wire.NSSASL2, Local: "abort"}:
		return nil, &auth.Error{Condition: "aborted"}
	case x.Kind != wire.Other:
		return nil, &wire.StreamError{Condition: "not-authorized"}
	}
	return nil, errBetween
}

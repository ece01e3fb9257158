package people

import (
	"context"
	"errors"

	"parley/acts"
	"parley/internal/changes"
	"parley/server"
	"parley/store"
	"parley/wire"
)

// Reasons that a stream is given when somebody ends it.
var (
	errSignedOut = ended("this session was closed from the web")
	errEnded     = ended(byAdministrator)
)

const byAdministrator = "an administrator has closed this session"

func ended(why string) *wire.StreamError {
	return &wire.StreamError{Condition: "policy-violation", Text: why}
}

// EndDevices ends the streams of an account's clients, or of one resource, and gives how many. The clients may sign in
// again; SignOut also removes their tokens.
func (p *People) EndDevices(ctx context.Context, by Actor, name, resource string) (n int, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Disable, name, true)
		if err != nil {
			return err
		}
		var ends []*server.Session
		for _, s := range p.Sessions(name) {
			if resource == "" || s.JID.Resource() == resource {
				ends = append(ends, s)
			}
		}
		if n = len(ends); n == 0 {
			return nil
		}
		a.Note(acts.SessionEnd, u.Address(), acts.Detail{"sessions": n})
		why := errEnded
		if by.Name == name {
			why = errSignedOut
		}
		a.After(func(context.Context) {
			for _, s := range ends {
				s.Close(why)
			}
		})
		return nil
	})
	return n, err
}

// EndBrowser signs out one of a person's browsers, with the chat in it, by the hash of its session.
func (p *People) EndBrowser(ctx context.Context, by Actor, hash string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		err := p.st.DeleteWebSession(ctx, p.h.Domain, by.Name, hash)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		a.Note(acts.SessionEnd, by.Name+"@"+p.h.Domain, acts.Detail{"sessions": 1})
		a.Changed(changes.Account, by.Name) // see RevokeAppPassword
		a.After(func(context.Context) {
			p.CloseStreams(by.Name, func(i server.SessionInfo) bool { return i.Credential == hash }, errSignedOut)
		})
		return nil
	})
}

// EndOthers signs a person out everywhere except in the browser whose session has this hash.
func (p *People) EndOthers(ctx context.Context, by Actor, hash string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if err := p.st.DeleteWebSessions(ctx, p.h.Domain, by.Name, hash); err != nil {
			return err
		}
		if err := p.st.DeleteTokens(ctx, p.h.Domain, by.Name, ""); err != nil {
			return err
		}
		a.Note(acts.SessionEnd, by.Name+"@"+p.h.Domain, acts.Detail{"all": true})
		a.Changed(changes.Account, by.Name) // see RevokeAppPassword
		a.After(func(context.Context) {
			p.CloseStreams(by.Name, func(i server.SessionInfo) bool { return i.Credential != hash }, errSignedOut)
		})
		return nil
	})
}

// Package adhoc offers the commands of all features (XEP-0050).
package adhoc

import (
	"context"

	"parley/server"
	"parley/store"
	"parley/wire"
)

type adhoc struct{ h *server.Host }

// New makes the feature.
func New(h *server.Host) *server.Feature {
	a := adhoc{h}
	return &server.Feature{
		Name: "adhoc",
		XEP: []server.XEP{{
			Number:  50,
			Title:   "Ad-Hoc Commands",
			Version: "1.3.0",
			Notes:   "nothing is kept between the steps of a command",
		}},
		Disco: []string{wire.NSCommands},
		Node:  server.Node{Info: a.info, Items: a.items},
		// Some clients look for commands at their own account.
		Account:     []string{wire.NSCommands},
		AccountNode: server.Node{Info: a.own(a.info), Items: a.own(a.items)},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "set", Space: wire.NSCommands, Local: "command"}: a.run,
			{To: server.ToSelf, Type: "set", Space: wire.NSCommands, Local: "command"}: a.run,
		},
	}
}

func (a adhoc) commands() []server.Command {
	var cmds []server.Command
	for _, f := range a.h.Features {
		cmds = append(cmds, f.Commands...)
	}
	return cmds
}

func (a adhoc) run(ctx context.Context, r *server.Request) (*wire.Element, error) {
	return server.RunCommand(ctx, a.commands(), r.From, r.Payload)
}

func (a adhoc) own(f func(context.Context, *server.Request,
	string) (*wire.Element, error)) func(context.Context, *server.Request, string) (*wire.Element, error) {
	return func(ctx context.Context, r *server.Request, node string) (*wire.Element, error) {
		if !r.Self() {
			return nil, store.ErrNotFound
		}
		return f(ctx, r, node)
	}
}

func (a adhoc) info(_ context.Context, _ *server.Request, node string) (*wire.Element, error) {
	if e := server.CommandInfo(a.commands(), node); e != nil {
		return e, nil
	}
	return nil, store.ErrNotFound
}

func (a adhoc) items(ctx context.Context, r *server.Request, node string) (*wire.Element, error) {
	at := r.Stanza.To
	if at.IsZero() {
		at = r.From.Bare()
	}
	if e := server.CommandItems(ctx, a.commands(), r.From, at, node); e != nil {
		return e, nil
	}
	return nil, store.ErrNotFound
}

package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Command is an ad-hoc command (XEP-0050): a form, any number of further forms, and an action on the answers. The
// server keeps no state between the forms, so no session can time out.
type Command struct {
	Node, Name string
	Allowed    func(ctx context.Context, who jid.JID) bool // nil: everyone
	Form       func(ctx context.Context, who jid.JID) (*form.Form, error)
	Then       []FormStage // further forms; Do gets the answers to all of them
	// Do gets the form as the client submitted it. It returns a note for the person, and a form of results or nil.
	Do func(ctx context.Context, who jid.JID, f form.Form) (note string, result *form.Form, err error)
}

// NoteError is a failure that the person reads as the command's outcome: the command ran but could not do its work.
type NoteError struct{ Text string }

// Error returns the text for the person.
func (e *NoteError) Error() string { return e.Text }

var errBadAction = &AppError{
	Stanza: stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest},
	App:    wire.E(wire.NSCommands, "bad-action"),
}

// Noted makes of a fault.Error a NoteError with its text; other errors stay as they are.
func Noted(err error) error {
	if f := fault.Of(err); f != nil {
		return &NoteError{Text: f.Error()}
	}
	return err
}

// RunCommand answers an iq set with a <command/>: it runs the command that c names, if who may run it. It returns
// stanza errors and the command's own errors, such as a fault.Error: see Refusal.
func RunCommand(ctx context.Context, cmds []Command, who jid.JID, c *wire.Element) (*wire.Element, error) {
	for i := range cmds {
		if cmds[i].Node == c.Attr("node") {
			return cmds[i].run(ctx, who, c)
		}
	}
	return nil, ItemNotFound
}

func (cmd *Command) run(ctx context.Context, who jid.JID, c *wire.Element) (*wire.Element, error) {
	if cmd.Allowed != nil && !cmd.Allowed(ctx, who) {
		return nil, Forbidden
	}
	reply := wire.E(wire.NSCommands, "command").Set("node", cmd.Node).Set("sessionid", c.Attr("sessionid"))
	x := c.Child(wire.NSForm, "x")
	switch c.Attr("action") {
	case "cancel":
		return reply.Set("status", "canceled"), nil
	case "", "execute", "complete", "next":
	case "prev":
		if len(cmd.Then) == 0 {
			return nil, errBadAction
		}
	default:
		return nil, errBadAction
	}
	if len(cmd.Then) > 0 && x.Attr("type") != "cancel" {
		f, done, err := cmd.stage(ctx, who, c, reply)
		if err != nil || !done {
			return reply, err
		}
		return cmd.finish(ctx, who, f, reply)
	}
	if x == nil && cmd.Form != nil {
		return cmd.ask(ctx, who, c, reply)
	}
	var f form.Form
	if x != nil {
		var err error
		if f, err = form.Parse(x); err != nil {
			return nil, BadRequest
		}
		if f.Type == "cancel" {
			return reply.Set("status", "canceled"), nil
		}
	}
	return cmd.finish(ctx, who, f, reply)
}

func (cmd *Command) finish(ctx context.Context, who jid.JID, f form.Form, reply *wire.Element) (*wire.Element, error) {
	note, result, err := cmd.Do(ctx, who, f)
	var failed *NoteError
	if errors.As(err, &failed) {
		return reply.Set("status", "completed").Add(wire.T(wire.NSCommands, "note", failed.Text).Set("type", "error")),
			nil
	}
	if err != nil {
		return nil, err
	}
	reply.Set("status", "completed")
	if note != "" {
		reply.Add(wire.T(wire.NSCommands, "note", note).Set("type", "info"))
	}
	if result != nil {
		reply.Add(result.Element())
	}
	return reply, nil
}

func (cmd *Command) ask(ctx context.Context, who jid.JID, c, reply *wire.Element) (*wire.Element, error) {
	if a := c.Attr("action"); a != "" && a != "execute" {
		return nil, errBadAction
	}
	f, err := cmd.Form(ctx, who)
	if err != nil {
		return nil, err
	}
	var id [10]byte
	rand.Read(id[:])
	reply.Set("status", "executing").Set("sessionid", hex.EncodeToString(id[:]))
	reply.Add(wire.E(wire.NSCommands, "actions", wire.E(wire.NSCommands, "complete")).Set("execute", "complete"))
	return reply.Add(f.Element()), nil
}

// CommandItems answers disco#items: at the node of commands it lists those that who may run, and at a command's own
// node it lists nothing. It returns nil for any other node.
func CommandItems(ctx context.Context, cmds []Command, who, at jid.JID, node string) *wire.Element {
	if node != wire.NSCommands {
		if CommandInfo(cmds, node) == nil {
			return nil
		}
		return ItemsElement(node, nil)
	}
	var items []Item
	for _, c := range cmds {
		if c.Allowed == nil || c.Allowed(ctx, who) {
			items = append(items, Item{JID: at, Node: c.Node, Name: c.Name})
		}
	}
	return ItemsElement(wire.NSCommands, items)
}

// CommandInfo answers disco#info for the node of commands and for each command. It returns nil for any other node.
func CommandInfo(cmds []Command, node string) *wire.Element {
	if node == wire.NSCommands {
		return Info{
			Identities: []Identity{{"automation", "command-list", "Commands"}},
			Features:   []string{wire.NSCommands},
		}.Element(node)
	}
	for _, c := range cmds {
		if c.Node == node {
			return Info{
				Identities: []Identity{{"automation", "command-node", c.Name}},
				Features:   []string{wire.NSCommands, wire.NSForm},
			}.Element(node)
		}
	}
	return nil
}

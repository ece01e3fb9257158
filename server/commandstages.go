package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Commands of several stages (XEP-0050, section 3.4.2). The earlier answers travel to the client and back in the
// session id, so the server keeps nothing: a client may continue at another node, and nothing times out. A client can
// change only its own answers this way, and every stage checks them again.

// FormStage returns the form of a later stage. sofar holds the answers so far, which may be invalid.
type FormStage func(ctx context.Context, who jid.JID, sofar form.Form) (*form.Form, error)

// maxSession is the largest session id that contains answers, in bytes.
const maxSession = 32 << 10

var (
	errBadSession = &AppError{
		Stanza: stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest},
		App:    wire.E(wire.NSCommands, "bad-sessionid"),
	}
	errBadPayload = &AppError{
		Stanza: stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest},
		App:    wire.E(wire.NSCommands, "bad-payload"),
	}
)

// progress is a client's position in a command of several stages.
type progress struct {
	At      int                 `json:"at"` // 1: the client has the first form
	Answers map[string][]string `json:"answers,omitempty"`
}

func (p progress) id() string {
	var salt [6]byte
	rand.Read(salt[:])
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and strings
	}
	return hex.EncodeToString(salt[:]) + "." + base64.RawURLEncoding.EncodeToString(b)
}

func (cmd *Command) progress(id string) (p progress, err error) {
	if id == "" { // the first form, which the client filled in without asking for it
		return progress{At: 1}, nil
	}
	_, state, ok := strings.Cut(id, ".")
	b, err := base64.RawURLEncoding.DecodeString(state)
	if !ok || err != nil || len(id) > maxSession || json.Unmarshal(b, &p) != nil || p.At < 1 || p.At > 1+len(cmd.Then) {
		return p, errBadSession
	}
	return p, nil
}

func (p progress) form() form.Form {
	f := form.New(form.Submit, "")
	for name, values := range p.Answers {
		f.Fields = append(f.Fields, form.Field{Var: name, Values: values})
	}
	return *f
}

// stage answers a request for a command of several stages. done says that the last stage is answered; f then holds all
// answers.
func (cmd *Command) stage(ctx context.Context, who jid.JID,
	c, reply *wire.Element) (f form.Form, done bool, err error) {
	x, action := c.Child(wire.NSForm, "x"), c.Attr("action")
	if x == nil && c.Attr("sessionid") == "" {
		if action != "" && action != "execute" {
			return f, false, errBadAction
		}
		return f, false, cmd.show(ctx, who, progress{At: 1}, false, reply)
	}
	p, err := cmd.progress(c.Attr("sessionid"))
	if err != nil {
		return f, false, err
	}
	last := 1 + len(cmd.Then)
	if p.Answers == nil {
		p.Answers = make(map[string][]string)
	}
	if x != nil {
		got, err := form.Parse(x)
		if err != nil {
			return f, false, errBadPayload
		}
		for _, fd := range got.Fields {
			if fd.Var != "" {
				p.Answers[fd.Var] = fd.Values
			}
		}
	}
	switch {
	case action == "prev" && p.At > 1:
		p.At--
		return f, false, cmd.show(ctx, who, p, true, reply)
	case action == "prev", action == "next" && p.At == last, action == "complete" && p.At < last:
		return f, false, errBadAction
	case x == nil:
		return f, false, errBadPayload
	case p.At == last:
		return p.form(), true, nil
	}
	p.At++
	return f, false, cmd.show(ctx, who, p, false, reply)
}

// show puts a stage's form into reply. again fills in the earlier answers, for a client that goes back.
func (cmd *Command) show(ctx context.Context, who jid.JID, p progress, again bool, reply *wire.Element) error {
	var f *form.Form
	var err error
	if p.At == 1 {
		f, err = cmd.Form(ctx, who)
	} else {
		f, err = cmd.Then[p.At-2](ctx, who, p.form())
	}
	var failed *NoteError
	if errors.As(err, &failed) { // these answers lead to no further form
		reply.Set("status", "completed").Add(wire.T(wire.NSCommands, "note", failed.Text).Set("type", "error"))
		return nil
	}
	if err != nil {
		return err
	}
	for i := range f.Fields {
		if v, ok := p.Answers[f.Fields[i].Var]; ok && again && f.Fields[i].Var != form.TypeVar {
			f.Fields[i].Values = v
		}
	}
	id := p.id()
	if len(id) > maxSession {
		return WithText(NotAcceptable, "the answers are too long")
	}
	actions := wire.E(wire.NSCommands, "actions")
	if p.At > 1 {
		actions.Add(wire.E(wire.NSCommands, "prev"))
	}
	do := "next"
	if p.At == 1+len(cmd.Then) {
		do = "complete"
	}
	actions.Add(wire.E(wire.NSCommands, do)).Set("execute", do)
	reply.Set("status", "executing").Set("sessionid", id).Add(actions, f.Element())
	return nil
}

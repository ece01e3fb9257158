// Package notify answers commands that people of the host send to notify@host in any client.
package notify

import (
	"context"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Name is the localpart of the address.
const Name = "notify"

// Config says what the commands need.
type Config struct {
	Rooms  string                                                         // the domain of the host's rooms
	Find   func(ctx context.Context, who jid.JID, text string) store.Find // begins a search for messages
	Search bool                                                           // messages are found by their words
}

// maxWaiting is how many commands may wait for earlier ones.
const maxWaiting = 64

type voice struct {
	h        *server.Host
	st       Store
	cfg      Config
	jid      jid.JID
	commands []command
	queue    chan *wire.Stanza
}

// command is a command that begins with "!".
type command struct {
	name, usage, help string
	do                func(ctx context.Context, who jid.JID, rest string) (string, error)
}

// New makes the feature.
func New(h *server.Host, st Store, c Config) *server.Feature {
	v := &voice{
		h:     h,
		st:    st,
		cfg:   c,
		jid:   jid.MustParse(Name + "@" + h.Domain),
		queue: make(chan *wire.Stanza, maxWaiting),
	}
	if c.Search {
		v.commands = append(v.commands, command{"!search", "!search WORDS", searchHelp, v.search})
	}
	return &server.Feature{Name: "notify", Responders: map[string]server.Responder{Name: v.receive}, Run: v.run}
}

// receive handles a stanza to the address; it is the server.Voice.
func (v *voice) receive(ctx context.Context, st *wire.Stanza) error {
	if st.Kind == wire.Presence {
		v.presence(ctx, st)
		return nil
	}
	switch {
	case st.Type == "error", st.Type == "headline":
		return nil
	case st.From.Domain() != v.h.Domain || st.From.Local() == "" || st.Type == "groupchat":
		// two machines would answer each other for ever
		return server.ServiceUnavailable
	case !st.Has(wire.NSClient, "body"): // a typing notification or a receipt
		return nil
	}
	st.Hold()
	select {
	case v.queue <- st:
		return nil
	default:
		st.Receipt.Settle()
		return server.WithText(server.ResourceConstraint, "too many people are searching at the moment: try again")
	}
}

// presence accepts everybody of the host as a contact.
func (v *voice) presence(ctx context.Context, st *wire.Stanza) {
	if st.From.Domain() != v.h.Domain || st.From.Local() == "" {
		return
	}
	send := func(typ string, from jid.JID) {
		v.h.Router.Send(ctx, &wire.Stanza{
			Kind: wire.Presence,
			Name: wire.Name{Space: wire.NSClient, Local: "presence"},
			Type: typ,
			From: from,
			To:   st.From.Bare(),
		})
	}
	here, err := v.jid.WithResource("parley")
	if err != nil {
		return
	}
	switch st.Type {
	case "subscribe":
		send("subscribed", v.jid)
		send("", here)
	case "unsubscribe":
		send("unsubscribed", v.jid)
	case "probe":
		send("", here)
	}
}

// run answers commands, one after the other.
func (v *voice) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case st := <-v.queue:
			v.answer(ctx, st)
		}
	}
}

func (v *voice) answer(ctx context.Context, st *wire.Stanza) {
	defer st.Receipt.Settle()
	text, err := v.obey(ctx, st.From.Bare(), strings.TrimSpace(st.BodyText()))
	if err != nil {
		v.h.Log.Error("cannot answer a command", "from", st.From.Bare().String(), "err", err)
		v.h.Router.Reply(ctx, st, server.Internal)
		return
	}
	r := st.Reply()
	r.ID, r.From = v.h.NewID(), v.jid
	// The answer is not archived: it may quote messages that are retracted later or that the person may not read later.
	// A client that is asleep still gets it when it resumes.
	r.Add(wire.T(wire.NSClient, "body", text), st.Element(wire.NSClient, "thread"),
		wire.E(wire.NSHints, "no-permanent-store"))
	v.h.Router.Send(ctx, r)
}

func (v *voice) obey(ctx context.Context, who jid.JID, line string) (string, error) {
	name, rest, _ := strings.Cut(line, " ")
	for _, c := range v.commands {
		if strings.EqualFold(name, c.name) {
			if rest = strings.TrimSpace(rest); rest == "" {
				return c.help, nil
			}
			return c.do(ctx, who, rest)
		}
	}
	return v.help(), nil
}

func (v *voice) help() string {
	if len(v.commands) == 0 {
		return "This is " + v.h.Domain + ". There is nothing to ask here."
	}
	lines := []string{"This is " + v.h.Domain + ". You can write:"}
	for _, c := range v.commands {
		lines = append(lines, c.usage, c.help)
	}
	return strings.Join(lines, "\n")
}

package muc

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"parley/org"
	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Meetings are elsewhere, at an address that is made anew for each: a line in the room has it, as a link that every client
// shows, as an invitation to a call (XEP-0482) and as out-of-band data (XEP-0066).

const (
	nodeMeeting   = "https://parley.im/commands#meeting"
	nsCallInvites = "urn:xmpp:call-invites:0"
	maxTopic      = 100 // characters
)

func meetingTexts() []textCommand {
	return []textCommand{{"meet", "[TOPIC]", "start a meeting for everyone in here", inGroup | inTheme, None, textMeet}}
}

func textMeet(ctx context.Context, c *textCall) (string, error) {
	_, err := c.s.StartMeeting(ctx, c.room, c.who, c.rest)
	return "", err
}

// meetingURL fills the template: {room} is the room's localpart, {secret} what nobody guesses.
func (s *Service) meetingURL(room string) string {
	var b [15]byte
	rand.Read(b[:])
	secret := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return strings.NewReplacer("{room}", url.PathEscape(room), "{secret}", secret).Replace(s.cfg.Meetings)
}

// StartMeeting says in a room that there is a meeting, in the name of a person who may write there, and gives its address.
func (s *Service) StartMeeting(ctx context.Context, name string, who jid.JID, topic string) (string, error) {
	if s.cfg.Meetings == "" {
		return "", &org.Error{Kind: org.Forbidden, Text: "there are no meetings here: groups.meeting_url is not set"}
	}
	topic = strings.Join(strings.Fields(topic), " ")
	if utf8.RuneCountInString(topic) > maxTopic {
		return "", &org.Error{Kind: org.Invalid, Field: "topic", Text: "is too long: at most 100 characters"}
	}
	at := s.meetingURL(name)
	done := make(chan error, 1)
	if err := s.post(ctx, name, work{do: func(ctx context.Context, r *Room) { done <- r.meet(ctx, who, topic, at) }}); err != nil {
		return "", err
	}
	select {
	case err := <-done:
		return at, err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (r *Room) meet(ctx context.Context, who jid.JID, topic, at string) error {
	k, ok := r.keeper.(*grouped)
	if !ok {
		return server.ItemNotFound
	}
	a, err := r.affiliation(ctx, who)
	switch {
	case err != nil:
		return err
	case k.closed || r.RoleFor(a) == "visitor" || r.RoleFor(a) == "none" || a == None && r.cfg.MembersOnly:
		return server.WithText(server.Forbidden, "who may not write here starts no meetings")
	case !k.calls.Allow(who.Bare(), time.Time{}):
		return errTooFast
	}
	body := "Meeting: "
	if topic != "" {
		body += topic + ": "
	}
	more := []*wire.Element{
		wire.E(nsCallInvites, "invite", wire.E(nsCallInvites, "external").Set("uri", at)).Set("video", "true"),
		wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", at)),
	}
	if !r.sayAs(ctx, who, body+at, more...) {
		r.say(ctx, r.jid, body+at, more...)
	}
	return nil
}

// meetingCommands are the same by ad-hoc command.
func (r *Room) meetingCommands() []server.Command {
	if r.s.cfg.Meetings == "" {
		return nil
	}
	return []server.Command{{Node: nodeMeeting, Name: "Start a meeting", Allowed: func(ctx context.Context, who jid.JID) bool {
		ac, err := r.s.cfg.Org.Access(ctx, r.s.host.Domain, r.group, r.theme, who)
		return err == nil && ac.Write
	}, Form: func(context.Context, jid.JID) (*form.Form, error) {
		f := form.New(form.Ask, nodeMeeting)
		f.Title, f.Instructions = "Start a meeting", "Everyone in here gets its address."
		f.Add("topic", form.TextSingle, "Topic")
		return f, nil
	}, Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
		at, err := r.s.StartMeeting(ctx, r.name, who, f.Get("topic"))
		if err != nil {
			return "", nil, err
		}
		res := form.New(form.Result, nodeMeeting)
		res.Add("url", form.TextSingle, "Address", at)
		return "The meeting is at " + at, res, nil
	}}}
}

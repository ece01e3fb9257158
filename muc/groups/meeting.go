package groups

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/muc"
	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Meetings are held elsewhere, each at a new address. A line in the room has the address as a link, which every client
// shows, as an invitation to a call (XEP-0482) and as out-of-band data (XEP-0066).

const (
	nodeMeeting   = "https://parley.im/commands#meeting"
	nsCallInvites = "urn:xmpp:call-invites:0"
	maxTopic      = 100 // characters
)

func meetingTexts() []textCommand {
	return []textCommand{
		{"meet", "[TOPIC]", "start a meeting for everyone in here", inGroup | inTheme, muc.None, textMeet},
	}
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

// StartMeeting announces a meeting in a room, in the name of a person who may write there, and returns its address.
func (s *Service) StartMeeting(ctx context.Context, name string, who jid.JID, topic string) (string, error) {
	if s.cfg.Meetings == "" {
		return "", fault.New(fault.NotAllowed, "", "there are no meetings here: groups.meeting_url is not set")
	}
	topic = strings.Join(strings.Fields(topic), " ")
	if utf8.RuneCountInString(topic) > maxTopic {
		return "", fault.At(fault.Invalid, "topic", "is too long: at most 100 characters")
	}
	at := s.meetingURL(name)
	_, err := s.asks.meet.Ask(ctx, name, muc.Patience, meeting{who, topic, at})
	return at, err
}

// meet says that there is a meeting, in the name of the person if they are in the room.
func (k *keeper) meet(ctx context.Context, m meeting) (none muc.Nothing, err error) {
	a, err := k.Affiliation(ctx, m.Who)
	if err != nil {
		return none, err
	}
	role := k.r.RoleFor(a)
	switch {
	case k.closed || role == "visitor" || role == "none" || a == muc.None && k.r.Now().MembersOnly:
		return none, server.WithText(server.Forbidden, "you cannot start meetings here, because you may not write")
	case !k.calls.Allow(m.Who.Bare(), time.Time{}):
		return none, muc.ErrTooFast
	}
	body := "Meeting: "
	if m.Topic != "" {
		body += m.Topic + ": "
	}
	more := []*wire.Element{
		wire.E(nsCallInvites, "invite", wire.E(nsCallInvites, "external").Set("uri", m.At)).Set("video", "true"),
		wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", m.At)),
	}
	if !k.sayAs(ctx, m.Who, body+m.At, more...) {
		k.s.say(ctx, k.r, body+m.At, more...)
	}
	return none, nil
}

// meetingCommands do the same as an ad-hoc command.
func (k *keeper) meetingCommands() []server.Command {
	if k.s.cfg.Meetings == "" {
		return nil
	}
	return []server.Command{{
		Node: nodeMeeting,
		Name: "Start a meeting",
		Allowed: func(ctx context.Context, who jid.JID) bool {
			ac, err := k.access(ctx, who)
			return err == nil && ac.Write
		},
		Form: meetingForm,
		Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
			at, err := k.s.StartMeeting(ctx, k.r.Name(), who, f.Get("topic"))
			if err != nil {
				return "", nil, err
			}
			res := form.New(form.Result, nodeMeeting)
			res.Add("url", form.TextSingle, "Address", at)
			return "The meeting is at " + at, res, nil
		},
	}}
}

func meetingForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeMeeting)
	f.Title, f.Instructions = "Start a meeting", "Everyone in here gets its address."
	f.Add("topic", form.TextSingle, "Topic")
	return f, nil
}

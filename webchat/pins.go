package webchat

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"parley/internal/changes"
	"parley/internal/fault"
	"parley/messages"
	"parley/muc"
	"parley/store"
	"parley/wire/jid"
)

// Pin is a message that is pinned in a conversation.
type Pin struct {
	At      time.Time `json:"at" doc:"when it was pinned"`
	By      *Author   `json:"by,omitempty"`
	Message Message   `json:"message"`
}

// Pins are the pinned messages of a conversation, the last first.
type Pins struct {
	Pins []Pin `json:"pins"`
}

// maxPins is how many messages of a conversation may be pinned.
const maxPins = 50

// pinsEvent says which messages of a conversation are pinned now.
type pinsEvent struct {
	Conversation string   `json:"conversation"`
	Pinned       []string `json:"pinned"`
}

// pinsOf names the pins of a conversation for the store.
func (s *Service) pinsOf(at scene) store.Pin {
	p := store.Pin{Host: s.cfg.Host.Domain}
	if at.self == "" {
		p.Room = at.room.String()
	} else {
		p.One, p.Two = pair(at.self, at.with)
	}
	return p
}

// idIn gives the id of a pinned message in the archive that a conversation is read from; 0 if it is not there.
func (at scene) idIn(p *store.Pin) store.ID {
	if at.self != "" && at.self == p.Two {
		return p.Other
	}
	return p.Message
}

// withID is p with the id that a message has in the archive that a conversation is read from.
func (at scene) withID(p store.Pin, id store.ID) store.Pin {
	p.Message, p.Other = 0, 0
	if at.self == "" || at.self == p.One {
		p.Message = id
	}
	if at.self != "" && at.self == p.Two {
		p.Other = id
	}
	return p
}

// pinned notes which conversations may have pins, so that the others cost nothing.
type pinned struct {
	loaded bool
	of     map[store.Pin]bool
}

// loadPinned reads which conversations have pins, when the service begins.
func (s *Service) loadPinned(ctx context.Context) {
	if err := s.readPinned(ctx); err != nil && ctx.Err() == nil {
		s.failed("cannot read what is pinned", err) // pins are looked for everywhere then
	}
}

// readPinned reads which conversations have pins. A conversation that has none any more stays noted.
func (s *Service) readPinned(ctx context.Context) error {
	all, err := s.cfg.Store.PinnedConversations(ctx, s.cfg.Host.Domain)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.pinned.loaded = false
		return err
	}
	s.pinned.loaded = true
	for _, p := range all {
		s.notePinnedLocked(p)
	}
	return nil
}

func (s *Service) notePinnedLocked(p store.Pin) {
	if s.pinned.of == nil {
		s.pinned.of = make(map[store.Pin]bool)
	}
	s.pinned.of[store.Pin{Host: p.Host, Room: p.Room, One: p.One, Two: p.Two}] = true
}

// pinsIn reads the pins of a conversation. It asks the store only where there were some.
func (s *Service) pinsIn(ctx context.Context, at scene) ([]store.Pin, error) {
	p := s.pinsOf(at)
	s.mu.Lock()
	none := s.pinned.loaded && !s.pinned.of[p]
	s.mu.Unlock()
	if none {
		return nil, nil
	}
	return s.cfg.Store.Pins(ctx, p)
}

// pinnedIDs gives the ids of what is pinned in a conversation.
func (s *Service) pinnedIDs(ctx context.Context, at scene) ([]string, error) {
	all, err := s.pinsIn(ctx, at)
	var ids []string
	for i := range all {
		if id := at.idIn(&all[i]); id != 0 {
			ids = append(ids, id.String())
		}
	}
	return ids, err
}

// Pinned gives the pinned messages of a conversation. What was removed meanwhile is not pinned any more.
func (s *Service) Pinned(ctx context.Context, account string, id jid.JID) (Pins, error) {
	list := Pins{Pins: []Pin{}}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return list, err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return list, err
	}
	all, err := s.pinsIn(ctx, f.scene)
	if err != nil {
		return list, err
	}
	ids := make([]store.ID, 0, len(all))
	for i := range all {
		ids = append(ids, f.scene.idIn(&all[i]))
	}
	ms, err := s.these(ctx, account, id, &f, ids)
	if err != nil {
		return list, err
	}
	found := make(map[store.ID]*messages.Message, len(ms))
	for i := range ms {
		found[ms[i].ID] = &ms[i]
	}
	for i := range all {
		m := found[f.scene.idIn(&all[i])]
		if m == nil {
			continue // the person may not read it, or has it not
		}
		if m.Removed != nil {
			s.dropPin(ctx, f.scene, m.ID)
			continue
		}
		p := Pin{At: all[i].ID.Time(), By: s.inTask(ctx, all[i].Maker, f.scene), Message: s.message(ctx, m, f.scene)}
		list.Pins = append(list.Pins, p)
	}
	return list, nil
}

// mayPin says whether a person may pin messages: who manages a room's messages, its people where it is for members, and
// both of two people.
func (s *Service) mayPin(ctx context.Context, p *speaker) (bool, error) {
	switch {
	case p.f.scene.self != "":
		return true, nil
	case p.f.place != nil:
		return p.f.conversation.Manage, nil
	}
	a, closed, err := s.Rooms.AffiliationOf(ctx, p.id.Local(), p.b.session.JID.Bare())
	return muc.AtLeast(a, muc.Admin) || closed && muc.AtLeast(a, muc.Member), err
}

// pinner finds the conversation in which a person may pin messages.
func (s *Service) pinner(ctx context.Context, account string, c Credential, id jid.JID) (*speaker, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return nil, err
	}
	if ok, err := s.mayPin(ctx, p); err != nil {
		return nil, refused(err)
	} else if !ok {
		return nil, fault.New(fault.Forbidden, "", "Messages are pinned by moderators")
	}
	return p, nil
}

// Pin pins a message for everyone in its conversation, and says so there.
func (s *Service) Pin(ctx context.Context, account string, c Credential, id jid.JID, message string) error {
	p, err := s.pinner(ctx, account, c, id)
	if err != nil {
		return err
	}
	m, err := s.one(ctx, account, id, &p.f, message)
	if err != nil {
		return err
	}
	if m.Removed != nil {
		return fault.New(fault.NotFound, "", "no such message")
	}
	was, err := s.pinnedIDs(ctx, p.f.scene)
	if err != nil {
		return err
	}
	for _, known := range was {
		if known == m.ID.String() {
			return nil
		}
	}
	pin := p.f.scene.withID(s.pinsOf(p.f.scene), m.ID)
	pin.ID, pin.Maker = s.cfg.Host.IDs.Next(), p.b.session.JID.Bare().String()
	if err := s.otherID(ctx, p, &m, &pin); err != nil {
		return err
	}
	s.mu.Lock()
	s.notePinnedLocked(pin)
	s.mu.Unlock()
	err = s.cfg.Store.AddPin(ctx, pin, maxPins)
	if errors.Is(err, store.ErrLimit) {
		return fault.New(fault.Limit, "", "{{.Max}} messages are pinned here: unpin some", "Max", maxPins)
	}
	if len(was) == 0 { // other nodes look for no pins where there are none
		err = errors.Join(err, s.cfg.Host.Tell(ctx, changes.Pins, ""))
	}
	if err != nil {
		return err
	}
	at := p.f.scene
	s.do(func(ctx context.Context) { s.tellPins(ctx, at) })
	if at.self == at.with && at.self != "" {
		return nil
	}
	// Other clients know of no pins: they are told in words. Where one may not speak just now, it is pinned all the
	// same.
	_, err = p.sendText(ctx, Outgoing{Text: s.pinText(p, &m)}, strings.ToLower(rand.Text()))
	if err != nil && fault.Of(err) == nil {
		s.failed("cannot tell of a pinned message", err, "conversation", id.String())
	}
	return nil
}

// pinText says that a person has pinned a message.
func (s *Service) pinText(p *speaker, m *messages.Message) string {
	text := "/me pinned a message: “" + strings.ReplaceAll(short(m.Short()), "\n", " ") + "”"
	if p.f.scene.self == "" { // of two people each has another id
		if at := s.addressOf(p.id, m.ID.String()); at != "" {
			text += " " + at
		}
	}
	return text
}

// addressOf gives the address of a message on the pages; "" where there are none.
func (s *Service) addressOf(id jid.JID, message string) string {
	if s.cfg.Web == nil || s.cfg.Web() == "" {
		return ""
	}
	return s.cfg.Web() + "/chat/c/" + url.PathEscape(id.String()) + "/" + message
}

// otherID fills in the id that the other one of two people has for a message.
func (s *Service) otherID(ctx context.Context, p *speaker, m *messages.Message, pin *store.Pin) error {
	at := p.f.scene
	if at.self == "" || at.self == at.with || p.id.Domain() != s.cfg.Host.Domain || m.Own == "" {
		return nil
	}
	e, err := s.cfg.Store.FindArchived(ctx, s.cfg.Host.Domain, p.id.Local(), at.self, m.Own, !m.Incoming)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if pin.Message == 0 {
		pin.Message = e.ID
	} else {
		pin.Other = e.ID
	}
	return err
}

// Unpin takes a pin away.
func (s *Service) Unpin(ctx context.Context, account string, c Credential, id jid.JID, message string) error {
	p, err := s.pinner(ctx, account, c, id)
	if err != nil {
		return err
	}
	n, err := store.ParseID(message)
	if err != nil {
		return nil // nothing is pinned by such an id
	}
	s.dropPin(ctx, p.f.scene, n)
	return nil
}

// dropPin unpins a message, and tells those who see the conversation.
func (s *Service) dropPin(ctx context.Context, at scene, id store.ID) {
	gone, err := s.cfg.Store.DeletePins(ctx, at.withID(s.pinsOf(at), id))
	if err != nil {
		s.failed("cannot unpin a message", err)
	}
	if gone {
		s.do(func(ctx context.Context) { s.tellPins(ctx, at) })
	}
}

// unpinRemoved unpins a message that browsers are told of, if it was removed.
func (s *Service) unpinRemoved(ctx context.Context, at scene, m *messages.Message) {
	if m.Removed == nil {
		return
	}
	if all, err := s.pinsIn(ctx, at); err == nil && len(all) > 0 {
		s.dropPin(ctx, at, m.ID)
	}
}

// tellPins tells the browsers that see a conversation what is pinned in it.
func (s *Service) tellPins(ctx context.Context, at scene) {
	if at.self == "" {
		s.tellRoom(roomFrame{Kind: roomPins, Room: at.room})
		s.pinsToViewers(ctx, at.room)
		return
	}
	for _, side := range [][2]string{{at.self, at.with}, {at.with, at.self}} {
		self, err := jid.Parse(side[0])
		if err == nil && self.Domain() == s.cfg.Host.Domain && s.listens(self.Local()) {
			at := scene{addressed: true, self: side[0], with: side[1]}
			if e := s.pinsNow(ctx, at); e != nil {
				s.tell(self.Local(), e)
			}
		}
		if at.self == at.with { // a note to oneself
			return
		}
	}
}

// pinsNow gives the event that says what is pinned in a conversation; nil if that is not known.
func (s *Service) pinsNow(ctx context.Context, at scene) *Event {
	ids, err := s.pinnedIDs(ctx, at)
	if err != nil {
		s.failed("cannot tell what is pinned", err)
		return nil
	}
	return event("pins", pinsEvent{at.where(), append([]string{}, ids...)})
}

// pinsToViewers tells the browsers of this node that hear of a room what is pinned in it.
func (s *Service) pinsToViewers(ctx context.Context, room jid.JID) {
	viewers := s.viewers(room.String())
	if len(viewers) == 0 {
		return
	}
	if e := s.pinsNow(ctx, scene{room: room}); e != nil {
		for b := range viewers {
			b.buf.add(e)
		}
	}
}

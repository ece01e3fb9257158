package webchat

import (
	"context"
	"time"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Version is what a message was from a time on.
type Version struct {
	At    time.Time `json:"at"`
	Text  string    `json:"text"`
	Files []File    `json:"files,omitempty"`
}

// Versions are all that a message has been, the first first.
type Versions struct {
	Versions []Version `json:"versions" doc:"none: the message was taken back"`
}

// Versions gives what a message has been before it was edited: to its author, and to moderators.
func (s *Service) Versions(ctx context.Context, account string, id jid.JID, message string) (Versions, error) {
	list := Versions{Versions: []Version{}}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return list, err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return list, err
	}
	m, err := s.one(ctx, account, id, &f, message)
	if err != nil {
		return list, err
	}
	if !f.conversation.Manage && !s.saidBy(ctx, who, id, &f, &m) {
		return list, fault.New(fault.Forbidden, "", "What a message was before is for its author and for moderators")
	}
	r := s.cfg.Messages
	r.Since = f.from
	in := store.Conversation{Host: id.Domain(), Room: id.Local()}
	if f.scene.self != "" {
		in = store.Conversation{Host: s.cfg.Host.Domain, Owner: account, With: id.String()}
	}
	all, err := r.Versions(ctx, in, m.ID)
	for i := range all {
		v := Version{At: all[i].At, Text: all[i].Text}
		if all[i].Kind == "me" {
			v.Text = "/me " + v.Text
		}
		for _, x := range all[i].Files {
			v.Files = append(v.Files, File{x.URL, x.Name, x.Type, x.Size, x.Width, x.Height})
		}
		list.Versions = append(list.Versions, v)
	}
	return list, err
}

package webchat

import (
	"context"
	"time"

	"parley/messages"
	"parley/people"
	"parley/store"
)

// notedMentions is how far back it is certain that the store has noted who was mentioned. Older messages are read.
const notedMentions = 80 * 24 * time.Hour

// look searches by filters alone. What is looked at is bounded: Hits.Until says where it ended, with the page not full.
func (s *Service) look(ctx context.Context, by people.Actor, f store.Find, q Search) (Hits, error) {
	out := Hits{Hits: []Hit{}}
	for range maxRounds {
		looked, sure, err := s.lookOnce(ctx, f, q)
		if err != nil {
			return out, err
		}
		f.Older, out.More = looked.Upto, ""
		for i := range looked.Found {
			has := q.Has
			if sure {
				has = ""
			}
			m := &looked.Found[i]
			h, ok, err := s.hit(ctx, by.Who, m, has)
			if err != nil {
				return out, err
			}
			if !ok || h.Message.ID != m.ID.String() { // a correction: the message is found in its own place
				continue
			}
			if out.Hits = append(out.Hits, h); len(out.Hits) == q.Limit && (i+1 < len(looked.Found) || f.Older != 0) {
				out.More = m.ID.String()
				return out, nil
			}
		}
		if f.Older == 0 {
			return out, nil
		}
		out.More = f.Older.String()
		if len(looked.Found) < f.Max && !sure && len(out.Hits) > 0 {
			break
		}
	}
	until := f.Older.Time()
	out.Until = &until
	return out, nil
}

// lookOnce looks once. With sure everything that was found has what is asked for: the store has noted it.
func (s *Service) lookOnce(ctx context.Context, f store.Find, q Search) (looked store.Looked, sure bool, err error) {
	noted := s.cfg.Host.Clock.Now().Add(-notedMentions)
	if q.Has != "mention" || f.With != "" || f.Older != 0 && f.Older <= store.FirstID(noted) ||
		!f.Before.IsZero() && f.Before.Before(noted) {
		f.Any = messages.Traces(q.Has)
		looked, err = s.cfg.Store.LookMessages(ctx, f)
		return looked, false, err
	}
	f.Mentioned = true
	further := f.After.Before(noted)
	if further {
		f.After = noted
	}
	looked, err = s.cfg.Store.LookMessages(ctx, f)
	if further && looked.Upto == 0 {
		looked.Upto = store.FirstID(noted)
	}
	return looked, true, err
}

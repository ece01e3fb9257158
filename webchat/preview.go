package webchat

import (
	"context"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/wire"
)

// Preview describes a page that a message links to (XEP-0511).
type Preview struct {
	Address     string `json:"address"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Site        string `json:"site,omitempty" doc:"name of the website"`
}

// previewWait is how long a message waits for the description of its link, which is nearly always known.
const previewWait = 2 * time.Second

// Describe fetches the page at an address and describes it. A refusal if there is nothing to show.
func (s *Service) Describe(ctx context.Context, account, address string) (Preview, error) {
	if s.cfg.Previews == nil {
		return Preview{}, fault.New(fault.NotAllowed, "", "link previews are switched off")
	}
	p, err := s.cfg.Previews.Of(ctx, account, address)
	return Preview{p.Address, p.Title, p.Description, p.Site}, err
}

// Previews says whether links have previews.
func (s *Service) Previews() bool { return s.cfg.Previews != nil && s.cfg.Previews.On() }

// describes gives what describes the link of a message that its author wants described. The server has read the page
// itself. Without an answer in time the message goes without it.
func (p *speaker) describes(ctx context.Context, o Outgoing) []*wire.Element {
	if o.Preview == "" || p.s.cfg.Previews == nil || !messages.HasAddress(o.Text, o.Preview) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, previewWait)
	defer cancel()
	d, err := p.s.cfg.Previews.Of(ctx, p.account(), o.Preview)
	if err != nil {
		return nil
	}
	return []*wire.Element{d.Element()}
}

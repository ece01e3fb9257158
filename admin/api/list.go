package api

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Part chooses a part of a long list. Its name starts with a capital letter because huma skips other embedded structs.
type Part struct {
	Offset int `query:"offset" minimum:"0" maximum:"10000000" doc:"number of entries to skip"`
	Limit  int `query:"limit" minimum:"1" maximum:"1000" default:"1000" doc:"largest number of entries to return; X-Total-Count has the total"`
	url    url.URL
}

// Resolve keeps the request's address for the link to the next part.
func (p *Part) Resolve(c huma.Context) []error {
	p.url = c.URL()
	return nil
}

func (p *Part) part() *Part { return p }

// listed is the input of a list in parts: it has a Part.
type listed[I any] interface {
	*I
	part() *Part
}

// listPart is an answer with a part of a list. Its headers give the number of all entries and the address of the next
// part (RFC 8288), so that nobody takes a part for the whole.
type listPart[T any] struct {
	Total int    `header:"X-Total-Count" doc:"total number of entries"`
	Next  string `header:"Link" doc:"address of the next page, with rel=next; missing on the last page"`
	Body  []T
}

func (p *Part) next(got, total int) string {
	if p.Offset+got >= total || got == 0 {
		return ""
	}
	q := p.url.Query()
	q.Set("offset", strconv.Itoa(p.Offset+got))
	q.Set("limit", strconv.Itoa(p.Limit))
	return fmt.Sprintf(`<%s?%s>; rel="next"`, p.url.Path, q.Encode())
}

// cutTo returns a part of a list in memory.
func (p *Part) cutTo(n int) (from, to int) {
	return min(n, p.Offset), min(n, p.Offset+p.Limit)
}

// list is serve for a list in parts. f returns the chosen part and the number of all entries.
func list[I any, P listed[I], T any](
	s *Server, d *doors, o Op[I, []T], needs right, f func(ctx context.Context, c caller, in P) ([]T, int, error),
) {
	register(d, o.takes, o.Operation, needs, func(ctx context.Context, in *I) (*listPart[T], error) {
		out, total, err := f(ctx, who(ctx), P(in))
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		if out == nil {
			out = []T{}
		}
		return &listPart[T]{total, P(in).part().next(len(out), total), out}, nil
	})
}

// listAll is list for a list in memory: it cuts the part out.
func listAll[I any, P listed[I], T any](
	s *Server, d *doors, o Op[I, []T], needs right, f func(ctx context.Context, c caller, in P) ([]T, error),
) {
	list(s, d, o, needs, func(ctx context.Context, c caller, in P) ([]T, int, error) {
		all, err := f(ctx, c, in)
		from, to := in.part().cutTo(len(all))
		return all[from:to], len(all), err
	})
}

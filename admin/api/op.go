package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Op is an operation of the API. I is its input: fields with the tags path and query, and Body in JSON. O is its answer
// in JSON; None if success says it all.
type Op[I, O any] struct {
	huma.Operation
	takes way
}

// way says which callers an operation serves.
type way uint8

const (
	byToken way = 1 << iota
	bySocket
	byBrowser // of somebody who is signed in on the pages, besides tokens
)

// None is an empty input or answer.
type None struct{}

// Body is the input of an operation that has only a body.
type Body[T any] struct{ Body T }

// With returns a Body.
func With[T any](v T) Body[T] { return Body[T]{v} }

const prefix = "/api/v1"

// op describes an operation, with the scope that a token needs for it.
func op[I, O any](id, method, path, scope, summary string) Op[I, O] {
	return Op[I, O]{huma.Operation{
		OperationID: id,
		Method:      method,
		Path:        prefix + path,
		Summary:     summary,
		Security:    []map[string][]string{{"token": {scope}}},
		Errors:      []int{401, 403, 404, 409, 422, 429},
	}, byToken | bySocket}
}

// creates is op for an operation that creates something.
func creates[I, O any](id, path, scope, summary string) Op[I, O] {
	o := op[I, O](id, http.MethodPost, path, scope, summary)
	o.DefaultStatus = http.StatusCreated
	return o
}

// personal marks an operation for people only, not for the operator of the machine.
func personal[I, O any](o Op[I, O]) Op[I, O] {
	o.takes = byToken
	return o
}

// inBrowsers marks an operation that browsers of signed-in people may call too.
func inBrowsers[I, O any](o Op[I, O]) Op[I, O] {
	o.takes |= byBrowser
	return o
}

// machine describes an operation for the operator of the machine alone. Without a host it is about all hosts.
func machine[I, O any](id, method, path, summary string) Op[I, O] {
	o := op[I, O](id, method, path, "", summary)
	o.takes = bySocket
	return o
}

// everywhere marks an operation on the whole deployment, for which the operator of the machine need not name a host.
func everywhere[I, O any](o Op[I, O]) Op[I, O] {
	o.Metadata = map[string]any{anyHostKey: true}
	return o
}

// doors is one of the two ways in, while operations are added to it.
type doors struct {
	api   huma.API
	takes way
}

// register adds an operation with its right: each goes through here.
func register[I, O any](d *doors, takes way, op huma.Operation, needs right,
	f func(ctx context.Context, in *I) (*O, error)) {
	if takes&d.takes == 0 {
		return
	}
	op.Metadata = map[string]any{rightKey: needs, anyHostKey: op.Metadata[anyHostKey]}
	if takes&byBrowser != 0 {
		op.Metadata[browserKey] = true
	}
	if d.takes == bySocket {
		op.Security = nil
	}
	huma.Register(d.api, op, f)
}

// answer is an answer with a value.
type answer[T any] struct{ Body T }

// serve adds an operation with the right that it needs. f returns the answer.
func serve[I, O any](s *Server, d *doors, o Op[I, O], needs right,
	f func(ctx context.Context, c caller, in *I) (O, error)) {
	register(d, o.takes, o.Operation, needs, func(ctx context.Context, in *I) (*answer[O], error) {
		out, err := f(ctx, who(ctx), in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &answer[O]{out}, nil
	})
}

// act is serve for an operation whose answer is None.
func act[I any](s *Server, d *doors, o Op[I, None], needs right, f func(ctx context.Context, c caller, in *I) error) {
	register(d, o.takes, o.Operation, needs, func(ctx context.Context, in *I) (*struct{}, error) {
		return nil, s.problem(ctx, f(ctx, who(ctx), in))
	})
}

// some is a list that is no null in JSON.
func some[T any](list []T, err error) ([]T, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}
